import type { HttpRequest } from "./http.ts";

/** The token of `Authorization: Bearer TOKEN`; empty where a request has none. Source: RFC 6750, section 2.1. */
export function bearerOf(request: HttpRequest): string {
  const [scheme, token] = (request.header("authorization") ?? "").trim().split(/\s+/);
  return scheme?.toLowerCase() === "bearer" ? (token ?? "") : "";
}
