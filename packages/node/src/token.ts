import { bearerOf } from "@millwright/core/bearer";
import type { HttpRequest } from "@millwright/core/http";

/** The token of a request: `?token`, else `X-Consul-Token`, else `Authorization: Bearer`; empty where there is none. */
export function tokenOf(request: HttpRequest): string {
  return request.query.get("token") || request.header("x-consul-token") || bearerOf(request);
}
