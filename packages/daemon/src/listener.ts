import { chmod, lstat, unlink } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { connect } from "node:net";
import { messageOf, OperationalError } from "@millwright/core/errors";
import type { HttpRequest, HttpService } from "@millwright/core/http";
import type { Clock, Log } from "@millwright/core/ports";
import { daemonErrors } from "./errors.ts";
import { foreignPage } from "./foreign-page.ts";
import { acceptListMethod, isList } from "./list-method.ts";
import { sendReply } from "./send.ts";

/** Where to listen: a host and a port (0 for any free one), or a Unix socket. */
export type ListenAddress =
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  | { readonly kind: "unix"; readonly path: string };

export interface ListenerOptions {
  readonly address: ListenAddress;
  readonly service: HttpService;
  readonly clock: Clock;
  readonly log: Log;
  /** Names one failed request in the answer and in the log. */
  readonly requestId: () => string;
  /** Take a free port where the wanted one is taken. */
  readonly freePortIfTaken?: boolean;
  /** The flag that sets the port, for messages; `-http-port` by default. */
  readonly portFlag?: string;
}

/** One open listener. */
export interface Listener {
  /** Where it listens indeed, with the port that was taken. */
  readonly address: ListenAddress;
  /**
   * Takes no more connections, tells requests that wait to answer now, and resolves when all are answered; after
   * `graceMilliseconds` what is left is cut off.
   */
  close(graceMilliseconds: number): Promise<void>;
}

/** Listens for HTTP. Rejects with `addressTaken` or `addressRefused`, naming the address and what to do. */
export async function listen(options: ListenerOptions): Promise<Listener> {
  const closing = new AbortController();
  const server = createServer(
    {
      maxHeaderSize: 64 * 1024,
      headersTimeout: 10_000,
      requestTimeout: 300_000,
      keepAliveTimeout: 75_000,
      noDelay: true,
    },
    (message, response) => void serve(message, response, options, closing.signal),
  );
  acceptListMethod(server);
  const address = await bind(server, options);
  return {
    address,
    close: async (graceMilliseconds) => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      closing.abort();
      server.closeIdleConnections();
      const cut = new AbortController();
      const late = options.clock.sleep(graceMilliseconds, cut.signal).then(
        () => server.closeAllConnections(),
        () => undefined,
      );
      await closed;
      cut.abort();
      await late;
    },
  };
}

/** `127.0.0.1:8500` or `unix:///path`. */
export function formatAddress(address: ListenAddress): string {
  if (address.kind === "unix") return `unix://${address.path}`;
  return `${address.host.includes(":") ? `[${address.host}]` : address.host}:${address.port}`;
}

async function serve(
  message: IncomingMessage,
  response: ServerResponse,
  { service, clock, log, requestId }: ListenerOptions,
  closing: AbortSignal,
): Promise<void> {
  const request = toRequest(message, response, closing);
  const began = clock.monotonic();
  try {
    refuseForeignPage(message);
    const reply = await service(request);
    await sendReply(message, response, reply, closing.aborted);
    const milliseconds = Math.round(clock.monotonic() - began);
    log.write("debug", "http: answered", {
      method: request.method,
      path: request.path,
      status: reply.status,
      milliseconds,
    });
  } catch (error) {
    // Whoever asked has gone: nothing failed.
    if (response.destroyed) {
      log.write("debug", "http: given up", { method: request.method, path: request.path, error: messageOf(error) });
      return;
    }
    const id = requestId();
    const fields = { id, method: message.method, path: request.path, error: messageOf(error) };
    log.write("error", "http: a request failed", {
      ...fields,
      ...(error instanceof Error ? { stack: error.stack } : {}),
    });
    refuse(response, error, id);
  } finally {
    if (!message.complete) discardRest(message);
  }
}

function refuseForeignPage(message: IncomingMessage): void {
  const origin = foreignPage(message);
  if (origin === undefined) return;
  const text = `Permission denied: a browser sends this for a page of ${origin}, which is no page of this server.`;
  throw new OperationalError(daemonErrors.foreignPage, text);
}

const restMilliseconds = 2_000;

// What nobody read of the body keeps the connection from its next request. It is read on for a while, so that a client
// that is still sending gets to see the answer; one that sends without end is cut off.
function discardRest(message: IncomingMessage): void {
  const late = setTimeout(() => message.socket.destroy(), restMilliseconds);
  message.once("close", () => clearTimeout(late)).resume();
}

function refuse(response: ServerResponse, error: unknown, id: string): void {
  // Half an answer must not be taken for a whole one.
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const [status, text] =
    error instanceof OperationalError
      ? [error.kind.status, error.message]
      : [
          500,
          `Internal error ${id}: the request could not be completed because of a fault in this server; its log has more under this id.`,
        ];
  response.writeHead(status, {
    "content-type": "text/plain; charset=utf-8",
    "content-length": Buffer.byteLength(text),
  });
  response.end(text);
}

function toRequest(message: IncomingMessage, response: ServerResponse, closing: AbortSignal): HttpRequest {
  const url = message.url ?? "/";
  const mark = url.indexOf("?");
  const length = message.headers["content-length"];
  const { remoteAddress = "unix", remotePort } = message.socket;
  let signal: AbortSignal | undefined;
  return {
    method: isList(message) ? "LIST" : (message.method ?? "GET"),
    path: mark < 0 ? url : url.slice(0, mark),
    query: new URLSearchParams(mark < 0 ? "" : url.slice(mark + 1)),
    header: (name) => {
      const value = message.headers[name];
      return Array.isArray(value) ? value.join(", ") : value;
    },
    body: () => message,
    ...(length === undefined ? {} : { contentLength: Number(length) }),
    remote: remotePort === undefined ? remoteAddress : `${remoteAddress}:${remotePort}`,
    get signal() {
      signal ??= endOf(response, closing);
      return signal;
    },
  };
}

function endOf(response: ServerResponse, closing: AbortSignal): AbortSignal {
  const gone = new AbortController();
  if (response.destroyed) gone.abort();
  response.once("close", () => gone.abort());
  return AbortSignal.any([gone.signal, closing]);
}

async function bind(server: Server, options: ListenerOptions): Promise<ListenAddress> {
  const { address, freePortIfTaken = false } = options;
  if (address.kind === "unix") {
    await removeDeadSocket(address.path);
    await tryListening(server, options, { path: address.path });
    await chmod(address.path, 0o600);
    return address;
  }
  const { host } = address;
  try {
    await tryListening(server, options, { host, port: address.port });
  } catch (error) {
    const taken = error instanceof OperationalError && error.code === daemonErrors.addressTaken.code;
    if (!taken || !freePortIfTaken) throw error;
    await tryListening(server, options, { host, port: 0 });
  }
  const bound = server.address();
  return { kind: "tcp", host, port: typeof bound === "object" && bound ? bound.port : address.port };
}

function tryListening(
  server: Server,
  options: ListenerOptions,
  where: { path: string } | { host: string; port: number },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException) => reject(explain(error, options));
    server.once("error", onError);
    server.listen({ ...where, exclusive: true }, () => {
      server.removeListener("error", onError);
      resolve();
    });
  });
}

function explain(
  error: NodeJS.ErrnoException,
  { address, portFlag = "-http-port" }: ListenerOptions,
): OperationalError {
  const where = formatAddress(address);
  if (error.code === "EADDRINUSE") {
    const text = `Cannot listen on ${where}: another process has it. Stop that process, or choose another port (${portFlag}; 0 takes any free one).`;
    return new OperationalError(daemonErrors.addressTaken, text, { cause: error });
  }
  const why: Readonly<Record<string, string>> = {
    EACCES: "this user may not. Use a port above 1023, or a folder this user may write to.",
    EADDRNOTAVAIL: "this machine has no such address. Check -client.",
    ENOTFOUND: "the host name is not known. Check -client.",
    ENOENT: "the folder of the socket does not exist. Create it first.",
  };
  const text = `Cannot listen on ${where}: ${why[error.code ?? ""] ?? error.message}`;
  return new OperationalError(daemonErrors.addressRefused, text, { cause: error });
}

// The socket of a process that was killed stays; one that answers belongs to a living one, and listening on it then fails.
async function removeDeadSocket(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (!found?.isSocket()) return;
  const alive = await new Promise<boolean>((resolve) => {
    const probe = connect(path);
    probe.once("connect", () => resolve(true)).once("error", () => resolve(false));
    probe.once("connect", () => probe.destroy());
  });
  if (!alive) await unlink(path);
}
