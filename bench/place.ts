// One placement after another by the scheduler, in memory: nodes with 4 allocations each, tasks of 100 MHz and 128 MiB.
// Each figure is the median of several rounds; `node bench/place.ts [ROUNDS]`, 7 by default.
import { canonical } from "@millwright/jobs/canonical";
import type { Job, JobDraft } from "@millwright/jobs/job";
import type { Allocation } from "@millwright/scheduler/allocation";
import { allocId, deploymentId, evalId, nodeId } from "@millwright/scheduler/ids";
import { placedOf } from "@millwright/scheduler/placement";
import { schedule } from "@millwright/scheduler/schedule";
import type { Node, Snapshot } from "@millwright/scheduler/snapshot";
import { jobKey, snapshotOf } from "@millwright/scheduler/snapshot";
import type { Sample } from "@millwright/scheduler/select";

const rounds = Number(process.argv[2] ?? 7);
const spreads = [{ attribute: "${meta.rack}" }];

const rows = [1_000, 5_000].flatMap((count) => {
  const base = clusterOf(count);
  return [
    row(base, "service", {}, "limited"),
    row(base, "batch", { type: "batch" }, "limited"),
    row(base, "service with a spread", { spreads }, "limited"),
    row(base, "service, all nodes compared", {}, "all"),
  ];
});
console.log(`medians of ${rounds} rounds`);
console.table(rows);

function row(base: Snapshot, name: string, rest: JobDraft, sample: Sample) {
  const one = median(() => measure(base, jobOf(1, rest), sample));
  const many = median(() => measure(base, jobOf(1_000, rest), sample));
  return {
    nodes: base.nodes.size,
    job: name,
    "one placement, ms": one.toFixed(2),
    "1,000 in one evaluation, ms": many.toFixed(0),
    "placements/s": Math.round(1_000_000 / many),
  };
}

/** The time of one answer in milliseconds. */
function measure(base: Snapshot, job: Job, sample: Sample): number {
  const record = { current: 0, versions: new Map([[0, job]]), isStopped: false };
  const snapshot: Snapshot = { ...base, jobs: new Map([[jobKey(job.namespace, job.id), record]]) };
  let ids = 0;
  const start = performance.now();
  const placement = schedule({ id: evalId("e"), namespace: job.namespace, job: job.id }, snapshot, {
    now: 0,
    seed: String(start),
    newAllocId: () => allocId(`a${ids++}`),
    newDeploymentId: () => deploymentId("d"),
    sample,
  });
  const time = performance.now() - start;
  const placed = Object.values(placement.groups).flatMap(placedOf).length;
  if (placed !== job.groups[0]!.count) throw new Error(`only ${placed} were placed`);
  return time;
}

function median(once: () => number): number {
  const times = Array.from({ length: rounds }, once).sort((a, b) => a - b);
  return times[Math.floor(rounds / 2)]!;
}

function jobOf(count: number, rest: JobDraft): Job {
  const resources = { cpu: 100, memory: 128, networks: [{ dynamicPorts: [{ label: "http" }] }] };
  const tasks = [{ name: "web", driver: "raw_exec", resources }];
  const constraints = [{ lTarget: "${attr.kernel.name}", operand: "=", rTarget: "linux" }];
  return canonical({ id: "bench", constraints, ...rest, groups: [{ name: "web", count, tasks }] });
}

function clusterOf(count: number): Snapshot {
  const nodes = Array.from({ length: count }, (_, i): Node => {
    const name = `node-${i}`;
    return {
      ...{ id: nodeId(name), name, datacenter: "dc1", nodeClass: `c${i % 5}`, pool: "default" },
      ...{ attributes: { "kernel.name": "linux" }, meta: { rack: `r${i % 50}` } },
      total: { cpu: 10_000, cores: 4, memory: 10_000, disk: 100_000, mbits: 0 },
      reserved: { cpu: 0, cores: 0, memory: 0, disk: 0, mbits: 0 },
      ...{ reservedPorts: [], dynamicPorts: { from: 20_000, to: 32_000 }, drivers: ["raw_exec"] },
      ...{ status: "ready", isEligible: true, drain: null },
    };
  });
  const allocations = nodes.flatMap(({ id }, i) => [0, 1, 2, 3].map((j) => otherOn(id, i * 4 + j)));
  return snapshotOf({ nodes, jobs: [], deployments: [], allocations });
}

/** An allocation of some other job. */
function otherOn(node: Node["id"], index: number): Allocation {
  const port = { task: "web", label: "http", value: 20_000 + (index % 12_000), to: 0, hostNetwork: "default" };
  return {
    ...{ id: allocId(`other-${index}`), namespace: "default", job: canonical({ id: "other" }).id, version: 0 },
    ...{ group: "web", index, node, desired: "run", client: "running", healthy: true, deployment: null },
    holding: {
      ...{ cpu: 500, cores: 0, memory: 500, memoryMax: 0, disk: 300, mbits: 0 },
      ports: [{ ...port, ignoreCollision: false }],
    },
    ...{
      shouldMigrate: false,
      created: 0,
      started: 0,
      finished: null,
      replaces: null,
      replacedBy: null,
      reschedules: [],
    },
  };
}
