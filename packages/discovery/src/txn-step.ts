import { atMost, isAt, unchangedSince } from "@millwright/records/comparisons";
import { encodeTombstone } from "@millwright/records/tombstone";
import {
  after,
  type Comparison,
  type KeyRange,
  keyRange,
  limits,
  type Operation,
  prefixRange,
  type Transaction,
} from "@millwright/store/contract";
import { compareKeys, inRange } from "@millwright/store/keys";
import { encodeRecord } from "./kv-record.ts";
import { layout } from "./layout.ts";
import type { LockRecord } from "./session-records.ts";
import type { DiscoveryState, KvEntry } from "./state.ts";
import { tables } from "./tables.ts";
import type { TxnPlan } from "./txn.ts";

export interface StepContext {
  /** What the plan was made on. */
  readonly state: DiscoveryState;
  /** The revision up to which that state holds everything. */
  readonly revision: number;
  /** Milliseconds since 1970, for the tombstone. */
  readonly now: number;
  /** Names a tombstone for several keys. */
  readonly uuid: string;
}

/**
 * The store's step for a plan: it is carried out only if nothing that the plan read has changed since. Undefined where it
 * is larger than a step can be (128 lone deletions leave no room for their tombstone).
 */
export function transactionStep(plan: TxnPlan, context: StepContext): Transaction | undefined {
  const changes = changesOf(plan, context.state);
  const singles = changes.deletions.map(({ key }) => keyRange(kvKey(context, key)));
  const trees = treePieces(plan.deletedTrees, changes.puts, context);
  const tombstone = tombstoneOf(plan, changes.deletions, context);
  const locks = [...plan.locks].map(([key, lock]) => lockOperation(key, lock, context));
  const catalog = plan.draft.operations(context.now);
  const fixed = changes.puts.length + locks.length + trees.length + tombstone.length + catalog.length;
  const runs = fixed + singles.length > limits.operations ? neighbouringRuns(changes.deletions, context) : singles;
  if (fixed + runs.length > limits.operations) return undefined;
  return {
    // A run holds only the keys that were seen: a new one between them must stop the step.
    when: comparisonsOf(
      plan,
      runs.filter((range) => !singles.includes(range)),
      context,
    ),
    then: [
      ...changes.puts.map(
        (entry): Operation => ({ op: "put", key: kvKey(context, entry.key), value: encodeRecord(entry) }),
      ),
      ...locks,
      ...[...trees, ...runs].map((range): Operation => ({ op: "deleteRange", range })),
      ...tombstone,
      ...catalog,
    ],
  };
}

function lockOperation(key: string, lock: LockRecord | undefined, { state }: StepContext): Operation {
  const storeKey = layout.record(state.meta.generation, "lock", key);
  if (!lock) return { op: "delete", key: storeKey };
  return { op: "put", key: storeKey, value: tables.lock.encode(lock) };
}

/** Of the comparisons of a step, so many at most are about the catalog. */
const roomForCatalog = limits.comparisons / 2;

interface Changes {
  readonly puts: readonly KvEntry[];
  /** Keys that go and are in no deleted tree, in byte order. */
  readonly deletions: readonly KvEntry[];
}

function changesOf({ writes, deletedTrees }: TxnPlan, state: DiscoveryState): Changes {
  const puts: KvEntry[] = [];
  const deletions: KvEntry[] = [];
  for (const [key, entry] of writes) {
    if (entry) {
      puts.push(entry);
      continue;
    }
    const before = state.row("kv", key);
    if (before && !deletedTrees.some((prefix) => key.startsWith(prefix))) deletions.push(before);
  }
  return { puts, deletions: deletions.sort((a, b) => compareKeys(a.key, b.key)) };
}

function kvKey({ state }: StepContext, key: string): string {
  return layout.record(state.meta.generation, "kv", key);
}

// The deleted trees as ranges, without the keys that are written again within them.
function treePieces(prefixes: readonly string[], puts: readonly KvEntry[], context: StepContext): KeyRange[] {
  const outermost = [...new Set(prefixes)].filter((p) => !prefixes.some((q) => q !== p && p.startsWith(q)));
  const kept = puts.map(({ key }) => kvKey(context, key)).sort(compareKeys);
  return outermost.flatMap((prefix) => {
    const pieces: KeyRange[] = [];
    let rest = prefixRange(kvKey(context, prefix));
    for (const key of kept) {
      if (!inRange(key, rest)) continue;
      if (key !== rest.from) pieces.push({ ...rest, to: key });
      rest = { ...rest, from: after(key) };
    }
    return [...pieces, rest];
  });
}

// Deletions that stand side by side in the state become one range each.
function neighbouringRuns(deletions: readonly KvEntry[], context: StepContext): KeyRange[] {
  const runs: { from: string; to: string }[] = [];
  let previous: KvEntry | undefined;
  for (const entry of deletions) {
    const from = kvKey(context, entry.key);
    const run = runs.at(-1);
    if (run && context.state.neighbours("kv", entry.key).before === previous) run.to = after(from);
    else runs.push({ from, to: after(from) });
    previous = entry;
  }
  return runs;
}

function tombstoneOf({ deletedTrees }: TxnPlan, deletions: readonly KvEntry[], context: StepContext): Operation[] {
  const keys = deletions.map(({ key }) => key);
  const prefixes = [...new Set(deletedTrees)];
  if (keys.length + prefixes.length === 0) return [];
  // One that is about a single key or prefix takes the place of an earlier one.
  const single = keys.length + prefixes.length === 1;
  const name = single ? (keys.length === 1 ? `k/${keys[0]}` : `t/${prefixes[0]}`) : `x/${context.uuid}`;
  const { state, now } = context;
  return [
    { op: "put", key: layout.dead(state.meta.generation, name), value: encodeTombstone({ at: now, keys, prefixes }) },
  ];
}

function comparisonsOf(plan: TxnPlan, guarded: readonly KeyRange[], context: StepContext): Comparison[] {
  const { state, revision } = context;
  const { generation } = state.meta;
  const records = plan.readRecords.map(({ table, key, modified }) =>
    isAt(layout.record(generation, table, key), modified),
  );
  const fixed = [isAt(layout.meta, state.fence), ...records, ...plan.draft.comparisons(revision, roomForCatalog)];
  const room = limits.comparisons - fixed.length;
  const exact = plan.readTrees.size === 0 && guarded.length === 0 && plan.readKeys.size <= room;
  if (exact) {
    return [
      ...fixed,
      ...[...plan.readKeys].map((key) => isAt(kvKey(context, key), state.row("kv", key)?.modified ?? 0)),
    ];
  }
  // Too much to compare key by key: nothing in these ranges was written since, and nothing at all was deleted.
  const ranges = [
    ...[...plan.readKeys].map((key) => keyRange(kvKey(context, key))),
    ...[...plan.readTrees].map((prefix) => prefixRange(kvKey(context, prefix))),
    ...guarded,
  ];
  const dead = prefixRange(layout.dead(state.meta.generation, ""));
  return [...fixed, ...[dead, ...atMost(room - 1, ranges)].map((range) => unchangedSince(range, revision))];
}
