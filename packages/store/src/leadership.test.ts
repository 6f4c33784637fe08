import { type Clock, silentLog, systemChance, systemClock } from "@millwright/core/ports";
import { afterEach, expect, test } from "vitest";
import { type Comparison, type Store, storeErrors } from "./contract.ts";
import { OperationalError } from "@millwright/core/errors";
import { keepLeading, type Term } from "./leadership.ts";
import { openMemoryStore } from "./memory.ts";

const stores: Store[] = [];

afterEach(async () => {
  for (const store of stores.splice(0)) await store.close();
});

// Ten times as fast as the system's: a pause of a second takes a tenth.
const fast: Clock = { ...systemClock, sleep: (milliseconds, signal) => systemClock.sleep(milliseconds / 10, signal) };

async function opened(): Promise<Store> {
  const store = await openMemoryStore();
  stores.push(store);
  return store;
}

interface Candidate {
  readonly terms: Term[];
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

function candidate(store: Store, work: (term: Term) => Promise<void> = untilOver): Candidate {
  const stop = new AbortController();
  const terms: Term[] = [];
  const options = { store, key: "leader", name: "one", clock: fast, chance: systemChance, log: silentLog };
  const ended = keepLeading({ ...options, signal: stop.signal }, (term) => {
    terms.push(term);
    return work(term);
  });
  return {
    terms,
    ended,
    stop: async () => {
      stop.abort();
      await ended;
    },
  };
}

const untilOver = ({ signal }: Term) =>
  new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));

async function writes(store: Store, fence: Comparison): Promise<boolean> {
  const step = { when: [fence], then: [{ op: "put", key: "work", value: Buffer.from("x") }] } as const;
  return (await store.txn(step)).succeeded;
}

test("of two candidates one leads, and the other follows at once when it stops", async () => {
  const store = await opened();
  const first = candidate(store);
  await expect.poll(() => first.terms.length).toBe(1);
  const second = candidate(store);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(second.terms).toEqual([]);
  await first.stop();
  await expect.poll(() => second.terms.length).toBe(1);
  await second.stop();
});

test("a leader that was replaced writes nothing", async () => {
  const store = await opened();
  const first = candidate(store);
  await expect.poll(() => first.terms.length).toBe(1);
  const { fence, signal } = first.terms[0]!;
  expect(await writes(store, fence)).toBe(true);
  // As when its lease ends while it is stopped in a debugger: the key goes, and another's comes.
  await store.txn({ then: [{ op: "delete", key: "leader" }] });
  await store.txn({ then: [{ op: "put", key: "leader", value: Buffer.from("other") }] });
  expect(await writes(store, fence)).toBe(false);
  expect(signal.aborted).toBe(false);
  await first.stop();
});

test("a leader whose lease was ended is told, and campaigns again", async () => {
  const store = await opened();
  const one = candidate(store);
  await expect.poll(() => one.terms.length).toBe(1);
  const { entries } = await store.range({ from: "leader", to: "leader\0" });
  await store.revokeLease(entries[0]!.lease!);
  await expect.poll(() => one.terms[0]!.signal.aborted, { timeout: 3000 }).toBe(true);
  await expect.poll(() => one.terms.length, { timeout: 3000 }).toBe(2);
  await one.stop();
});

test("work that fails for reasons outside gives the leadership back and is tried again", async () => {
  const store = await opened();
  let failures = 0;
  const one = candidate(store, async (term) => {
    failures += 1;
    if (failures < 3) throw new OperationalError(storeErrors.unavailable, "the disk is full");
    await untilOver(term);
  });
  await expect.poll(() => one.terms.length, { timeout: 5000 }).toBe(3);
  await one.stop();
});

test("a bug in the work is not swallowed", async () => {
  const store = await opened();
  const one = candidate(store, async () => {
    throw new TypeError("a bug");
  });
  await expect(one.ended).rejects.toThrow("a bug");
  expect((await store.range({ from: "leader", to: "leader\0" })).entries).toEqual([]);
});
