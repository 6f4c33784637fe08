import { createHash } from "node:crypto";
import { OperationalError } from "@millwright/core/errors";
import {
  type Comparison,
  type KeyRange,
  keyRange,
  type LeaseId,
  limits,
  type Operation,
  prefixRange,
  type Transaction,
} from "@millwright/store/contract";
import { atMost, isAt, unchangedSince } from "./comparisons.ts";
import { recordsErrors } from "./errors.ts";
import type { Derived, Row, TableOf } from "./row.ts";
import { topicsIn } from "./rows.ts";
import { type Schema, tableNamesOf } from "./schema.ts";
import type { RecordState } from "./state.ts";
import { topicOf } from "./table.ts";
import { encodeTombstone } from "./tombstone.ts";

/** Stands for the revision that the commit will get. */
export const pendingRevision = -1;

/**
 * A commit in the making, over any tables: reads see the state and what was written here before, and what was read is
 * compared when it is committed, so that a commit is made only on what it was worked out on. What it takes out of lists
 * gets a tombstone. Pure: no store, no clock.
 */
export class Draft<R, D extends Derived<R> = Derived<R>> {
  readonly state: RecordState<R, D>;
  readonly #schema: Schema<R, D>;
  readonly #tables: readonly TableOf<R>[];
  readonly #changes: Changes<R>;
  readonly #reads = new Map<string, number>();
  readonly #ranges = new Map<string, KeyRange>();
  readonly #deletedPrefixes: { readonly table: TableOf<R>; readonly prefix: string }[] = [];
  readonly #comparisons: Comparison[] = [];
  readonly #leases = new Map<string, LeaseId>();

  constructor(state: RecordState<R, D>) {
    this.state = state;
    this.#schema = state.schema;
    this.#tables = tableNamesOf<R>(state.schema);
    this.#changes = Object.fromEntries(this.#tables.map((name) => [name, new Map()])) as unknown as Changes<R>;
  }

  /** A row as it is with what this draft has written; `modified` is {@link pendingRevision} where this draft wrote it. */
  row<N extends TableOf<R>>(table: N, key: string): Row<R, N> | undefined {
    const before = this.state.row(table, key);
    this.#reads.set(this.#storeKey(table, key), before?.modified ?? 0);
    const changes = this.#changes[table];
    return changes.has(key) ? changes.get(key) : before;
  }

  /**
   * The rows whose keys start with `prefix`, in no order; few, as the store compares the whole range. A row that others write
   * there meanwhile stops the commit; one that others delete does so only where it is read by itself.
   */
  rows<N extends TableOf<R>>(table: N, prefix: string): Row<R, N>[] {
    const storeKey = this.#storeKey(table, prefix);
    this.#ranges.set(storeKey, prefixRange(storeKey));
    const rows = new Map([...this.state.rows(table, prefix)].map((row) => [row.key, row]));
    for (const [key, row] of this.#changes[table]) {
      if (!key.startsWith(prefix)) continue;
      if (row) rows.set(key, row);
      else rows.delete(key);
    }
    return [...rows.values()];
  }

  /** Writes a record; nothing where it is there already with the same content. A leased one needs its lease. */
  put<N extends TableOf<R>>(table: N, key: string, record: R[N], lease?: LeaseId): void {
    const current = this.row(table, key);
    const { encode } = this.#schema.tables[table];
    if (current && !lease && Buffer.compare(encode(current), encode(record)) === 0) return;
    this.rewrite(table, key, record, lease);
  }

  /** As {@link put}, also where the content is the same: the record's index rises in any case. */
  rewrite<N extends TableOf<R>>(table: N, key: string, record: R[N], lease?: LeaseId): void {
    const created = this.row(table, key)?.created ?? pendingRevision;
    this.#changes[table].set(key, { ...record, key, created, modified: pendingRevision });
    if (lease) this.#leases.set(this.#storeKey(table, key), lease);
  }

  /** Deletes a record, if it is there. */
  delete(table: TableOf<R>, key: string): void {
    if (this.row(table, key)) this.#changes[table].set(key, undefined);
  }

  /** Deletes all records whose keys start with `prefix`, as one operation however many they are. */
  deleteAll(table: TableOf<R>, prefix: string): void {
    for (const { key } of this.rows(table, prefix)) this.#changes[table].set(key, undefined);
    this.#deletedPrefixes.push({ table, prefix });
  }

  /** Requires that nobody writes to the whole table meanwhile: for what rarely changes. */
  unchanged(table: TableOf<R>): void {
    const storeKey = this.#storeKey(table, "");
    this.#ranges.set(storeKey, prefixRange(storeKey));
  }

  /** Adds a comparison without which the commit must not be made. */
  require(comparison: Comparison): void {
    this.#comparisons.push(comparison);
  }

  /** Whether there is nothing to commit. */
  get isEmpty(): boolean {
    // Without encoding anything: most drafts that are asked are written right after.
    return this.#tables.every((table) =>
      [...this.#changes[table]].every(([key, row]) => row === undefined && this.state.row(table, key) === undefined),
    );
  }

  /**
   * The store's step. `revision` is that up to which the state holds everything, `now` milliseconds since 1970 for the
   * tombstone. Throws `tooLarge` where it is more than one commit takes.
   */
  step({ revision, now }: { readonly revision: number; readonly now: number }): Transaction {
    const when = [
      isAt(this.state.layout.meta, this.state.fence),
      ...this.comparisons(revision, limits.comparisons - 1),
    ];
    const then = this.operations(now);
    if (then.length > limits.operations) throw tooLarge();
    return { when, then };
  }

  /** What must still be so for {@link operations} to be carried out: `room` comparisons at most, beside that of the fence. */
  comparisons(revision: number, room: number): Comparison[] {
    const ranges = [...this.#ranges.values()];
    if (this.#comparisons.length + this.#reads.size + ranges.length <= room) {
      const exact = [...this.#reads].map(([storeKey, modified]) => isAt(storeKey, modified));
      return [...this.#comparisons, ...exact, ...ranges.map((range) => unchangedSince(range, revision))];
    }
    // Too much to compare key by key: nothing in these ranges was written since, and nothing at all was deleted.
    const dead = prefixRange(this.state.layout.dead(this.state.meta.generation, ""));
    const keys = [...this.#reads.keys()].map(keyRange);
    const few = atMost(room - this.#comparisons.length - 1, [...keys, ...ranges]);
    return [...this.#comparisons, ...[dead, ...few].map((range) => unchangedSince(range, revision))];
  }

  /** What it writes. */
  operations(now: number): Operation[] {
    return [...this.#writes(), ...this.#burial(now)];
  }

  #writes(): Operation[] {
    return this.#tables.flatMap((table) => this.#writesOf(table));
  }

  #writesOf<N extends TableOf<R>>(table: N): Operation[] {
    const changes = this.#changes[table];
    const puts = [...changes].flatMap(([key, row]) => (row ? [key] : []));
    const trees = this.#deletedPrefixes.flatMap(({ table: of, prefix }) =>
      // What is written again under a deleted prefix must not be deleted with it: there the keys go one by one.
      of === table && !puts.some((key) => key.startsWith(prefix)) ? [prefix] : [],
    );
    const gone = (prefix: string) => [...changes].some(([key, row]) => key.startsWith(prefix) && !row);
    const writes: Operation[] = trees.filter(gone).map((prefix) => {
      return { op: "deleteRange", range: prefixRange(this.#storeKey(table, prefix)) };
    });
    for (const [key, row] of changes) {
      if (!row && trees.some((prefix) => key.startsWith(prefix))) continue;
      const storeKey = this.#storeKey(table, key);
      const lease = this.#leases.get(storeKey);
      if (row)
        writes.push({
          op: "put",
          key: storeKey,
          value: this.#schema.tables[table].encode(row),
          ...(lease && { lease }),
        });
      else if (this.state.row(table, key)) writes.push({ op: "delete", key: storeKey });
    }
    return writes;
  }

  // What leaves a list raises the list's index: no record that is left there would say so.
  #burial(now: number): Operation[] {
    const topics = [...new Set(this.#tables.flatMap((table) => this.#leftTopics(table)))].sort();
    const { remembered } = this.#schema;
    const keys = remembered === undefined ? [] : this.#deletedKeys(remembered);
    if (topics.length + keys.length === 0) return [];
    // The same topics again take the place of their earlier tombstone, so that a check that flaps leaves one.
    const name = createHash("sha256")
      .update(JSON.stringify([keys, topics]))
      .digest("base64url")
      .slice(0, 22);
    const key = this.state.layout.dead(this.state.meta.generation, `l/${name}`);
    return [{ op: "put", key, value: encodeTombstone({ at: now, keys, prefixes: [], topics }) }];
  }

  #deletedKeys<N extends TableOf<R>>(table: N): string[] {
    return [...this.#changes[table]].flatMap(([key, row]) => (!row && this.state.row(table, key) ? [key] : []));
  }

  #leftTopics<N extends TableOf<R>>(table: N): string[] {
    const { tables, remembered } = this.#schema;
    const { leased, watched, lists } = tables[table];
    if (leased || !watched) return [];
    const left: string[] = [];
    for (const [key, row] of this.#changes[table]) {
      const before = this.state.row(table, key);
      if (!before) continue;
      const after = new Set(row ? topicsIn(table, lists(row)) : []);
      left.push(...topicsIn(table, lists(before)).filter((topic) => !after.has(topic)));
    }
    // What is remembered by key needs no topic for the whole table.
    return table === remembered ? left.filter((topic) => topic !== topicOf(table)) : left;
  }

  #storeKey(table: TableOf<R>, key: string): string {
    return this.state.layout.record(this.state.meta.generation, table, key);
  }
}

type Changes<R> = { readonly [N in TableOf<R>]: Map<string, Row<R, N> | undefined> };

function tooLarge(): OperationalError {
  const text = "The request changes more at once than one commit takes (128 records). Send it in parts.";
  return new OperationalError(recordsErrors.tooLarge, text);
}
