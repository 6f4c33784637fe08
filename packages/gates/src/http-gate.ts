import { messageOf } from "@millwright/core/errors";
import { HttpConnections } from "@millwright/clients/http";
import { boundedAnswer } from "./bounded-answer.ts";
import type { Gate } from "./gate.ts";
import { shownAddress } from "./shown-address.ts";
import type { Finding } from "./steady.ts";
import { Steady, type Steadiness } from "./steady.ts";

export interface HttpProbe {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The statuses that are good, both ends included. */
  readonly statuses: readonly [number, number];
  /** What the body must have in it, where given. */
  readonly contains?: string;
  /** Milliseconds. */
  readonly timeout: number;
}

/** Goes on once an address answers as it should. */
export function httpGate(name: string, probe: HttpProbe, settings: Steadiness): Gate {
  const steady = new Steady(settings);
  const look = httpLook(probe);
  return { name, decide: async (view, signal) => steady.decide(await look(signal), view) };
}

/** Looks at an address once. Never rejects, but with the signal's reason. */
export function httpLook(probe: HttpProbe): (signal: AbortSignal) => Promise<Finding> {
  const url = new URL(probe.url);
  const shown = shownAddress(probe.url);
  const scheme = url.protocol === "https:" ? "https" : "http";
  const port = url.port === "" ? (scheme === "https" ? 443 : 80) : Number(url.port);
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const at = { host, port, portIsDefault: url.port === "" };
  const tls = scheme === "https" ? { tls: { verify: true } } : {};
  const server = new HttpConnections({ scheme, at, pathPrefix: "", ...tls });
  const { method, headers, timeout, statuses, contains } = probe;
  const path = url.pathname + url.search;
  return async (signal) => {
    try {
      const call = { method, path, headers, timeoutMilliseconds: timeout, signal };
      const { status, text } = await boundedAnswer(server, call);
      const [least, most] = statuses;
      if (status < least || status > most) return { good: false, what: `${shown} answered ${status}` };
      if (contains !== undefined && !text.includes(contains))
        return { good: false, what: `${shown} answered without ${JSON.stringify(contains)}` };
      return { good: true, what: `${shown} answered ${status}` };
    } catch (error) {
      signal.throwIfAborted();
      return { good: false, what: `${shown} did not answer: ${messageOf(error)}` };
    }
  };
}
