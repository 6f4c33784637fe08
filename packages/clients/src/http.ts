import { Bug, isKind, OperationalError } from "@millwright/core/errors";
import type { Agent, ClientRequest, IncomingMessage, RequestOptions } from "node:http";
import { ConsulNames, dnsAddressOf, type Endpoint, isConsulName, type NamedHost } from "./consul-names.ts";
import { clientErrors } from "./errors.ts";

/** Where a server listens: a host and port, or a Unix socket. */
export interface HttpTarget {
  readonly scheme: "http" | "https";
  readonly at: HostTarget | { readonly socketPath: string };
  /** In front of every path, without a slash at its end; empty for most. */
  readonly pathPrefix: string;
  readonly tls?: TlsSettings;
}

export interface HostTarget {
  readonly host: string;
  readonly port: number;
  /** Where the address names no port, and this one is the scheme's own: a service's name may bring another. */
  readonly portIsDefault?: boolean;
}

/** Texts in PEM. */
export interface TlsSettings {
  readonly ca?: readonly string[];
  readonly cert?: string;
  readonly key?: string;
  readonly serverName?: string;
  /** False accepts any certificate. */
  readonly verify: boolean;
}

export interface HttpCall {
  readonly method: string;
  /** Path and query, percent-encoded. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | AsyncIterable<Uint8Array>;
  /** How long the server may be silent before its answer and within it. */
  readonly timeoutMilliseconds: number;
  /** Within the answer, in place of that; 0 is without end. */
  readonly silenceMilliseconds?: number;
  /** What `bytes` of the answer takes at most, where its server is not trusted to end; else as much as there is. */
  readonly mostBytes?: number;
  readonly signal?: AbortSignal;
}

export interface HttpAnswer {
  readonly status: number;
  header(name: string): string | undefined;
  /** All headers, by their names in lower case; of one that came several times the values with commas between. */
  readonly headers: Readonly<Record<string, string>>;
  /** The whole body. Rejects with `broken` where the connection ends early, with `badAnswer` where it is more than the call takes. */
  bytes(): Promise<Uint8Array>;
  /** The body piece by piece; ends with `broken` where the connection ends early. */
  stream(): AsyncIterable<Uint8Array>;
}

/**
 * Connections to one server, kept open between calls. A host that is the name of a service (`vault.service.consul`) is
 * looked up as {@link ConsulNames} does, and its instances are tried one after the other. Rejects with `unreachable` where nothing was sent, `broken` where
 * the answer did not come, `untrusted` where TLS refuses, and with the reason of the call's signal.
 */
export class HttpConnections {
  readonly target: HttpTarget;
  readonly #open: Promise<Opened>;
  readonly #names: ConsulNames;

  constructor(target: HttpTarget, names = new ConsulNames({ dnsAddress: dnsAddressOf(process.env) })) {
    this.target = target;
    this.#names = names;
    this.#open = open(target);
    // Nobody awaits it before the first call; that call reports the rejection.
    this.#open.catch(() => undefined);
  }

  /** The address as a user would write it. */
  get address(): string {
    const { at, scheme, pathPrefix } = this.target;
    if ("socketPath" in at) return `unix://${at.socketPath}`;
    return `${scheme}://${at.host.includes(":") ? `[${at.host}]` : at.host}:${at.port}${pathPrefix}`;
  }

  async send(call: HttpCall): Promise<HttpAnswer> {
    const { at, scheme } = this.target;
    if ("socketPath" in at || !isConsulName(at.host)) return this.#sendTo(at, call);
    const port = at.portIsDefault ? undefined : at.port;
    const named: NamedHost = { host: at.host, port, defaultPort: scheme === "https" ? 443 : 80 };
    const endpoints = await this.#names.resolve(named);
    for (const [i, endpoint] of endpoints.entries()) {
      try {
        return await this.#sendTo(endpoint, call);
      } catch (error) {
        if (!isKind(error, clientErrors.unreachable)) throw error;
        this.#names.forget(named);
        const isStream = call.body !== undefined && !(call.body instanceof Uint8Array);
        if (i === endpoints.length - 1 || isStream) throw error;
      }
    }
    throw new Bug("a name was resolved to no endpoint");
  }

  async #sendTo(place: Place, call: HttpCall): Promise<HttpAnswer> {
    const { agent, request } = await this.#open;
    call.signal?.throwIfAborted();
    return new Promise((resolve, reject) => {
      const { pathPrefix } = this.target;
      const sent = request({
        ...("socketPath" in place ? { socketPath: place.socketPath } : { host: place.host, port: place.port }),
        method: call.method,
        path: pathPrefix + call.path,
        headers: { ...this.#hostHeader(place), ...call.headers, ...lengthHeader(call.body) },
        agent,
        timeout: call.timeoutMilliseconds,
        ...(call.signal ? { signal: call.signal } : {}),
        ...this.#serverName(place),
      });
      const fail = (error: Error) =>
        reject(call.signal?.aborted ? call.signal.reason : this.#explain(error, sent, { call, place }));
      sent.on("timeout", () => sent.destroy(new Silence(call.timeoutMilliseconds)));
      sent.on("error", fail);
      sent.on("response", (message) => {
        if (call.silenceMilliseconds !== undefined) sent.setTimeout(call.silenceMilliseconds);
        resolve(this.#answer(message, sent, { call, place }));
      });
      writeBody(sent, call.body).catch((error: Error) => sent.destroy(error));
    });
  }

  // A server that was found by its name is still asked by that name.
  #hostHeader(place: Place): Record<string, string> {
    const { at } = this.target;
    return "host" in at && "host" in place && place.host !== at.host ? { host: `${at.host}:${place.port}` } : {};
  }

  #serverName(place: Place): { servername?: string } {
    const { at, tls } = this.target;
    if (tls?.serverName !== undefined) return { servername: tls.serverName };
    return tls && "host" in at && "host" in place && place.host !== at.host ? { servername: at.host } : {};
  }

  /** Ends all connections, also those with a call on them. */
  async close(): Promise<void> {
    const opened = await this.#open.catch(() => undefined);
    opened?.agent.destroy();
  }

  #answer(message: IncomingMessage, sent: ClientRequest, { call, place }: Sent): HttpAnswer {
    const explain = (error: Error) =>
      call.signal?.aborted ? call.signal.reason : this.#explain(error, sent, { call, place });
    async function* stream(): AsyncGenerator<Uint8Array> {
      try {
        for await (const chunk of message) yield chunk as Uint8Array;
      } catch (error) {
        throw explain(error as Error);
      }
    }
    return {
      status: message.statusCode ?? 0,
      header: (name) => headerText(message.headers[name]),
      get headers() {
        const entries = Object.entries(message.headers).map(([name, value]) => [name, headerText(value) ?? ""]);
        return Object.fromEntries(entries);
      },
      stream,
      bytes: async () => {
        const { mostBytes = Number.POSITIVE_INFINITY } = call;
        const chunks: Uint8Array[] = [];
        let length = 0;
        for await (const chunk of stream()) {
          length += chunk.length;
          if (length > mostBytes) {
            const text = `The answer of ${this.#addressOf(place)} has more than ${mostBytes} bytes.`;
            throw new OperationalError(clientErrors.badAnswer, text);
          }
          chunks.push(chunk);
        }
        return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
      },
    };
  }

  // The address as it was written, and for a name where it led to.
  #addressOf(place: Place): string {
    const { at } = this.target;
    if ("socketPath" in at || "socketPath" in place || place.host === at.host) return this.address;
    const host = place.host.includes(":") ? `[${place.host}]` : place.host;
    return `${at.host} (${host}:${place.port})`;
  }

  #explain(error: Error, sent: ClientRequest, { call, place }: Sent): OperationalError {
    const code = "code" in error ? String(error.code) : "";
    const address = this.#addressOf(place);
    const where = `${call.method} ${address}${call.path.split("?")[0]}`;
    const reason = reasons[code];
    if (reason)
      return new OperationalError(clientErrors.unreachable, `Cannot reach ${address}: ${reason}`, {
        cause: error,
      });
    if (isTlsCode(code)) {
      const advice =
        "Check the address's scheme, the CA certificate, and the server name the certificate was made for.";
      return new OperationalError(clientErrors.untrusted, `${address} is not trusted: ${error.message}. ${advice}`, {
        cause: error,
      });
    }
    if (error instanceof Silence && sent.socket?.connecting) {
      const text = `Cannot reach ${address}: no connection within ${call.timeoutMilliseconds / 1000} s. Check the address and any firewall between.`;
      return new OperationalError(clientErrors.unreachable, text, { cause: error });
    }
    const text = `${where}: ${error.message}. The connection ended before the answer was whole; check that server's log.`;
    return new OperationalError(clientErrors.broken, text, { cause: error });
  }
}

/** Where a call went: for a name one of the places it led to. */
type Place = Endpoint | { readonly socketPath: string };

interface Sent {
  readonly call: HttpCall;
  readonly place: Place;
}

function headerText(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === "object" ? value.join(", ") : value;
}

interface Opened {
  readonly agent: Agent;
  readonly request: (options: RequestOptions & { servername?: string }) => ClientRequest;
}

class Silence extends Error {
  override readonly name = "Silence";
  constructor(milliseconds: number) {
    super(`no answer within ${milliseconds / 1000} s`);
  }
}

// The module for TLS is loaded only where TLS is spoken: it costs a third of a small command's start. Neither is imported, since that
// would load Node's WebSocket too, which costs as much again.
async function open(target: HttpTarget): Promise<Opened> {
  const keep = { keepAlive: true, maxSockets: Number.POSITIVE_INFINITY, maxFreeSockets: 64 };
  if (target.scheme === "http") {
    const http = process.getBuiltinModule("node:http");
    return { agent: new http.Agent(keep), request: http.request };
  }
  const https = process.getBuiltinModule("node:https");
  const { ca, cert, key, verify = true } = target.tls ?? {};
  const agent = new https.Agent({
    ...keep,
    rejectUnauthorized: verify,
    ...(ca ? { ca: [...ca] } : {}),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  });
  return { agent, request: https.request };
}

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused. Check that a server runs there, and that the address and port are right.",
  ENOENT: "there is no such socket. Check the path, and that the server runs.",
  EACCES: "not allowed to open that socket. Check its file permissions.",
  ENOTFOUND: "the host name is not known. Check its spelling and this machine's DNS.",
  EAI_AGAIN: "the host name could not be looked up. Check this machine's DNS.",
  EHOSTUNREACH: "there is no route to that host. Check the address and the network.",
  ENETUNREACH: "there is no route to that network. Check the address and the network.",
  ETIMEDOUT: "the connection timed out. Check the address and any firewall between.",
};

function isTlsCode(code: string): boolean {
  return /^(ERR_TLS_|ERR_SSL_|CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|EPROTO$)/.test(code);
}

function lengthHeader(body: HttpCall["body"]): Record<string, string> {
  return body instanceof Uint8Array ? { "content-length": String(body.byteLength) } : {};
}

async function writeBody(sent: ClientRequest, body: HttpCall["body"]): Promise<void> {
  if (body instanceof Uint8Array || body === undefined) {
    sent.end(body);
    return;
  }
  for await (const piece of body) {
    if (sent.destroyed) return;
    if (!sent.write(piece)) await roomIn(sent);
  }
  sent.end();
}

// Resolves when more may be written, or nothing more will be.
function roomIn(sent: ClientRequest): Promise<void> {
  return new Promise((resolve) => {
    const settle = () => {
      sent.removeListener("drain", settle).removeListener("close", settle);
      resolve();
    };
    sent.once("drain", settle).once("close", settle);
  });
}
