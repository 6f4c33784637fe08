import type { HttpReply, HttpRequest } from "./http.ts";

/** An answer in plain text. */
export function textReply(status: number, text: string, headers: Record<string, string> = {}): HttpReply {
  return { status, headers: { "content-type": "text/plain; charset=utf-8", ...headers }, body: text };
}

/** An answer without a body. */
export function emptyReply(status: number, headers: Record<string, string> = {}): HttpReply {
  return { status, headers };
}

/** The answer where a path is known with other `methods` only; who asks which ones (OPTIONS) is told that alone. */
export function wrongMethodReply({ method }: HttpRequest, methods: readonly string[], text: string): HttpReply {
  const allow = ["OPTIONS", ...methods].join(",");
  return method === "OPTIONS" ? emptyReply(200, { allow }) : textReply(405, text, { allow });
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
