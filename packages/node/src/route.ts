import type { HttpReply, HttpRequest } from "@millwright/core/http";
import type { RoutePlace } from "@millwright/core/routes";
import type { Grants, Permission } from "./permissions.ts";

/** One row of the table of routes. */
export interface Route extends RoutePlace {
  readonly permission: RoutePermission;
  /** Whether `?hash` lets it wait for a change. */
  readonly blocking: boolean;
  handle(call: Call): Promise<HttpReply>;
}

export type RoutePermission =
  | { readonly kind: "everyone"; readonly why: string }
  /**
   * All that `of` gives is checked before the handler runs. What lies in the body, and which items of a list may be seen,
   * the handler asks the call; `what` says it all in words.
   */
  | { readonly kind: "needs"; readonly what: string; of(call: Call): readonly Permission[] };

/** One request on its way to its handler. */
export interface Call {
  readonly request: HttpRequest;
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** Indent the answer. */
  readonly pretty: boolean;
  readonly token: string;
  /** What the token may do. */
  readonly grants: Grants;
}
