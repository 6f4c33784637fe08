import type { IncomingMessage } from "node:http";

export interface SendOptions {
  readonly headers: Readonly<Record<string, string>>;
  /** Where HTTP_PROXY, HTTPS_PROXY and NO_PROXY are. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** How long a server may send nothing. */
  readonly idleMilliseconds: number;
  readonly signal: AbortSignal;
  /** Accepts any certificate. */
  readonly insecure?: boolean;
  /** What is sent, with POST; GET where not given. */
  readonly body?: string;
  /** Authorities, as PEM, that are trusted in place of those that come with Node. */
  readonly authorities?: readonly string[];
}

/** Sends a request once, by way of a proxy where the environment says so; no redirect is followed. Rejects with what Node says. */
export function sendRequest(url: URL, options: SendOptions): Promise<IncomingMessage> {
  const { agent, send } = connectionOf(url, options);
  return new Promise((resolve, reject) => {
    const request = send(url, {
      agent,
      method: options.body === undefined ? "GET" : "POST",
      headers: { "user-agent": "millwright", accept: "*/*", "accept-encoding": "identity", ...options.headers },
      signal: options.signal,
      timeout: options.idleMilliseconds,
    });
    request.once("response", resolve);
    request.once("timeout", () =>
      request.destroy(new Error(`nothing came for ${Math.round(options.idleMilliseconds / 1000)} s`)),
    );
    // Also after the answer has begun; then whoever reads the answer is told.
    request.on("error", reject);
    request.end(options.body);
  });
}

// Node's modules are asked for when something is sent, and not by an import: that would load Node's WebSocket too, which takes as
// long as a tenth of a small plan.
function connectionOf(url: URL, { env, insecure, authorities }: SendOptions) {
  const settings = { keepAlive: false, proxyEnv: { ...env } };
  if (url.protocol === "http:") {
    const { Agent, request } = process.getBuiltinModule("node:http");
    return { agent: new Agent(settings), send: request };
  }
  const { Agent, request } = process.getBuiltinModule("node:https");
  const trust = { rejectUnauthorized: insecure !== true, ...(authorities ? { ca: [...authorities] } : {}) };
  return { agent: new Agent({ ...settings, ...trust }), send: request };
}

/** What an error of a connection means to people: a few words, and whether it is about a certificate. */
export function connectionFault(error: Error): { readonly why: string; readonly isTls: boolean } {
  const code = "code" in error ? String(error.code) : "";
  return {
    why: reasons[code] ?? (error.message || code),
    isTls: /CERT|TLS|SSL|SELF_SIGNED|ISSUER|SIGNATURE/.test(code),
  };
}

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection reset",
  ENOTFOUND: "the name is not known",
  EAI_AGAIN: "the name server does not answer",
  ETIMEDOUT: "timed out",
  EHOSTUNREACH: "no route to the host",
  ENETUNREACH: "no route to the network",
};
