import { setImmediate } from "node:timers/promises";
import { isKind, messageOf } from "@millwright/core/errors";
import type { Clock, Log } from "@millwright/core/ports";
import {
  after,
  type Entry,
  type KeyRange,
  keyRange,
  prefixRange,
  type Store,
  storeErrors,
} from "@millwright/store/contract";
import { isAt } from "./comparisons.ts";
import { cleanGenerations } from "./generations.ts";
import type { Projection } from "./projection.ts";
import type { Derived } from "./row.ts";
import type { RecordState } from "./state.ts";
import { decodeTombstone } from "./tombstone.ts";

export interface SweepContext<R, D extends Derived<R> = Derived<R>> {
  readonly store: Store;
  readonly projection: Projection<RecordState<R, D>>;
  readonly clock: Clock;
  readonly log: Log;
}

/** How long a deletion is remembered by key or prefix. */
const tombstoneMilliseconds = 15 * 60 * 1000;

const sweepEvery = 60_000;
const stonesPerStep = 100;

/** Sweeps every minute until the signal aborts. Any server may: two at once get in each other's way and do no harm. */
export async function keepSweeping<R, D extends Derived<R>>(
  context: SweepContext<R, D>,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await context.clock.sleep(sweepEvery, signal).catch(() => undefined);
    if (signal.aborted) return;
    try {
      await cleanGenerations(context);
      await sweepTombstones(context);
    } catch (error) {
      if (isKind(error, storeErrors.closed)) return;
      const { name } = context.projection.state.layout;
      context.log.write("warn", `${name}: old tombstones could not be swept`, { error: messageOf(error) });
    }
  }
}

/**
 * Removes tombstones older than 15 minutes. Each step raises the low-water mark above what it removes in the same
 * commit, so that no list's index falls, here or after a rebuild.
 */
export async function sweepTombstones<R, D extends Derived<R>>({
  store,
  projection,
  clock,
}: SweepContext<R, D>): Promise<void> {
  const { layout, meta } = projection.state;
  const before = clock.now() - tombstoneMilliseconds;
  const old = await oldTombstones(store, prefixRange(layout.dead(meta.generation, "")), before);
  // In the order they were written: the mark then never passes one that stays and is younger.
  old.sort((a, b) => a.modified - b.modified);
  for (let i = 0; i < old.length; i += stonesPerStep) {
    if (!(await sweepStep(store, layout.low, old.slice(i, i + stonesPerStep)))) return;
    await setImmediate();
  }
}

async function oldTombstones(store: Store, dead: KeyRange, before: number): Promise<Entry[]> {
  const old: Entry[] = [];
  let range = dead;
  for (;;) {
    const page = await store.range(range, { limit: 500 });
    old.push(...page.entries.filter(({ value }) => decodeTombstone(value).at < before));
    const last = page.entries.at(-1);
    if (!page.more || !last) return old;
    await setImmediate();
    range = { ...range, from: after(last.key) };
  }
}

// False where another server sweeps at the same time: it will do.
async function sweepStep(store: Store, lowKey: string, stones: readonly Entry[]): Promise<boolean> {
  const current = (await store.range(keyRange(lowKey))).entries[0];
  const known = current ? Number(Buffer.from(current.value).toString()) : 0;
  const low = Math.max(known, ...stones.map(({ modified }) => modified));
  const result = await store.txn({
    when: [isAt(lowKey, current?.modified ?? 0), ...stones.map(({ key, modified }) => isAt(key, modified))],
    then: [
      { op: "put", key: lowKey, value: Buffer.from(String(low)) },
      ...stones.map(({ key }) => ({ op: "delete", key }) as const),
    ],
  });
  return result.succeeded;
}
