import { Semaphore } from "@millwright/core/concurrency";
import type { ConsulClient } from "@millwright/clients/consul";
import type { CallOptions } from "@millwright/clients/consul-api";
import type { KvEntry } from "@millwright/clients/consul-kv";
import type { KvOperation } from "@millwright/clients/consul-txn";
import { failure } from "@millwright/provider/problem";

/** A key to write. */
export interface Entry {
  readonly value: string;
  readonly flags: number;
}

/** A key as it was read. */
export interface ReadEntry extends Entry {
  readonly key: string;
}

/** The most operations that servers of all versions take in one transaction, and the most bytes that we put into one. */
const mostOperations = 64;
const mostBytes = 256 * 1024;
const readsAtOnce = 10;

export async function readKey(client: ConsulClient, key: string, options: CallOptions): Promise<ReadEntry | undefined> {
  const { value } = await client.kv.get(key, options);
  return value && readable(value);
}

/** Each key's entry, in the order of `keys`. */
export function readKeys(
  client: ConsulClient,
  keys: readonly string[],
  options: CallOptions,
): Promise<(ReadEntry | undefined)[]> {
  const gate = new Semaphore(readsAtOnce);
  return Promise.all(keys.map((key) => gate.run(() => readKey(client, key, options))));
}

export async function readPrefix(client: ConsulClient, prefix: string, options: CallOptions): Promise<ReadEntry[]> {
  const { value } = await client.kv.list(prefix, options);
  return value.map(readable);
}

/** What is to become of keys: first all writes, in the order of their names, then all deletes. */
export interface Changes {
  readonly write: ReadonlyMap<string, Entry>;
  readonly delete?: Iterable<string>;
  /** Refuses to write over a key that is there already. */
  readonly onlyNew?: boolean;
}

/**
 * Carries the changes out in transactions of as many as the server takes. One alone is a plain request. When a later one
 * fails, the earlier ones stay: the next plan shows what is missing.
 */
export async function changeKeys(client: ConsulClient, changes: Changes, options: CallOptions): Promise<void> {
  for (const operations of inTransactions(operationsOf(changes))) {
    const [only] = operations;
    if (operations.length === 1 && only?.verb === "set") {
      await client.kv.put(only.key, only.value, {
        ...options,
        ...(only.flags === undefined ? {} : { flags: only.flags }),
      });
    } else if (operations.length === 1 && only?.verb === "delete") {
      await client.kv.delete(only.key, options);
    } else {
      const outcome = await client.transaction(operations, options);
      if (!outcome.done) throw refused(operations, outcome.errors);
    }
  }
}

function* operationsOf({ write, delete: gone = [], onlyNew = false }: Changes): Iterable<KvOperation> {
  for (const [key, { value, flags }] of [...write].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const entry = { key, value, flags: BigInt(flags) };
    yield onlyNew ? { verb: "cas", index: 0, ...entry } : { verb: "set", ...entry };
  }
  for (const key of gone) yield { verb: "delete", key };
}

function* inTransactions(operations: Iterable<KvOperation>): Iterable<readonly KvOperation[]> {
  let batch: KvOperation[] = [];
  let bytes = 0;
  for (const operation of operations) {
    const size = operation.key.length + ("value" in operation ? Buffer.byteLength(operation.value) : 0);
    if (batch.length === mostOperations || (batch.length > 0 && bytes + size > mostBytes)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(operation);
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}

function refused(
  operations: readonly KvOperation[],
  errors: readonly { readonly operation: number; readonly what: string }[],
): Error {
  const [first] = errors;
  const key = operations[first?.operation ?? 0]?.key ?? "";
  return failure(
    `Cannot write key ${JSON.stringify(key)}`,
    `The server refused it: ${first?.what ?? "no reason given"}. Nothing of this transaction was written.`,
  );
}

/** Why an interrupted create cannot be settled: `what` was sensitive, and so it was not kept. */
export function notTold(type: string, what: string): Error {
  return failure(`Cannot look for ${type}`, `The configuration keeps secret ${what}.`);
}

/** Values are taken as text. Flags beyond what JavaScript holds exactly are rounded; nobody sets those by hand. */
function readable({ key, value, flags }: KvEntry): ReadEntry {
  return { key, value: Buffer.from(value).toString("utf8"), flags: Number(flags) };
}
