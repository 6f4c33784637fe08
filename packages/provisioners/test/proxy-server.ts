import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A proxy on a free loopback port that knows HTTP's CONNECT and SOCKS 5, and tells them by the first byte. */
export interface ProxyServer {
  readonly port: number;
  /** Where ways were opened to, such as `127.0.0.1:22`. */
  readonly asked: readonly string[];
  stop(): Promise<void>;
}

export interface ProxyLogin {
  readonly user: string;
  readonly password: string;
}

export async function startProxy(login?: ProxyLogin): Promise<ProxyServer> {
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    const reader = new Reader(socket);
    const serve = async () => {
      const first = await reader.take(1);
      const to = await (first[0] === 5 ? greetSocks(reader, socket, login) : greetHttp(reader, socket, login));
      if (!to) return void socket.end();
      asked.push(to.text);
      const way = connect(to.port, to.host);
      sockets.add(way);
      way.on("error", () => socket.destroy());
      await once(way, "connect");
      socket.write(to.opened);
      reader.release();
      socket.pipe(way).pipe(socket);
    };
    serve().catch(() => socket.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    asked,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

interface Destination {
  readonly host: string;
  readonly port: number;
  readonly text: string;
  /** What is said when the way is open. */
  readonly opened: Uint8Array | string;
}

async function greetHttp(reader: Reader, socket: Socket, login: ProxyLogin | undefined) {
  let head = "C";
  while (!head.endsWith("\r\n\r\n")) head += (await reader.take(1)).toString("latin1");
  const [, text = ""] = /^CONNECT (\S+) HTTP/.exec(head) ?? [];
  const basic = login && Buffer.from(`${login.user}:${login.password}`).toString("base64");
  if (basic !== undefined && !head.includes(`Basic ${basic}\r\n`)) {
    socket.write("HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n");
    return undefined;
  }
  const { hostname: host, port } = new URL(`http://${text}`);
  return { host, port: Number(port), text, opened: "HTTP/1.1 200 Connection established\r\n\r\n" };
}

// RFC 1928, and RFC 1929 for the login.
async function greetSocks(
  reader: Reader,
  socket: Socket,
  login: ProxyLogin | undefined,
): Promise<Destination | undefined> {
  const texts = async () => (await reader.take((await reader.take(1))[0]!)).toString();
  const methods = await reader.take((await reader.take(1))[0]!);
  const method = login ? 2 : 0;
  if (!methods.includes(method)) {
    socket.write(Uint8Array.of(5, 0xff));
    return undefined;
  }
  socket.write(Uint8Array.of(5, method));
  if (login) {
    await reader.take(1);
    const isRight = (await texts()) === login.user && (await texts()) === login.password;
    socket.write(Uint8Array.of(1, isRight ? 0 : 1));
    if (!isRight) return undefined;
  }
  const [, , , kind] = await reader.take(4);
  const host = kind === 1 ? (await reader.take(4)).join(".") : await texts();
  const port = (await reader.take(2)).readUInt16BE();
  return { host, port, text: `${host}:${port}`, opened: Uint8Array.of(5, 0, 0, 1, 127, 0, 0, 1, 0, 0) };
}

/** Takes as many bytes of a socket as are asked for, and leaves the rest. */
class Reader {
  readonly #socket: Socket;
  #bytes = Buffer.alloc(0);
  readonly #wake = () => this.#more?.();
  #more: (() => void) | undefined;
  readonly #onData = (piece: Buffer) => {
    this.#bytes = Buffer.concat([this.#bytes, piece]);
    this.#wake();
  };

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", this.#onData);
  }

  async take(count: number): Promise<Buffer> {
    while (this.#bytes.length < count) await new Promise<void>((resolve) => (this.#more = resolve));
    const taken = this.#bytes.subarray(0, count);
    this.#bytes = this.#bytes.subarray(count);
    return taken;
  }

  release(): void {
    this.#socket.off("data", this.#onData);
    if (this.#bytes.length > 0) this.#socket.unshift(this.#bytes);
  }
}
