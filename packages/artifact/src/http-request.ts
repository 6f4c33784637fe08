import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";

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
  const settings = { keepAlive: false, proxyEnv: { ...options.env } };
  const isPlain = url.protocol === "http:";
  const agent = isPlain
    ? new HttpAgent(settings)
    : new HttpsAgent({
        ...settings,
        rejectUnauthorized: options.insecure !== true,
        ...(options.authorities ? { ca: [...options.authorities] } : {}),
      });
  const send = isPlain ? httpRequest : httpsRequest;
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
