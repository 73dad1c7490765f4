/** Brings flags, the file and the files that it names together into a configuration. */

import { type Config, configOf, type Instance } from "../config/config.ts";
import { ConfigError } from "../config/errors.ts";
import type { CommandLine } from "../config/flags.ts";
import type { Values } from "../config/options.ts";
import type { TomlContents } from "../config/toml.ts";
import { parseListenAddress } from "../net/listen.ts";
import type { Io } from "./io.ts";

const MAX_CONFIG_SIZE = 2 ** 20;
const MAX_CERTIFICATES_SIZE = 4 * 2 ** 20;

export interface Loaded {
  config: Config;
  /** What was given, by flag or in the file. */
  values: Values;
}

/**
 * Reads everything that the command line names and judges it. Flags win over the file, the file over defaults.
 *
 * @throws {ConfigError} with everything that is wrong
 */
export async function load(line: CommandLine, instance: Instance, io: Io): Promise<Loaded> {
  const written = await readConfig(line, io);
  const values = { ...written.values, ...line.values };
  const config = configOf(values, instance, [...line.rules, ...written.rules]);
  config.proxy.originCertificates = await readCertificates(config.originCertificateFiles, line);
  return { config, values };
}

async function readConfig(line: CommandLine, io: Io): Promise<TomlContents> {
  if (line.config === undefined) return { values: {}, rules: [], tests: [] };
  const { readText, readTextFile, requireRead } = await import("./read_file.ts");
  const { readToml } = await import("../config/toml.ts");
  if (line.config === "-") {
    const name = "standard input";
    if (io.isTerminal("input")) {
      io.err("weir: reading the configuration from here; Ctrl-D on a line of its own ends it\n");
    }
    return await readToml(await readText(io.input, name, MAX_CONFIG_SIZE), name, parseListenAddress);
  }
  await requireRead([line.config, ...line.values["origin-ca"] ?? []], line);
  return await readToml(
    await readTextFile(line.config, MAX_CONFIG_SIZE, line),
    line.config,
    parseListenAddress,
  );
}

async function readCertificates(files: readonly string[], line: CommandLine): Promise<string[]> {
  if (files.length === 0) return [];
  const { readTextFile, requireRead } = await import("./read_file.ts");
  const all = line.config === undefined || line.config === "-" ? files : [line.config, ...files];
  await requireRead(all, line);
  const certificates: string[] = [];
  const problems: string[] = [];
  for (const file of files) {
    try {
      const pem = await readTextFile(file, MAX_CERTIFICATES_SIZE, line);
      requireCertificate(pem, file);
      certificates.push(pem);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      problems.push(...error.problems);
    }
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return certificates;
}

function requireCertificate(pem: string, file: string): void {
  if (!/^-----BEGIN CERTIFICATE-----\s*$/m.test(pem)) {
    throw new ConfigError([
      `${file} holds no certificate: it should have a line -----BEGIN CERTIFICATE-----`,
    ]);
  }
  try {
    // what cannot be used is better found now than at the first handshake
    Deno.createHttpClient({ caCerts: [pem] }).close();
  } catch (error) {
    throw new ConfigError([
      `${file} holds a broken certificate: ${error instanceof Error ? error.message : error}`,
    ]);
  }
}
