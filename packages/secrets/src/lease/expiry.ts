import type { Clock } from "@millwright/core/ports";
import type { LeaseIndex } from "./lease-index.ts";
import type { Revoker } from "./revoker.ts";

/** How long at most it sleeps: a wall clock that was set forward is noticed after so long. */
const longestSleep = 2000;
/** How many may wait to be taken back before no more are handed over, and how many are handed over in one go. */
const mostBusy = 20_000;
const mostAtOnce = 1000;

/**
 * Hands each lease over to be taken back when its time has come, by the wall clock, until the signal aborts. One server does it
 * for all; if two ever do at once, each compares what it replaces, and taking back twice is as good as once.
 */
export async function watchDeadlines(
  { index, revoker, clock }: { readonly index: LeaseIndex; readonly revoker: Revoker; readonly clock: Clock },
  signal: AbortSignal,
): Promise<void> {
  let wake = new AbortController();
  index.onEarlier = () => wake.abort();
  // What another server has begun or left lying since this one looked.
  index.rewind();
  while (!signal.aborted) {
    wake = new AbortController();
    const now = clock.now();
    for (const id of index.takeDue(now, Math.min(mostAtOnce, Math.max(0, mostBusy - revoker.busy)))) revoker.expire(id);
    const next = Math.max(index.next ?? Number.POSITIVE_INFINITY, revoker.busy >= mostBusy ? now + 100 : 0);
    const pause = Math.min(Math.max(next - now, 0), longestSleep);
    await clock.sleep(pause, AbortSignal.any([signal, wake.signal])).catch(() => undefined);
  }
  index.onEarlier = () => undefined;
}
