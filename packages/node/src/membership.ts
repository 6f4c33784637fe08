import { assertNever } from "@millwright/core/errors";

/** What this node is to the servers. */
export type Membership =
  /** It knows no server. */
  | { readonly kind: "unjoined" }
  /** It has asked, or is about to; `why` says what the last attempt came to. */
  | { readonly kind: "joining"; readonly why?: string }
  /**
   * Its liveness was renewed within its time. `renewedAt` and `ttl` are milliseconds of the monotonic clock; `why` says
   * why no server took the last renewal.
   */
  | { readonly kind: "alive"; readonly renewedAt: number; readonly ttl: number; readonly why?: string }
  /** No server has taken its renewal in time: in the catalog it is critical, or will be. */
  | { readonly kind: "lost"; readonly why: string }
  /** It has left by itself, and does not come back. */
  | { readonly kind: "left" };

export type MembershipEvent =
  | { readonly kind: "server-known" }
  | { readonly kind: "renewed"; readonly now: number; readonly ttl: number }
  | { readonly kind: "failed"; readonly now: number; readonly why: string }
  /** A server does not know the node's token. */
  | { readonly kind: "forgotten"; readonly why: string }
  | { readonly kind: "left" };

/** Whether the servers take what this node has to say. */
export function isOnline(state: Membership): boolean {
  return state.kind === "alive" && state.why === undefined;
}

export function stepMembership(state: Membership, event: MembershipEvent): Membership {
  if (state.kind === "left") return state;
  switch (event.kind) {
    case "server-known":
      return state.kind === "unjoined" ? { kind: "joining" } : state;
    case "renewed":
      return { kind: "alive", renewedAt: event.now, ttl: event.ttl };
    case "failed":
      if (state.kind === "alive")
        return event.now - state.renewedAt >= state.ttl
          ? { kind: "lost", why: event.why }
          : { ...state, why: event.why };
      return state.kind === "unjoined" ? state : { ...state, why: event.why };
    case "forgotten":
      return { kind: "joining", why: event.why };
    case "left":
      return { kind: "left" };
    default:
      return assertNever(event);
  }
}
