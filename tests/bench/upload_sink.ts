/**
 * An origin that takes uploads: reads each request's body to its end, whether it has a length or is chunked,
 * and answers 200. It checks nothing: it is there to be faster than the proxies in front of it.
 */

const ANSWER = new TextEncoder().encode("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
const CONTINUE = new TextEncoder().encode("HTTP/1.1 100 Continue\r\n\r\n");
const LAST_CHUNK = new TextEncoder().encode("0\r\n\r\n");

const listener = Deno.listen({ hostname: "127.0.0.1", port: Number(Deno.args[0]) });
for (;;) {
  let connection: Deno.TcpConn;
  try {
    connection = await listener.accept();
  } catch (error) {
    // who has reset it already, as balancers do that only look whether somebody is there
    if (error instanceof Deno.errors.NotConnected) continue;
    throw error;
  }
  serve(connection).catch(() => {});
}

async function serve(connection: Deno.TcpConn): Promise<void> {
  connection.setNoDelay(true);
  const buffer = new Uint8Array(1 << 19);
  for (;;) {
    let filled = 0;
    let end = -1;
    while (end < 0) {
      const count = await connection.read(buffer.subarray(filled));
      if (count === null) return connection.close();
      filled += count;
      end = headEnd(buffer.subarray(0, filled));
    }
    const head = new TextDecoder().decode(buffer.subarray(0, end));
    if (/^expect: *100-continue/im.test(head)) await connection.write(CONTINUE);
    const length = /^content-length: *(\d+)/im.exec(head);
    let last = buffer.subarray(end, filled);
    if (length !== null) {
      for (let left = Number(length[1]) - last.length; left > 0;) {
        const count = await connection.read(buffer);
        if (count === null) return connection.close();
        left -= count;
      }
    } else if (/^transfer-encoding:/im.test(head)) {
      while (!endsWith(last, LAST_CHUNK)) {
        const count = await connection.read(buffer);
        if (count === null) return connection.close();
        last = buffer.subarray(0, count);
      }
    }
    await connection.write(ANSWER);
  }
}

function headEnd(bytes: Uint8Array): number {
  for (let at = 3; at < bytes.length; at++) {
    if (bytes[at] === 10 && bytes[at - 1] === 13 && bytes[at - 2] === 10) return at + 1;
  }
  return -1;
}

function endsWith(bytes: Uint8Array, end: Uint8Array): boolean {
  return bytes.length >= end.length &&
    end.every((byte, at) => bytes[bytes.length - end.length + at] === byte);
}
