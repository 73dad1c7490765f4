/** Messages that are damaged at random, the same way in every run. */

/** A small generator of the same numbers in every run (mulberry32). */
export function random(seed: number): (below: number) => number {
  return (below) => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

/** What is put into messages: what frames, ends, separates and disguises. */
const SPLINTERS = [
  ...'\r\n\0\t \v\f\x7f\x80\xff:;,/"\\#?@%*',
  "\r\n",
  "\r\n\r\n",
  "\n\n",
  "\r\n ",
  "\r\nContent-Length: 5\r\n",
  "\r\nContent-Length: 0\r\n",
  "\r\ncontent-length:7",
  "\r\nContent-Length: 5, 5\r\n",
  "\r\nTransfer-Encoding: chunked\r\n",
  "\r\ntransfer-encoding:chunked",
  "\r\nTransfer-Encoding: gzip, chunked\r\n",
  "\r\nHost: other.example\r\n",
  "\r\nConnection: close\r\n",
  "\r\nConnection: content-length, transfer-encoding, host, via\r\n",
  "\r\nConnection: upgrade\r\nUpgrade: x\r\n",
  "\r\nTE: trailers\r\n",
  "\r\nTrailer: x\r\n",
  "\r\nVia: 1.1 somebody\r\n",
  "\r\nMax-Forwards: 3\r\n",
  " HTTP/1.0",
  " HTTP/1.1\r\n",
  "0\r\n\r\n",
  "5\r\nhello\r\n0\r\n\r\n",
  "5;x=y\r\nhello\r\n0\r\nA: b\r\n\r\n",
  "hello",
];

/** A message with up to three splinters in it or pieces gone. */
export function damaged(whole: string, chance: (below: number) => number): string {
  let message = whole;
  for (let times = chance(4); times > 0; times--) {
    const at = chance(message.length);
    const splinter = SPLINTERS[chance(SPLINTERS.length)];
    switch (chance(4)) {
      case 0:
        message = message.slice(0, at) + splinter + message.slice(at);
        break;
      case 1:
        message = message.slice(0, at) + splinter + message.slice(at + splinter.length);
        break;
      case 2:
        message = message.slice(0, at) + message.slice(at + 1 + chance(8));
        break;
      default: {
        // at the end of a line, where it does the most
        const end = message.indexOf("\r\n", at);
        if (end >= 0) message = message.slice(0, end) + splinter + message.slice(end);
      }
    }
  }
  return message;
}
