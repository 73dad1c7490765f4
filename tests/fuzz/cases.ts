/** One case of a fuzz run: its input and the check of it, both by the case's own random numbers. */

import { LIMITS } from "../http/reading.ts";
import { cacheWordInput, checkCacheWord } from "./cache_words.ts";
import { checkHeader, checkSocks, headerInput, socksInput } from "./handshakes.ts";
import { checkHello, helloInput } from "./client_hellos.ts";
import { authorityInput, bodyInput, cutsOf, oddInput, requestInput, responseInput } from "./inputs.ts";
import {
  checkAuthority,
  checkChunked,
  checkOddChunked,
  checkOddResponse,
  checkRequest,
  checkResponse,
} from "./invariants.ts";
import { checkHostList, checkWord, hostListInput, wordInput } from "./policy_words.ts";
import { Random, seedOf } from "./random.ts";

/** A case that found something. */
export class Finding extends Error {
  override readonly name = "Finding";
}

/** Runs case `number` of the run with this seed. Throws {@link Finding} with all that is needed to see it again. */
export function runCase(run: number, number: number): void {
  const random = new Random(seedOf(run, number));
  // tight limits as often as wide ones: what happens where they fall is where mistakes are
  const limits = random.once(2)
    ? LIMITS
    : { maxHeadSize: 16 + random.below(random.pick([64, 400, 1500])), maxFields: random.below(12) };
  let input: Uint8Array | string = "";
  let cuts: number[] = [];
  const kind = random.pick(
    [
      "request",
      "request",
      "response",
      "odd",
      "chunked",
      "chunked",
      "authority",
      "hello",
      "word",
      "hosts",
      "cache",
      "socks",
      "header",
    ] as const,
  );
  try {
    if (kind === "authority") {
      input = authorityInput(random);
      checkAuthority(input, random.pick([80, 443, null]));
      return;
    }
    if (kind === "word") {
      input = wordInput(random);
      checkWord(input);
      return;
    }
    if (kind === "cache") {
      input = cacheWordInput(random);
      checkCacheWord(input);
      return;
    }
    const make = {
      request: requestInput,
      response: responseInput,
      odd: oddInput,
      chunked: bodyInput,
      hello: helloInput,
      hosts: hostListInput,
      socks: socksInput,
      header: headerInput,
    }[kind];
    input = make(random);
    cuts = cutsOf(random, input.length);
    if (kind === "request") checkRequest(input, cuts, limits);
    else if (kind === "chunked") {
      checkChunked(input, cuts, limits);
      checkOddChunked(input, cuts, limits);
    } else if (kind === "odd") {
      checkOddResponse(input, cuts, random.pick(["GET", "HEAD", "CONNECT", "POST"]), limits);
    } else if (kind === "hello") checkHello(input, cuts);
    else if (kind === "socks") checkSocks(input);
    else if (kind === "header") checkHeader(input, cuts);
    else if (kind === "hosts") checkHostList(input, cuts);
    else checkResponse(input, cuts, random.pick(["GET", "HEAD", "CONNECT", "POST"]), limits);
  } catch (error) {
    const shown = typeof input === "string" ? input : String.fromCharCode(...input);
    throw new Finding(
      `case ${number} of seed ${run}, a ${kind}:\n${error instanceof Error ? error.stack : error}\n` +
        `input: ${JSON.stringify(shown)}\ncut at ${JSON.stringify(cuts)}, limits ${JSON.stringify(limits)}`,
      { cause: error },
    );
  }
}
