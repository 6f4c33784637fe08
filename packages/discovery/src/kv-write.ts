import { setImmediate } from "node:timers/promises";
import { invariant, OperationalError } from "@millwright/core/errors";
import type { Clock } from "@millwright/core/ports";
import { commitDraft } from "@millwright/records/commit";
import { isAt } from "@millwright/records/comparisons";
import { recordsErrors } from "@millwright/records/errors";
import { encodeTombstone } from "@millwright/records/tombstone";
import {
  after,
  type Entry,
  keyRange,
  type Operation,
  prefixRange,
  type Store,
  type TransactionResult,
} from "@millwright/store/contract";
import { acquireLock, type LockOutcome, type LockRequest, releaseLock } from "./kv-lock.ts";
import { encodeRecord, type KvRecord } from "./kv-record.ts";
import { layout } from "./layout.ts";
import type { DiscoveryDraft, DiscoveryProjection, KvEntry } from "./state.ts";

export interface KvWriterOptions {
  readonly store: Store;
  readonly projection: DiscoveryProjection;
  readonly clock: Clock;
}

const attempts = 100;
/** Keys that one step of a tree's deletion takes: few enough for any engine, and a small tree goes in one commit. */
const keysPerStep = 1_000;

/**
 * Writes of single keys and trees. Each is one commit of the store (a large tree's deletion: several), compared with the
 * generation that holds, so that none is lost in an old one when a restore switches in between.
 */
export class KvWriter {
  readonly #store: Store;
  readonly #projection: DiscoveryProjection;
  readonly #clock: Clock;

  constructor(options: KvWriterOptions) {
    this.#store = options.store;
    this.#projection = options.projection;
    this.#clock = options.clock;
  }

  /** Writes a key. Where it holds the same value and flags already nothing is written, and its index stays. */
  put(key: string, record: KvRecord): Promise<void> {
    return this.#retried(async () => {
      const { state } = this.#projection;
      const fence = isAt(layout.meta, state.fence);
      const storeKey = layout.record(state.meta.generation, "kv", key);
      const entry = state.row("kv", key);
      const same = entry !== undefined && sameRecord(entry, record);
      const result = await this.#store.txn({
        when: same ? [fence, isAt(storeKey, entry.modified)] : [fence],
        then: same ? [] : [{ op: "put", key: storeKey, value: encodeRecord(record) }],
      });
      return result.succeeded ? { done: undefined } : { behind: result.revision };
    });
  }

  /** Writes a key whose index is `cas` (0: that does not exist); resolves to whether it was so. */
  compareAndPut(key: string, record: KvRecord, cas: number): Promise<boolean> {
    return this.#retried(async () => {
      const { state } = this.#projection;
      const { fence } = state;
      const storeKey = layout.record(state.meta.generation, "kv", key);
      // An index at or below the base was never given out for a key.
      const revision = cas === 0 ? 0 : cas - state.meta.base;
      if (revision < 0 || (revision === 0 && cas !== 0)) return { done: false };
      const entry = state.row("kv", key);
      const same = entry?.modified === revision && sameRecord(entry, record);
      const result = await this.#store.txn({
        when: [isAt(layout.meta, fence), isAt(storeKey, revision)],
        then: same ? [] : [{ op: "put", key: storeKey, value: encodeRecord(record) }],
        otherwise: [readFence],
      });
      return decided(result, fence, false);
    });
  }

  /** Writes a key and takes it as a lock. */
  acquire(request: LockRequest): Promise<LockOutcome> {
    return this.#locked(request, acquireLock);
  }

  /** Writes a key and gives its lock back. */
  release(request: LockRequest): Promise<LockOutcome> {
    return this.#locked(request, releaseLock);
  }

  /** Deletes a key, whether it exists or not; a lock goes with its key. */
  async delete(key: string): Promise<void> {
    await this.#retried(async () => {
      const { fence, meta } = this.#projection.state;
      const storeKey = layout.record(meta.generation, "kv", key);
      const result = await this.#store.txn({
        when: [isAt(layout.meta, fence), { range: keyRange(storeKey), is: "present" }],
        then: this.#burial(meta.generation, key),
        otherwise: [readFence],
      });
      return decided(result, fence, true);
    });
  }

  /** Deletes a key whose index is `cas`; true where it was so, and where there is no such key. */
  compareAndDelete(key: string, cas: number): Promise<boolean> {
    return this.#retried(async () => {
      const { fence, meta } = this.#projection.state;
      const storeKey = layout.record(meta.generation, "kv", key);
      const revision = cas - meta.base;
      const result = await this.#store.txn({
        // No key is at revision -1: the step then only looks.
        when: [isAt(layout.meta, fence), isAt(storeKey, revision > 0 ? revision : -1)],
        then: this.#burial(meta.generation, key),
        otherwise: [readFence, { op: "get", range: keyRange(storeKey), limit: 1 }],
      });
      const seen = result.results[1];
      return decided(result, fence, seen?.op === "get" && seen.entries.length === 0);
    });
  }

  /**
   * Deletes all keys that start with `prefix` as they are when it begins; what others write there meanwhile stays. Up to
   * {@link keysPerStep} keys go in one commit, more in several, each of which leaves whole keys.
   */
  async deleteTree(prefix: string): Promise<void> {
    await this.#retried(async () => {
      const { fence, meta } = this.#projection.state;
      const tree = prefixRange(layout.record(meta.generation, "kv", prefix));
      let page = await this.#store.range(tree, { keysOnly: true, limit: keysPerStep });
      const { revision } = page;
      for (;;) {
        const last = page.entries.at(-1);
        if (!last) return { done: undefined };
        const behind = await this.#deletePage({
          prefix,
          entries: page.entries,
          revision,
          fence,
          generation: meta.generation,
        });
        if (behind !== undefined) return { behind };
        if (!page.more) return { done: undefined };
        // A store in memory answers without leaving this turn of the event loop; others' requests come in between.
        await setImmediate();
        page = await this.#store.range(
          { ...tree, from: after(last.key) },
          { keysOnly: true, limit: keysPerStep, revision },
        );
      }
    });
  }

  // Gives a revision to wait for where the generation has changed.
  async #deletePage({ prefix, entries, revision, fence, generation }: TreePage): Promise<number | undefined> {
    const range = { from: entries[0]!.key, to: after(entries.at(-1)!.key) };
    const locks = { from: lockKeyOf(entries[0]!.key), to: after(lockKeyOf(entries.at(-1)!.key)) };
    const tombstone = encodeTombstone({ at: this.#clock.now(), keys: [], prefixes: [prefix] });
    const result = await this.#store.txn({
      when: [isAt(layout.meta, fence), { range, is: "modified", op: "<", revision: revision + 1 }],
      then: [
        { op: "deleteRange", range },
        { op: "deleteRange", range: locks },
        { op: "put", key: layout.dead(generation, `t/${prefix}`), value: tombstone },
      ],
      otherwise: [readFence],
    });
    if (result.succeeded) return undefined;
    if (!fenceHeld(result, fence)) return result.revision;
    // Somebody wrote within this page since: the keys go one by one, each only as it was.
    for (const { key, modified } of entries) {
      const place = layout.placeOf(key);
      if (place.kind !== "record") continue;
      const single = await this.#store.txn({
        when: [isAt(layout.meta, fence), isAt(key, modified)],
        then: this.#burial(generation, place.name),
        otherwise: [readFence],
      });
      if (!single.succeeded && !fenceHeld(single, fence)) return single.revision;
    }
    return undefined;
  }

  #burial(generation: number, key: string): Operation[] {
    const tombstone = encodeTombstone({ at: this.#clock.now(), keys: [key], prefixes: [] });
    return [
      { op: "delete", key: layout.record(generation, "kv", key) },
      { op: "delete", key: layout.record(generation, "lock", key) },
      { op: "put", key: layout.dead(generation, `k/${key}`), value: tombstone },
    ];
  }

  async #locked(
    request: LockRequest,
    work: (draft: DiscoveryDraft, request: LockRequest) => LockOutcome,
  ): Promise<LockOutcome> {
    const context = { store: this.#store, projection: this.#projection, clock: this.#clock };
    return (await commitDraft(context, (draft) => work(draft, request))).value;
  }

  async #retried<T>(attempt: () => Promise<Attempt<T>>): Promise<T> {
    for (let tries = 0; tries < attempts; tries++) {
      const outcome = await attempt();
      if ("done" in outcome) return outcome.done;
      await this.#projection.reached(outcome.behind);
    }
    throw new OperationalError(recordsErrors.contended, "Other requests kept changing the same keys. Try again.");
  }
}

/** What came of one attempt: its result, or the revision to catch up with before the next one. */
type Attempt<T> = { readonly done: T } | { readonly behind: number };

interface TreePage {
  readonly prefix: string;
  readonly entries: readonly Entry[];
  /** At which the entries were read. */
  readonly revision: number;
  readonly fence: number;
  readonly generation: number;
}

// The lock of a key, both by their keys in the store.
function lockKeyOf(storeKey: string): string {
  const place = layout.placeOf(storeKey);
  invariant(place.kind === "record", `${storeKey} is no key of the key-value store`);
  return layout.record(place.generation, "lock", place.name);
}

// A step that failed has decided something only where the generation was the one it was made for.
function decided(result: TransactionResult, fence: number, whenRefused: boolean): Attempt<boolean> {
  if (result.succeeded) return { done: true };
  return fenceHeld(result, fence) ? { done: whenRefused } : { behind: result.revision };
}

function fenceHeld(result: TransactionResult, fence: number): boolean {
  const seen = result.results[0];
  return seen?.op === "get" && seen.entries[0]?.modified === fence;
}

const readFence: Operation = { op: "get", range: keyRange(layout.meta), limit: 1 };

export function sameRecord(entry: KvEntry, record: KvRecord): boolean {
  return entry.flags === record.flags && Buffer.compare(entry.value, record.value) === 0;
}
