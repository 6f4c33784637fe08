// Writes, ranges and event loop delay of the store's engines, etcd (one member on this machine) beside them.
// Each figure is the median of several rounds; `node bench/store.ts [ROUNDS] [SECONDS]`, 5 and 2 by default.
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setImmediate } from "node:timers/promises";
import type { Store } from "@millwright/store/contract";
import { prefixRange } from "@millwright/store/contract";
import { openEtcdStore } from "@millwright/store/etcd";
import { startEtcd } from "@millwright/store/etcd-server";
import { openMemoryStore } from "@millwright/store/memory";
import { openSqliteStore } from "@millwright/store/sqlite";

const rounds = Number(process.argv[2] ?? 5);
const milliseconds = Number(process.argv[3] ?? 2) * 1000;
const value = Buffer.alloc(300, "v");
const keys = 10_000;

interface Round {
  readonly "puts/s, 1 caller": number;
  readonly "p99 ms, 1 caller": number;
  readonly "puts/s, 100 callers": number;
  readonly "p99 ms, 100 callers": number;
  readonly "loop p99.9 ms, 100 callers": number;
  readonly "range of 10,000, ms": number;
}

const folder = mkdtempSync(join(tmpdir(), "millwright-bench-"));
try {
  const rows = {
    memory: await measure(async () => openMemoryStore()),
    sqlite: await measure(async (round) => openSqliteStore({ path: join(folder, `${round}.db`) })),
    etcd: await measureEtcd(),
  };
  console.log(`300-byte values over ${keys} keys; medians of ${rounds} rounds of ${milliseconds / 1000} s`);
  console.log(`this disk, one 300-byte append and fdatasync after another: ${Math.round(syncsPerSecond())}/s`);
  console.table(rows);
} finally {
  rmSync(folder, { recursive: true });
}

async function measureEtcd(): Promise<Round> {
  const etcd = await startEtcd();
  try {
    return await measure((round) => openEtcdStore({ endpoints: [etcd.endpoint], prefix: `bench-${round}/` }));
  } finally {
    await etcd.stop();
  }
}

async function measure(open: (round: number) => Promise<Store>): Promise<Round> {
  const results: Round[] = [];
  for (let round = 0; round < rounds; round++) {
    const store = await open(round);
    results.push(await measureOnce(store));
    await store.close();
  }
  const medians = Object.keys(results[0]!).map((name) => [name, median(results.map((r) => r[name as keyof Round]))]);
  return Object.fromEntries(medians) as Round;
}

async function measureOnce(store: Store): Promise<Round> {
  const alone = await putFor(store, 1);
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const together = await putFor(store, 100);
  delay.disable();
  for (let at = 0; at < keys; at += 100)
    await store.txn({
      then: Array.from({ length: 100 }, (_, i) => ({ op: "put", key: `k/${at + i}`, value }) as const),
    });
  const ranges: number[] = [];
  for (let i = 0; i < 10; i++) {
    const started = performance.now();
    await store.range(prefixRange("k/"));
    ranges.push(performance.now() - started);
  }
  return {
    "puts/s, 1 caller": alone.perSecond,
    "p99 ms, 1 caller": alone.p99,
    "puts/s, 100 callers": together.perSecond,
    "p99 ms, 100 callers": together.p99,
    "loop p99.9 ms, 100 callers": rounded(delay.percentile(99.9) / 1e6),
    "range of 10,000, ms": rounded(median(ranges)),
  };
}

async function putFor(store: Store, callers: number): Promise<{ readonly perSecond: number; readonly p99: number }> {
  const times: number[] = [];
  const end = performance.now() + milliseconds;
  const call = async () => {
    for (let now = performance.now(); now < end; ) {
      await store.txn({ then: [{ op: "put", key: `k/${times.length % keys}`, value }] });
      const done = performance.now();
      times.push(done - now);
      // As requests come: each in a turn of its own.
      if (callers > 1) await setImmediate();
      now = callers > 1 ? performance.now() : done;
    }
  };
  await Promise.all(Array.from({ length: callers }, call));
  const p99 = times.toSorted((a, b) => a - b)[Math.floor(times.length * 0.99)] ?? 0;
  return { perSecond: Math.round((times.length * 1000) / milliseconds), p99: rounded(p99) };
}

function syncsPerSecond(): number {
  const file = openSync(join(folder, "raw"), "a");
  const counts = Array.from({ length: rounds }, () => {
    const end = performance.now() + 500;
    let count = 0;
    for (; performance.now() < end; count++) {
      writeSync(file, value);
      fdatasyncSync(file);
    }
    return count * 2;
  });
  closeSync(file);
  return median(counts);
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function rounded(number: number): number {
  return Math.round(number * 100) / 100;
}
