import { assertNever } from "@millwright/core/errors";
import { Draft, pendingRevision } from "@millwright/records/draft";
import { sameRecord } from "./kv-write.ts";
import type { Grants } from "./permissions.ts";
import type { LockRecord } from "./session-records.ts";
import type { DiscoveryDraft, DiscoveryState, KvEntry } from "./state.ts";
import type { Row, TableName } from "./tables.ts";
import { type CatalogOperation, type CatalogResult, runCatalogOperation } from "./txn-catalog.ts";

/** One operation, as `/v1/txn` has them. */
export type TxnOperation = KvOperation | CatalogOperation;

/** One operation over keys; indexes are public ones. */
export type KvOperation =
  | { readonly verb: "set"; readonly key: string; readonly value: Uint8Array; readonly flags: bigint }
  | {
      readonly verb: "cas";
      readonly key: string;
      readonly value: Uint8Array;
      readonly flags: bigint;
      readonly index: number;
    }
  | {
      readonly verb: "get" | "get-or-empty" | "get-tree" | "check-not-exists" | "delete" | "delete-tree";
      readonly key: string;
    }
  | { readonly verb: "check-index" | "delete-cas"; readonly key: string; readonly index: number }
  | {
      readonly verb: "lock" | "unlock";
      readonly key: string;
      readonly value: Uint8Array;
      readonly flags: bigint;
      readonly session: string;
    }
  | { readonly verb: "check-session"; readonly key: string; readonly session: string };

export interface TxnError {
  /** Which operation, from 0. */
  readonly operation: number;
  readonly what: string;
}

/** What to show of an operation. The revision of what was written is only known when it is committed. */
export type TxnResult = KvResult | CatalogResult;

export interface KvResult {
  readonly on: "kv";
  readonly entry: KvEntry;
  readonly withValue: boolean;
  readonly lock: LockRecord | undefined;
}

/** What a transaction would do to a state, and what of the state that rests on. */
export interface TxnPlan {
  readonly errors: readonly TxnError[];
  readonly results: readonly TxnResult[];
  /** Keys whose last state is another than before, or undefined where they are gone. */
  readonly writes: ReadonlyMap<string, KvEntry | undefined>;
  /** What it does to the catalog. */
  readonly draft: DiscoveryDraft;
  /** Locks whose last state is another than before, or undefined where they are gone. */
  readonly locks: ReadonlyMap<string, LockRecord | undefined>;
  /** Prefixes that were deleted as a whole. */
  readonly deletedTrees: readonly string[];
  readonly readKeys: ReadonlySet<string>;
  readonly readTrees: ReadonlySet<string>;
  /** Records of other tables, as they were; `modified` is 0 for one that is not there. */
  readonly readRecords: readonly { readonly table: TableName; readonly key: string; readonly modified: number }[];
}

/** Keys that one commit deletes as a tree; the store wants such ranges small. */
const largestTree = 4_000;

/** Works a transaction out on the state as it is: pure, in memory, every operation seeing those before it. */
export function planTransaction(state: DiscoveryState, operations: readonly TxnOperation[], grants: Grants): TxnPlan {
  const planner = new Planner(state);
  const draft = new Draft(state);
  const errors: TxnError[] = [];
  const results: TxnResult[] = [];
  for (const [i, operation] of operations.entries()) {
    const outcome = "on" in operation ? runCatalogOperation(draft, grants, operation) : planner.run(operation);
    if (typeof outcome === "string") errors.push({ operation: i, what: outcome });
    else results.push(...outcome);
  }
  return { errors, results, draft, ...planner.done() };
}

class Planner {
  readonly #state: DiscoveryState;
  readonly #overlay = new Map<string, KvEntry | undefined>();
  readonly #locks = new Map<string, LockRecord | undefined>();
  readonly #readRecords = new Map<string, TxnPlan["readRecords"][number]>();
  readonly #deletedTrees: string[] = [];
  readonly #readKeys = new Set<string>();
  readonly #readTrees = new Set<string>();

  constructor(state: DiscoveryState) {
    this.#state = state;
  }

  /** The operation's results, or why it cannot be. */
  run(operation: KvOperation): readonly KvResult[] | string {
    const { key } = operation;
    const quoted = JSON.stringify(key);
    if (key === "" && operation.verb !== "get-tree" && operation.verb !== "delete-tree") return "Must provide key";
    switch (operation.verb) {
      case "set":
        return [this.#set(operation)];
      case "cas":
        if (!this.#casHolds(key, operation.index)) return `failed to set key ${quoted}, index is stale`;
        return [this.#set(operation)];
      case "get": {
        const entry = this.#get(key);
        return entry ? [this.#shown(entry, true)] : `key ${quoted} doesn't exist`;
      }
      case "get-or-empty":
        return [this.#shown(this.#get(key) ?? emptyEntry(key), true)];
      case "get-tree":
        return this.#under(key).map((entry) => this.#shown(entry, true));
      case "check-index":
        return this.#checkIndex(key, operation.index);
      case "check-not-exists":
        return this.#get(key) ? `key ${quoted} exists` : [];
      case "delete":
        this.#delete(key);
        return [];
      case "delete-cas": {
        const entry = this.#get(key);
        if (entry && this.#indexOf(entry) !== operation.index) return `failed to delete key ${quoted}, index is stale`;
        this.#delete(key);
        return [];
      }
      case "delete-tree":
        return this.#deleteTree(key);
      case "lock":
        return this.#lock(operation);
      case "unlock":
        return this.#unlock(operation);
      case "check-session":
        return this.#checkSession(key, operation.session);
      default:
        return assertNever(operation);
    }
  }

  done(): Omit<TxnPlan, "errors" | "results" | "draft"> {
    return {
      writes: new Map([...this.#overlay].filter(([key, entry]) => this.#state.row("kv", key) !== entry)),
      locks: new Map([...this.#locks].filter(([key, lock]) => this.#state.row("lock", key) !== lock)),
      deletedTrees: this.#deletedTrees,
      readKeys: this.#readKeys,
      readTrees: this.#readTrees,
      readRecords: [...this.#readRecords.values()],
    };
  }

  #shown(entry: KvEntry, withValue: boolean): KvResult {
    return { on: "kv", entry, withValue, lock: this.#lockOf(entry.key) };
  }

  // Needs no comparison of its own: a change of a lock writes its key too, which is compared.
  #lockOf(key: string): LockRecord | undefined {
    return this.#locks.has(key) ? this.#locks.get(key) : this.#state.row("lock", key);
  }

  #record<N extends TableName>(table: N, key: string): Row<N> | undefined {
    const row = this.#state.row(table, key);
    this.#readRecords.set(`${table}/${key}`, { table, key, modified: row?.modified ?? 0 });
    return row;
  }

  #lock(operation: LockOperation): readonly KvResult[] | string {
    const { key, session } = operation;
    const quoted = JSON.stringify(key);
    if (session === "") return "missing session";
    const known = this.#record("session", session);
    const isAlive = known && !known.ending && (known.lease === "" || this.#record("life", session));
    if (!isAlive) return `invalid session ${JSON.stringify(session)}`;
    this.#get(key);
    const lock = this.#lockOf(key);
    if (lock && lock.session !== "" && lock.session !== session)
      return `failed to lock key ${quoted}, lock is already held`;
    if (lock?.session === session) return [this.#set(operation)];
    if (this.#record("delay", key)) return `failed to lock key ${quoted} due to lock delay`;
    this.#locks.set(key, { session, lockIndex: (lock?.lockIndex ?? 0) + 1 });
    return [this.#rewrite(operation)];
  }

  #unlock(operation: LockOperation): readonly KvResult[] | string {
    const { key, session } = operation;
    this.#get(key);
    const lock = this.#lockOf(key);
    if (session === "") return "missing session";
    if (!lock || lock.session !== session) {
      return `failed to unlock key ${JSON.stringify(key)}, lock isn't held, or is held by another session`;
    }
    this.#locks.set(key, { ...lock, session: "" });
    return [this.#rewrite(operation)];
  }

  #checkSession(key: string, session: string): readonly KvResult[] | string {
    const entry = this.#get(key);
    const quoted = JSON.stringify(key);
    if (!entry) return `failed to check session, key ${quoted} doesn't exist`;
    const holder = this.#lockOf(key)?.session ?? "";
    if (holder === session) return [this.#shown(entry, false)];
    return `failed session check for key ${quoted}, current session ${JSON.stringify(holder)} != ${JSON.stringify(session)}`;
  }

  #get(key: string): KvEntry | undefined {
    this.#readKeys.add(key);
    return this.#overlay.has(key) ? this.#overlay.get(key) : this.#state.row("kv", key);
  }

  #under(prefix: string): KvEntry[] {
    this.#readTrees.add(prefix);
    const entries = new Map([...this.#state.rows("kv", prefix)].map((entry) => [entry.key, entry]));
    let added = false;
    for (const [key, entry] of this.#overlay) {
      if (!key.startsWith(prefix)) continue;
      added ||= !entries.has(key);
      if (entry) entries.set(key, entry);
      else entries.delete(key);
    }
    const list = [...entries.values()];
    return added ? list.sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key))) : list;
  }

  #set(write: { readonly key: string; readonly value: Uint8Array; readonly flags: bigint }): KvResult {
    const before = this.#get(write.key);
    return before && sameRecord(before, write) ? this.#shown(before, false) : this.#rewrite(write);
  }

  #rewrite({
    key,
    value,
    flags,
  }: {
    readonly key: string;
    readonly value: Uint8Array;
    readonly flags: bigint;
  }): KvResult {
    const created = this.#get(key)?.created ?? pendingRevision;
    const entry = { key, value, flags, created, modified: pendingRevision };
    this.#overlay.set(key, entry);
    return this.#shown(entry, false);
  }

  #delete(key: string): void {
    if (!this.#get(key)) return;
    this.#overlay.set(key, undefined);
    if (this.#lockOf(key)) this.#locks.set(key, undefined);
  }

  #deleteTree(prefix: string): readonly KvResult[] | string {
    const entries = this.#under(prefix);
    if (entries.length > largestTree) {
      const most = `a transaction deletes ${largestTree} at most; DELETE /v1/kv with recurse takes any number`;
      return `failed to delete tree ${JSON.stringify(prefix)}: it has ${entries.length} keys, and ${most}`;
    }
    for (const { key } of entries) this.#delete(key);
    if (entries.length > 0) this.#deletedTrees.push(prefix);
    return [];
  }

  #casHolds(key: string, index: number): boolean {
    const entry = this.#get(key);
    return entry ? index !== 0 && this.#indexOf(entry) === index : index === 0;
  }

  #checkIndex(key: string, index: number): readonly KvResult[] | string {
    const entry = this.#get(key);
    const quoted = JSON.stringify(key);
    if (!entry) return `failed to check index, key ${quoted} doesn't exist`;
    const current = this.#indexOf(entry);
    if (current === index) return [this.#shown(entry, false)];
    return `failed index check for key ${quoted}, current modify index ${current} != ${index}`;
  }

  // What this transaction has written itself is at no index yet: no number a client can know is equal to it.
  #indexOf(entry: KvEntry): number {
    return entry.modified === pendingRevision ? pendingRevision : this.#state.indexOf(entry.modified);
  }
}

type LockOperation = Extract<KvOperation, { readonly verb: "lock" | "unlock" }>;

function emptyEntry(key: string): KvEntry {
  return { key, value: new Uint8Array(), flags: 0n, created: 0, modified: 0 };
}
