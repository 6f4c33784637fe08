import type { HttpReply, HttpRequest } from "@millwright/core/http";
import type { RoutePlace } from "@millwright/core/routes";
import type { NodeIdentity } from "../membership.ts";
import type { Grants, Permission } from "./permissions.ts";

/** One row of the table of routes. */
export interface Route extends RoutePlace {
  readonly permission: RoutePermission;
  /** Whether `?index` lets it wait for a change. */
  readonly blocking: boolean;
  handle(call: Call): Promise<HttpReply>;
}

export type RoutePermission =
  | { readonly kind: "everyone"; readonly why: string }
  /** All that `of` gives is checked before the handler runs; `what` says it in words. What lies in the body the handler asks. */
  | { readonly kind: "needs"; readonly what: string; of(call: Call): readonly Permission[] }
  /** For nodes alone, with their own token: `Call.node` is there. Each may speak for itself only, which the handler checks. */
  | { readonly kind: "node"; readonly what: string };

/** One request on its way to its handler. */
export interface Call {
  readonly request: HttpRequest;
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly token: string;
  /** What the token may do; to be asked through `checkPermission`. */
  readonly grants: Grants;
  /** The node whose token it is, at routes for nodes; undefined elsewhere. */
  readonly node: NodeIdentity | undefined;
  /** The namespace that is asked for: `default` where none is named, `*` for all. */
  readonly namespace: string;
}
