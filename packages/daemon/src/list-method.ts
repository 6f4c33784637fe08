import type { IncomingMessage, Server } from "node:http";
import type { Socket } from "node:net";
import { Duplex } from "node:stream";

const listVerb = Buffer.from("LIST ");
// Behind these letters the parser sees that it is no method it knows (LINK begins so too).
const lettersRead = 2;

/**
 * Lets a server take requests with the method LIST, as clients of Vault's API send: the parser has refused the
 * connection at that place, and goes on with it from there as a GET on a connection of its own kind, which ends with its
 * answer ({@link isList} tells it). What else the parser refuses is answered as Node does.
 */
export function acceptListMethod(server: Server): void {
  server.on("clientError", (error: ParserError, stream) => {
    const socket = stream as Socket;
    const rest = restOf(error);
    if (rest && socket.writable && !isAnswering(socket)) server.emit("connection", new Replayed(socket, rest));
    else if (socket.writable && !isAnswering(socket))
      socket.end(`HTTP/1.1 ${statusOf(error)}\r\nConnection: close\r\n\r\n`);
    else socket.destroy();
  });
}

/** Whether a request's method was LIST. No header says so, which a client could send too. */
export function isList(message: IncomingMessage): boolean {
  return (message.socket as Duplex) instanceof Replayed;
}

type ParserError = Error & { readonly code?: string; readonly bytesParsed?: number; readonly rawPacket?: Buffer };

function restOf({ code, bytesParsed = 0, rawPacket }: ParserError): Buffer | undefined {
  if (code !== "HPE_INVALID_METHOD" || !rawPacket) return undefined;
  const rest = rawPacket.subarray(bytesParsed - lettersRead);
  const line = rest.indexOf("\r\n");
  if (!rest.subarray(0, listVerb.length).equals(listVerb) || line < 0) return undefined;
  const request = rest.subarray(listVerb.length, line + 2).toString("latin1");
  const head = Buffer.from(`GET ${request}Connection: close\r\n`, "latin1");
  // The client's own word on the connection would contradict; it is renamed in place, as its length does not matter.
  const fields = rest
    .subarray(line + 2)
    .toString("latin1")
    .replace(/^connection:/im, "x-connection:");
  return Buffer.concat([head, Buffer.from(fields, "latin1")]);
}

function statusOf({ code }: ParserError): string {
  if (code === "HPE_HEADER_OVERFLOW") return "431 Request Header Fields Too Large";
  return code === "ERR_HTTP_REQUEST_TIMEOUT" ? "408 Request Timeout" : "400 Bad Request";
}

// An answer under way, or one that is still to come, would be mixed with another, and taken for the other.
function isAnswering(socket: Socket): boolean {
  return Boolean((socket as Socket & { readonly _httpMessage?: object | null })._httpMessage);
}

/** A connection from a place in the middle on: first bytes that are given, then what the socket brings. */
class Replayed extends Duplex {
  readonly #socket: Socket;

  constructor(socket: Socket, first: Buffer) {
    super({ allowHalfOpen: true });
    this.#socket = socket;
    for (const event of ["data", "end", "close", "drain", "error", "timeout"]) socket.removeAllListeners(event);
    this.push(first);
    socket.on("data", (chunk) => {
      if (!this.push(chunk)) socket.pause();
    });
    socket.on("end", () => this.push(null));
    socket.on("error", (error) => this.destroy(error));
    socket.on("close", () => this.destroy());
    socket.resume();
  }

  get remoteAddress(): string | undefined {
    return this.#socket.remoteAddress;
  }

  get remotePort(): number | undefined {
    return this.#socket.remotePort;
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#socket.write(chunk, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#socket.end(() => done());
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket.destroy(error ?? undefined);
    done(error);
  }

  setTimeout(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  setNoDelay(): this {
    return this;
  }
}
