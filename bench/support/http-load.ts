import { connect, type Socket } from "node:net";

/**
 * One caller of an HTTP server over one connection of its own, with as little work as can be: the server shares the
 * processors with it. Understands bodies with a length and chunked ones.
 */
export class HttpCaller {
  readonly #socket: Socket;
  readonly #host: string;
  readonly #headers: string;
  #waiting: PromiseWithResolvers<HttpAnswer> | undefined;
  #received: Buffer = Buffer.alloc(0);

  private constructor(socket: Socket, host: string, headers: string) {
    this.#socket = socket;
    this.#host = host;
    this.#headers = headers;
    socket.on("data", (piece) => this.#take(piece));
    socket.on("error", (error) => this.#waiting?.reject(error));
    socket.on("close", () => this.#waiting?.reject(new Error(`${host} closed the connection`)));
  }

  /** `headers`: more lines for every request, each with its line end. */
  static async open(port: number, headers = ""): Promise<HttpCaller> {
    const socket = connect({ host: "127.0.0.1", port, noDelay: true });
    await new Promise<void>((resolve, reject) => socket.once("connect", resolve).once("error", reject));
    return new HttpCaller(socket, `127.0.0.1:${port}`, headers);
  }

  /** One call at a time. Rejects for every answer from 400 on. */
  call(method: string, path: string, body?: Buffer): Promise<HttpAnswer> {
    const length = body === undefined ? "" : `Content-Length: ${body.byteLength}\r\n`;
    const head = `${method} ${path} HTTP/1.1\r\nHost: ${this.#host}\r\n${this.#headers}${length}\r\n`;
    this.#waiting = Promise.withResolvers();
    this.#received = Buffer.alloc(0);
    this.#socket.write(body === undefined ? head : Buffer.concat([Buffer.from(head), body]));
    return this.#waiting.promise;
  }

  close(): void {
    this.#waiting = undefined;
    this.#socket.destroy();
  }

  #take(piece: Buffer): void {
    const received = this.#received.byteLength === 0 ? piece : Buffer.concat([this.#received, piece]);
    this.#received = received;
    const headEnd = received.indexOf("\r\n\r\n");
    if (headEnd < 0) return;
    const head = received.toString("latin1", 0, headEnd);
    const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1];
    const isEmpty = head.startsWith("HTTP/1.1 204");
    const whole =
      isEmpty ||
      (length === undefined
        ? received.toString("latin1", received.byteLength - 5) === "0\r\n\r\n"
        : received.byteLength >= headEnd + 4 + Number(length));
    if (!whole) return;
    const rest = received.subarray(headEnd + 4);
    const body = length === undefined ? () => withoutChunks(rest) : () => rest;
    const answer = { status: Number(head.slice(9, 12)), head, body };
    const { promise, resolve, reject } = this.#waiting ?? Promise.withResolvers();
    promise.catch(() => undefined);
    if (answer.status >= 400) reject(new Error(`${this.#host}: ${answer.status} ${answer.body()}`));
    else resolve(answer);
  }
}

export interface HttpAnswer {
  readonly status: number;
  /** The status line and the headers. */
  readonly head: string;
  body(): Buffer;
}

function withoutChunks(bytes: Buffer): Buffer {
  const pieces: Buffer[] = [];
  for (let at = 0; ; ) {
    const lineEnd = bytes.indexOf("\r\n", at);
    const length = Number.parseInt(bytes.toString("latin1", at, lineEnd), 16);
    if (!(length > 0)) return Buffer.concat(pieces);
    pieces.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + length));
    at = lineEnd + 2 + length + 2;
  }
}
