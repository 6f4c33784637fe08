import type { HttpReply } from "./http.ts";

/** An answer in plain text. */
export function textReply(status: number, text: string, headers: Record<string, string> = {}): HttpReply {
  return { status, headers: { "content-type": "text/plain; charset=utf-8", ...headers }, body: text };
}

/** An answer without a body. */
export function emptyReply(status: number, headers: Record<string, string> = {}): HttpReply {
  return { status, headers };
}

/** A value as JSON; with four spaces of indentation where `pretty`. */
export function jsonReply(
  value: unknown,
  pretty: boolean,
  status = 200,
  headers: Record<string, string> = {},
): HttpReply {
  const body = pretty ? `${JSON.stringify(value, null, 4)}\n` : JSON.stringify(value);
  return { status, headers: { "content-type": "application/json", ...headers }, body };
}
