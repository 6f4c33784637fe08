import { OperationalError } from "@millwright/core/errors";
import { HttpConnections } from "@millwright/clients/http";
import { clientErrors } from "@millwright/clients/errors";
import { boundedAnswer } from "./bounded-answer.ts";
import { shownAddress } from "./shown-address.ts";

export interface PrometheusQuery {
  /** Such as `http://127.0.0.1:9090`. */
  readonly address: string;
  /** An expression whose value is one number. */
  readonly query: string;
  /** Milliseconds. */
  readonly timeout: number;
}

/**
 * Asks a Prometheus server for one number (an instant query: a scalar, or a vector of one). Rejects with what was wrong.
 * Source: Prometheus's HTTP API, version 1.
 */
export function prometheusQuery({
  address,
  query,
  timeout,
}: PrometheusQuery): (signal: AbortSignal) => Promise<number> {
  const url = new URL(address);
  const scheme = url.protocol === "https:" ? "https" : "http";
  const at = { host: url.hostname, port: Number(url.port) || (scheme === "https" ? 443 : 80) };
  const tls = scheme === "https" ? { tls: { verify: true } } : {};
  const server = new HttpConnections({ scheme, at, pathPrefix: url.pathname.replace(/\/$/, ""), ...tls });
  const path = `/api/v1/query?${new URLSearchParams({ query })}`;
  return async (signal) => {
    const call = { method: "GET", path, headers: {}, timeoutMilliseconds: timeout, signal };
    const { status, text } = await boundedAnswer(server, call);
    const number = numberIn(text);
    if (typeof number === "number") return number;
    throw new OperationalError(
      clientErrors.badAnswer,
      `${shownAddress(address)} answered ${status} to ${query}: ${number}`,
    );
  };
}

interface QueryAnswer {
  readonly status?: string;
  readonly error?: string;
  readonly data?: { readonly resultType?: string; readonly result?: unknown };
}

function numberIn(text: string): number | string {
  let answer: QueryAnswer;
  try {
    answer = JSON.parse(text) as QueryAnswer;
  } catch {
    return "that is not JSON";
  }
  if (answer.status !== "success") return (answer.status === "error" && answer.error) || "no success";
  const { resultType, result } = answer.data ?? {};
  const samples =
    resultType === "vector" && Array.isArray(result) ? result.map((one: { value?: unknown }) => one.value) : [result];
  if (samples.length !== 1) return `${samples.length} values, where one is wanted`;
  const [sample] = samples;
  const value = Array.isArray(sample) ? Number(sample[1]) : Number.NaN;
  return Number.isNaN(value) ? "no number (was there anything to count?)" : value;
}
