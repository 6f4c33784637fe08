import type { Clock, Log } from "@millwright/core/ports";
import type { Allocations, HeldAllocation } from "../allocation/allocations.ts";

const longestWait = 60_000;
const look = 1_000;

/**
 * Stops allocations whose group has `stop_after_client_disconnect` when no server has been heard for that time; others go on. It
 * counts from the agent's start where none was heard since.
 */
export async function stopWhenDisconnected(options: {
  readonly feed: { readonly lastHeard: number };
  readonly allocations: Allocations;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { feed, allocations, clock, log, signal } = options;
  for (;;) {
    await clock.sleep(look, signal).catch(() => undefined);
    if (signal.aborted) return;
    const silent = clock.monotonic() - feed.lastHeard;
    const held = heldOf(allocations);
    const due = new Set(held.filter((one) => mayRun(one) && silent >= patienceOf(one)));
    if (due.size === 0) continue;
    for (const { wanted } of due)
      log.write("warn", "client: no server is heard, the allocation is stopped", { allocation: wanted.ID });
    allocations.set(held.map((one) => (due.has(one) ? stopped(one) : one.wanted)));
  }
}

/** How long a read may wait for news: as long as servers like, but so that a group's time without servers is told from one without news. */
export function pollWait(allocations: Allocations): number {
  const patience = heldOf(allocations).filter(mayRun).map(patienceOf);
  return Math.max(1_000, Math.min(longestWait, ...patience.map((milliseconds) => milliseconds / 3)));
}

function heldOf(allocations: Allocations): readonly HeldAllocation[] {
  return allocations
    .ids()
    .map((id) => allocations.get(id))
    .filter((held) => held !== undefined);
}

function mayRun({ wanted, update }: HeldAllocation): boolean {
  return wanted.DesiredStatus === "run" && (update.ClientStatus === "pending" || update.ClientStatus === "running");
}

/** Milliseconds without a server; without end where the group does not say. */
function patienceOf({ group }: HeldAllocation): number {
  const nanoseconds = group.disconnect?.stopOnClientAfter ?? group.stopAfterClientDisconnect;
  return nanoseconds === null || nanoseconds === undefined ? Number.POSITIVE_INFINITY : nanoseconds / 1_000_000;
}

function stopped({ wanted }: HeldAllocation): HeldAllocation["wanted"] {
  return { ...wanted, DesiredStatus: "stop", DesiredDescription: "no server was heard (stop_after_client_disconnect)" };
}
