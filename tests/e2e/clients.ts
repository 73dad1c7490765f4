/** Clients that speak raw bytes: for what no well-behaved program would do. */

const encoder = new TextEncoder();

export function connect(port: number): Promise<Deno.TcpConn> {
  return Deno.connect({ hostname: "127.0.0.1", port });
}

export async function send(connection: Deno.Conn, text: string): Promise<void> {
  const bytes = encoder.encode(text);
  for (let sent = 0; sent < bytes.length;) sent += await connection.write(bytes.subarray(sent));
}

/** Everything until the other side closes; what came before a reset too. */
export async function readToEnd(connection: Deno.Conn): Promise<string> {
  const decoder = new TextDecoder("latin1");
  const buffer = new Uint8Array(65536);
  let text = "";
  try {
    for (let count; (count = await connection.read(buffer)) !== null;) {
      text += decoder.decode(buffer.subarray(0, count));
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.ConnectionReset)) throw error;
  }
  return text;
}

/** Reads until `text` has come; throws when the connection ends before. */
export async function readUntil(connection: Deno.Conn, text: string): Promise<string> {
  const decoder = new TextDecoder("latin1");
  const buffer = new Uint8Array(4096);
  let read = "";
  while (!read.includes(text)) {
    const count = await connection.read(buffer);
    if (count === null) throw new Error(`The connection ended after ${JSON.stringify(read)}.`);
    read += decoder.decode(buffer.subarray(0, count));
  }
  return read;
}

/** One request over a connection of its own; the whole answer. */
export async function fetchOnce(port: number, target: string): Promise<string> {
  using connection = await connect(port);
  await send(
    connection,
    `GET ${target} HTTP/1.1\r\nHost: ${new URL(target).host}\r\nConnection: close\r\n\r\n`,
  );
  return await readToEnd(connection);
}

/** Runs `task` for 0 to `count` - 1, at most `width` at a time. */
export async function forEach(
  count: number,
  width: number,
  task: (index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const row = async () => {
    while (next < count) await task(next++);
  };
  await Promise.all(Array.from({ length: width }, row));
}

export function closeAll(connections: Deno.Conn[]): void {
  for (const connection of connections) connection.close();
  connections.length = 0;
}
