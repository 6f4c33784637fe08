import type { HttpReply, HttpRequest } from "@millwright/core/http";
import type { RoutePlace } from "@millwright/core/routes";
import type { Core } from "../core/core.ts";
import type { WrapInfo } from "../core/outcome.ts";
import type { Caller, EngineReply, Operation } from "../engine.ts";
import type { RenewedLease } from "../lease/leases.ts";
import type { Acl } from "../policy/acl.ts";
import type { Fields } from "../request-fields.ts";
import type { TokenView } from "../token/tokens.ts";

/**
 * One row of the table of routes: what the server itself answers. Every other path under `/v1/` belongs to a mount. `PUT` is
 * `POST` here, `HEAD` is `GET`, and `GET` with `?list=true` is `LIST`.
 */
export type Route = OpenRoute | GuardedRoute;

/** Answered to everybody, also while the server is sealed; not audited. */
export interface OpenRoute extends RoutePlace {
  readonly permission: { readonly kind: "everyone"; readonly why: string };
  answer(call: OpenCall): Promise<HttpReply>;
}

/** Answered by an unsealed server to whoever may: authorized, audited and wrapped as a request to an engine is. */
export interface GuardedRoute extends RoutePlace {
  readonly permission: RoutePermission;
  /** Whether the fields of `data` are told beside it too, as these paths did before there was an envelope. */
  readonly onTop?: boolean;
  handle(call: GuardedCall): Promise<RouteReply>;
  /** What is left to do once the answer was audited. */
  after?(): Promise<void>;
}

export type RoutePermission =
  /** A policy must allow the operation on the path. */
  | { readonly kind: "policy" }
  /** And `sudo` there. */
  | { readonly kind: "sudo" }
  /** Any token that is valid. */
  | { readonly kind: "token"; readonly why: string };

export interface OpenCall {
  readonly request: HttpRequest;
  readonly fields: Fields;
}

export interface GuardedCall {
  readonly core: Core;
  readonly operation: Operation;
  /** Without `v1/`: `sys/mounts/secret`. */
  readonly path: string;
  readonly params: Readonly<Record<string, string>>;
  readonly data: Readonly<Record<string, unknown>>;
  readonly fields: Fields;
  readonly clientToken: string;
  readonly caller: Caller;
  readonly token: TokenView;
  readonly acl: Acl;
}

export type RouteReply =
  | EngineReply
  /** A lease that was renewed: told where a new one would be. */
  | { readonly kind: "renewed"; readonly lease: RenewedLease }
  /** An answer is in a token now. */
  | { readonly kind: "wrapped"; readonly info: WrapInfo }
  /** An answer that was made before, as it was sent then. */
  | { readonly kind: "stored"; readonly body: string };

export function isOpenRoute(route: Route): route is OpenRoute {
  return route.permission.kind === "everyone";
}
