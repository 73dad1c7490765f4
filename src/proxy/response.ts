/** A response's head, what it says, and the head that is made of it. */

import { HeadReader } from "../http/head_reader.ts";
import { HeadWriter } from "../http/head_writer.ts";
import { ConnectionOptions } from "../http/hop_by_hop.ts";
import type { StatusLine } from "../http/start_line.ts";
import type { ProxySettings } from "./settings.ts";

export class Response implements StatusLine {
  readonly head: HeadReader;
  readonly options = new ConnectionOptions();
  writer = new HeadWriter(4096);
  status = 0;
  minorVersion = 1;
  reasonStart = 0;

  constructor(settings: ProxySettings) {
    this.head = new HeadReader("response", settings);
  }
}
