import type { ErrorKind } from "@millwright/core/errors";
import { isKind } from "@millwright/core/errors";
import { expect, test } from "vitest";
import type {
  Comparison,
  Entry,
  LeaseId,
  Operation,
  Store,
  Watch,
  WatchEvent,
  WatchMessage,
} from "../../src/contract.ts";
import { keyRange } from "../../src/contract.ts";

/** One engine that the contract suite runs over. */
export interface EngineUnderTest {
  readonly name: string;
  /** Whether revisions are 1, 2, 3 …; else there may be gaps. */
  readonly dense: boolean;
  /** The shortest liveness lease, in seconds. */
  readonly shortestLease: number;
  open(): Promise<Bench>;
}

/** An empty store under test, through one or two `Store` objects over the same state: what one did, the other must see. */
export interface Bench {
  readonly store: Store;
  readonly peer: Store;
  close(): Promise<void>;
}

/** A test over a fresh bench. */
export function over(engine: EngineUnderTest, name: string, run: (bench: Bench) => Promise<void>): void {
  test(name, async () => {
    const bench = await engine.open();
    try {
      await run(bench);
    } finally {
      await bench.close();
    }
  });
}

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function text(value: Uint8Array): string {
  return new TextDecoder().decode(value);
}

export function put(key: string, value = "", lease?: LeaseId): Operation {
  return { op: "put", key, value: bytes(value), ...(lease === undefined ? {} : { lease }) };
}

/** Writes each key in a step of its own; gives the last revision. */
export async function putEach(store: Store, ...keys: readonly string[]): Promise<number> {
  let revision = 0;
  for (const key of keys) revision = (await store.txn({ then: [put(key, `value of ${key}`)] })).revision;
  return revision;
}

export async function get(store: Store, key: string, revision?: number): Promise<Entry | undefined> {
  const { entries } = await store.range(keyRange(key), revision === undefined ? {} : { revision });
  return entries[0];
}

export async function keysOf(store: Store, from = "", to?: string): Promise<string[]> {
  const { entries } = await store.range(to === undefined ? { from } : { from, to });
  return entries.map((entry) => entry.key);
}

/** Whether the comparisons hold now. */
export async function holds(store: Store, ...when: readonly Comparison[]): Promise<boolean> {
  return (await store.txn({ when, then: [] })).succeeded;
}

export async function expectKind(call: Promise<unknown>, kind: ErrorKind): Promise<void> {
  const error = await call.then(
    () => "no error",
    (thrown: unknown) => thrown,
  );
  expect(isKind(error, kind) ? kind.code : error).toBe(kind.code);
}

/** A change as the tests write it: `put k=v` or `delete k`. */
export function shown(event: WatchEvent): string {
  return event.type === "put" ? `put ${event.entry.key}=${text(event.entry.value)}` : `delete ${event.key}`;
}

export interface Reader {
  readonly watch: Watch;
  /** The next message that is not a progress. */
  changes(): Promise<Extract<WatchMessage, { type: "changes" }>>;
  next(): Promise<WatchMessage | undefined>;
  stop(): void;
}

export function read(store: Store, prefixes: readonly string[], from: number): Reader {
  const stopping = new AbortController();
  const watch = store.watch(prefixes, from, stopping.signal);
  const messages = watch[Symbol.asyncIterator]();
  const next = async () => {
    const result = await messages.next();
    return result.done ? undefined : result.value;
  };
  const changes = async () => {
    for (;;) {
      const message = await next();
      if (!message) throw new Error("the watch has ended");
      if (message.type === "changes") return message;
    }
  };
  return { watch, changes, next, stop: () => stopping.abort() };
}

/** A small seeded generator (mulberry32): uniform in [0, 1). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
