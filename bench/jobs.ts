// Jobs from their registration on: placed by the leader, and running healthy on simulated nodes, over the store's engines. All in one
// process, without HTTP. Each figure is the median of several rounds; `node bench/jobs.ts [ROUNDS]`, 3 by default.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { type Cluster, jobOf, openCluster } from "@millwright/orchestrator/simulated-cluster";
import type { Store } from "@millwright/store/contract";
import { openMemoryStore } from "@millwright/store/memory";
import { openSqliteStore } from "@millwright/store/sqlite";

const rounds = Number(process.argv[2] ?? 3);
const submitters = 8;
/** Room for all that any row places. */
const large = { Resources: { CPU: 40_000, Cores: 16, MemoryMB: 80_000, DiskMB: 1_000_000, MBits: 0 } };

interface Load {
  readonly nodes: number;
  readonly jobs: number;
  readonly count: number;
  /** Whether nodes take up what is placed, and say that it runs well. */
  readonly runs: boolean;
}

interface Figures {
  readonly "allocations/s": number;
  readonly "jobs/s": number;
  readonly "CPU, µs an allocation": number;
  readonly "one job more, ms": number;
  readonly "event loop p99, ms": number;
}

const loads: readonly Load[] = [
  { nodes: 1_000, jobs: 100, count: 100, runs: false },
  { nodes: 1_000, jobs: 1_000, count: 10, runs: false },
  { nodes: 5_000, jobs: 100, count: 100, runs: false },
  { nodes: 100, jobs: 100, count: 10, runs: true },
];

const folder = mkdtempSync(join(tmpdir(), "millwright-bench-"));
const engines: Readonly<Record<string, (round: number) => Promise<Store>>> = {
  memory: async () => openMemoryStore(),
  sqlite: (round) => openSqliteStore({ path: join(folder, `${round}-${performance.now()}.db`) }),
};
try {
  const rows = [];
  for (const load of loads)
    for (const [store, open] of Object.entries(engines)) {
      const results: Figures[] = [];
      for (let round = 0; round < rounds; round++) results.push(await measure(load, await open(round)));
      const { nodes, jobs, count, runs } = load;
      rows.push({
        nodes,
        "jobs × allocations": `${jobs} × ${count}`,
        until: runs ? "healthy" : "placed",
        store,
        ...medians(results),
      });
    }
  console.log(`batch jobs, ${submitters} at a time; medians of ${rounds} rounds`);
  console.table(rows);
} finally {
  rmSync(folder, { recursive: true });
}

async function measure(load: Load, store: Store): Promise<Figures> {
  const cluster = await openCluster({ store });
  const { nodes, jobs, count, runs } = load;
  if (runs) for (let i = 0; i < nodes; i++) await cluster.join(`n${i}`, {}, large);
  else await cluster.populate(nodes, large);
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const cpu = process.cpuUsage();
  const start = performance.now();
  await register(cluster, jobs, count);
  await reached(cluster, jobs * count, runs);
  const seconds = (performance.now() - start) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  delay.disable();
  const more = performance.now();
  await cluster.commands.registerJob(jobOf({ count: 1 }, { id: "one-more", type: "batch" }), {});
  await reached(cluster, jobs * count + 1, runs);
  const latency = performance.now() - more;
  await cluster.close();
  await store.close();
  return {
    "allocations/s": (jobs * count) / seconds,
    "jobs/s": jobs / seconds,
    "CPU, µs an allocation": (user + system) / (jobs * count),
    "one job more, ms": latency,
    "event loop p99, ms": delay.percentile(99) / 1e6,
  };
}

async function register({ commands }: Cluster, jobs: number, count: number): Promise<void> {
  let next = 0;
  const submit = async () => {
    while (next < jobs) await commands.registerJob(jobOf({ count }, { id: `job-${next++}`, type: "batch" }), {});
  };
  await Promise.all(Array.from({ length: submitters }, submit));
}

/** Resolves when so many allocations are there, or are said to run. */
async function reached({ context: { projection } }: Cluster, count: number, runs: boolean): Promise<void> {
  const table = runs ? "client" : "alloc";
  while (projection.state.count(table) < count) {
    const stop = new AbortController();
    await projection.changed({ kind: "topics", topics: [table] }, stop.signal);
  }
}

function medians(results: readonly Figures[]): Figures {
  const names = Object.keys(results[0]!) as (keyof Figures)[];
  const median = (name: keyof Figures) => {
    const sorted = results.map((one) => one[name]).sort((a, b) => a - b);
    return Number(sorted[Math.floor(sorted.length / 2)]!.toPrecision(3));
  };
  return Object.fromEntries(names.map((name) => [name, median(name)])) as unknown as Figures;
}
