import type { IndexBase } from "./kv-json.ts";
import type { Row } from "./tables.ts";

/** A session as Consul's API shows it. */
export function sessionJson(session: Row<"session">, base: IndexBase): object {
  return {
    ID: session.id,
    Name: session.name,
    Node: session.node,
    // Nanoseconds.
    LockDelay: session.lockDelay * 1_000_000,
    Behavior: session.behavior,
    TTL: session.ttl,
    NodeChecks: session.nodeChecks,
    ServiceChecks:
      session.serviceChecks.length === 0
        ? null
        : session.serviceChecks.map(({ id, namespace }) => ({ ID: id, Namespace: namespace })),
    CreateIndex: base.indexOf(session.created),
    ModifyIndex: base.indexOf(session.modified),
  };
}
