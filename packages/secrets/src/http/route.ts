import type { HttpReply, HttpRequest } from "@millwright/core/http";
import type { RoutePlace } from "@millwright/core/routes";
import type { Operation } from "../engine.ts";

/** One row of the table of routes: what the server itself answers. Every other path below `/v1/` belongs to a mount. */
export interface Route extends RoutePlace {
  readonly permission: RoutePermission;
  handle(call: Call): Promise<HttpReply>;
}

export type RoutePermission =
  /** Answered to everybody, also while sealed. */
  | { readonly kind: "everyone"; readonly why: string }
  /** A policy must allow the operation on the path; with `sudo` beside it where that is set. */
  | { readonly kind: "policy"; readonly operation: Operation; readonly sudo?: boolean };

/** One request on its way to its handler. */
export interface Call {
  readonly request: HttpRequest;
  readonly params: Readonly<Record<string, string>>;
  /** The body of a write, or the query of a read. */
  readonly data: Readonly<Record<string, unknown>>;
}
