import type { Clock } from "@millwright/core/ports";
import type { Member } from "./member.ts";
import { isOnline } from "./membership.ts";
import { checksOfService, type NodeState } from "./node-state.ts";
import type { Registry } from "./registry.ts";

/** How long a client is kept waiting for the servers: they are told all the same, later. */
const mostMilliseconds = 1_000;

/**
 * Resolves when the servers have been told of a service with its checks, or of a check, that was registered or deregistered,
 * so that who did it finds it in the catalog at once. It waits for a moment only, and not at all while no server takes what
 * this node says.
 */
export async function published(
  { registry, member, clock }: { readonly registry: Registry; readonly member: Member; readonly clock: Clock },
  what: { readonly service: string } | { readonly check: string },
  signal: AbortSignal,
): Promise<void> {
  const isTold = (state: NodeState) =>
    "service" in what ? isServiceTold(state, what.service) : isCheckTold(state, what.check);
  if (!isOnline(member.state) || isTold(registry.state)) return;
  const told = new AbortController();
  const stop = registry.listen((state) => isTold(state) && told.abort());
  await clock.sleep(mostMilliseconds, AbortSignal.any([told.signal, signal])).catch(() => undefined);
  stop();
}

function isServiceTold(state: NodeState, id: string): boolean {
  if (state.removed.services.has(id) || state.services.get(id)?.sync.kind === "changed") return false;
  return checksOfService(state, id).every(({ sync }) => sync.kind !== "changed");
}

function isCheckTold(state: NodeState, id: string): boolean {
  return !state.removed.checks.has(id) && state.checks.get(id)?.sync.kind !== "changed";
}
