import { expect } from "vitest";
import type { Comparison, CompareOp, Entry, KeyRange, Operation, Store, WatchEvent } from "../../src/contract.ts";
import { prefixRange, storeErrors } from "../../src/contract.ts";
import { isKind } from "@millwright/core/errors";
import type { EngineUnderTest } from "./support.ts";
import { bytes, over, read, seeded } from "./support.ts";

const seeds = [1, 2, 3];
const stepsPerSeed = 150;
const alphabet = ["a", "a/b", "a/c", "b", "b\0", "\ufffd", "😀", "z"];

/** Random steps on the engine and on a model of plain maps that is too simple to be wrong in the same way. */
export function modelContract(engine: EngineUnderTest): void {
  for (const seed of seeds) {
    over(engine, `random steps, old reads and the watch agree with a model (seed ${seed})`, async ({ store, peer }) => {
      const random = seeded(seed);
      const model = new Model();
      const start = (await store.revision()) + 1;
      for (let i = 0; i < stepsPerSeed; i++) {
        const step = randomStep(random, model);
        const result = await (random() < 0.5 ? store : peer).txn(step).catch((error: unknown) => {
          if (isKind(error, storeErrors.duplicateKey)) return undefined;
          throw error;
        });
        if (!result) continue;
        expect({ i, step, result }).toEqual({ i, step, result: model.txn(step, result.revision) });
      }
      for (const [revision, state] of model.states) {
        const { entries } = await peer.range(prefixRange(""), { revision });
        expect(entries).toEqual(sorted(state));
      }
      await expectEvents(peer, start, model);
    });
  }
}

async function expectEvents(store: Store, start: number, model: Model): Promise<void> {
  const reader = read(store, [""], start);
  const seen = new Map<number, readonly WatchEvent[]>();
  while (seen.size < model.events.size) {
    const { revision, events } = await reader.changes();
    seen.set(revision, events);
  }
  reader.stop();
  expect([...seen]).toEqual([...model.events]);
}

class Model {
  state: ReadonlyMap<string, Entry> = new Map();
  readonly states = new Map<number, ReadonlyMap<string, Entry>>();
  readonly events = new Map<number, readonly WatchEvent[]>();

  /** What the engine must have answered, where it said `revision`. */
  txn(step: { when: Comparison[]; then: Operation[]; otherwise: Operation[] }, revision: number): unknown {
    const succeeded = step.when.every((comparison) => this.#holds(comparison));
    const next = new Map(this.state);
    const events: WatchEvent[] = [];
    const results = (succeeded ? step.then : step.otherwise).map((operation) => {
      if (operation.op === "get") {
        const entries = within(next, operation.range);
        const limit = operation.limit ?? Infinity;
        return { op: "get", entries: entries.slice(0, limit), more: entries.length > limit };
      }
      if (operation.op === "put") {
        const before = next.get(operation.key);
        const { key, value } = operation;
        const entry = {
          key,
          value,
          created: before?.created ?? revision,
          modified: revision,
          version: (before?.version ?? 0) + 1,
        };
        next.set(key, entry);
        events.push(before ? { type: "put", entry, previous: before } : { type: "put", entry });
        return { op: "put" };
      }
      const range = operation.op === "delete" ? { from: operation.key, to: `${operation.key}\0` } : operation.range;
      const gone = within(next, range);
      for (const previous of gone) {
        next.delete(previous.key);
        events.push({ type: "delete", key: previous.key, revision, previous });
      }
      return { op: operation.op, deleted: gone.length };
    });
    if (events.length > 0) {
      if (this.states.has(revision)) throw new Error(`revision ${revision} was given out twice`);
      this.state = next;
      this.states.set(revision, next);
      this.events.set(revision, events);
    }
    return { succeeded, revision, results };
  }

  #holds(comparison: Comparison): boolean {
    const entries = within(this.state, comparison.range);
    const one = comparison.range.to === `${comparison.range.from}\0`;
    if (comparison.is === "absent") return entries.length === 0;
    if (comparison.is === "present") return entries.length > 0;
    if (comparison.is === "value") {
      const equal = entries.every((entry) => Buffer.compare(entry.value, comparison.equals) === 0);
      return equal && !(one && entries.length === 0);
    }
    const numbers = entries.map((entry) => entry[comparison.is]);
    if (one && numbers.length === 0) numbers.push(0);
    const { op, revision } = comparison;
    return numbers.every((n) =>
      op === "=" ? n === revision : op === "!=" ? n !== revision : op === "<" ? n < revision : n > revision,
    );
  }
}

function randomStep(random: () => number, model: Model) {
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
  const range = (): KeyRange => {
    const from = pick(alphabet);
    if (random() < 0.5) return { from, to: `${from}\0` };
    return random() < 0.2 ? { from } : { from, to: pick(alphabet) };
  };
  const value = () => bytes(pick(["", "x", "y"]));
  const comparison = (): Comparison => {
    const is = pick(["absent", "present", "value", "created", "modified"] as const);
    if (is === "value") return { range: range(), is, equals: value() };
    if (is === "absent" || is === "present") return { range: range(), is };
    const revisions = [0, ...model.states.keys()];
    return { range: range(), is, op: pick<CompareOp>(["=", "!=", "<", ">"]), revision: pick(revisions.slice(-5)) };
  };
  const operation = (): Operation => {
    const kind = random();
    if (kind < 0.5) return { op: "put", key: pick(alphabet), value: value() };
    if (kind < 0.65) return { op: "delete", key: pick(alphabet) };
    if (kind < 0.75) return { op: "deleteRange", range: range() };
    return random() < 0.5 ? { op: "get", range: range() } : { op: "get", range: range(), limit: 1 };
  };
  const some = <T>(most: number, make: () => T) => Array.from({ length: Math.floor(random() * (most + 1)) }, make);
  return { when: some(3, comparison), then: some(3, operation), otherwise: some(2, operation) };
}

function within(state: ReadonlyMap<string, Entry>, range: KeyRange): Entry[] {
  const from = Buffer.from(range.from);
  const to = range.to === undefined ? undefined : Buffer.from(range.to);
  return sorted(state).filter(({ key }) => {
    const at = Buffer.from(key);
    return Buffer.compare(at, from) >= 0 && (to === undefined || Buffer.compare(at, to) < 0);
  });
}

function sorted(state: ReadonlyMap<string, Entry>): Entry[] {
  return [...state.values()].sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)));
}
