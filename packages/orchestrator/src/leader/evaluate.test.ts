import { jobId } from "@millwright/jobs/job";
import { commitDraft } from "@millwright/records/commit";
import { evalId, nodeId } from "@millwright/scheduler/ids";
import { afterEach, describe, expect, test } from "vitest";
import { type Cluster, type ClusterOptions, healthy, jobOf, live, openCluster, until } from "../../test/cluster.ts";
import { newEvaluation } from "../evaluation.ts";
import type { EvalRecord } from "../records.ts";
import { agenda } from "./broker.ts";

const open: Cluster[] = [];

afterEach(async () => {
  for (const cluster of open.splice(0)) await cluster.close();
});

async function start(nodes: number, options?: ClusterOptions): Promise<Cluster> {
  const cluster = await openCluster(options);
  open.push(cluster);
  for (let i = 1; i <= nodes; i++) await cluster.join(`n${i}`, { outcome: () => "hangs" });
  return cluster;
}

const evaluations = ({ context }: Cluster) => [...context.projection.state.rows("eval")];
const isQuiet = ({ context }: Cluster) => context.projection.state.list("eval", "open").size === 0;
const batch = (count: number, rest = {}) => jobOf({ count }, { type: "batch", ...rest });

describe("an evaluation", () => {
  test("places a job that is more than one commit takes, and ends with the last of it", async () => {
    const cluster = await start(6);
    const { evaluation } = await cluster.commands.registerJob(batch(200), {});
    await until(cluster, () => isQuiet(cluster) && live(cluster).length === 200);
    expect(evaluations(cluster)).toHaveLength(1);
    const placed = cluster.context.projection.state.derived.allocationsOfEvaluation(evaluation!);
    expect(placed).toHaveLength(200);
    expect(new Set(placed.map(({ alloc }) => alloc.created)).size).toBeGreaterThan(2);
  });

  test("stops a job that is more than one commit takes", async () => {
    const cluster = await start(6);
    await cluster.commands.registerJob(batch(200), {});
    await until(cluster, () => live(cluster).length === 200);
    await cluster.commands.deregisterJob("default", jobId("app"), { purge: false });
    await until(cluster, () => live(cluster).length === 0 && isQuiet(cluster));
  });

  test("refuses to place part of what is asked for all at once", async () => {
    const cluster = await start(6);
    const { evaluation } = await cluster.commands.registerJob(batch(100, { allAtOnce: true }), {});
    await until(cluster, () => isQuiet(cluster));
    expect(live(cluster)).toHaveLength(0);
    const record = cluster.context.projection.state.row("eval", evaluation!);
    expect(record).toMatchObject({ status: "failed" });
    expect(record?.description).toContain("100 allocations are more than one commit takes");
    await cluster.commands.registerJob(batch(40, { allAtOnce: true }), {});
    await until(cluster, () => live(cluster).length === 40);
  });

  test("stands for the older ones of its job, which are cancelled", async () => {
    const cluster = await start(1, { leaders: 0 });
    await cluster.commands.registerJob(batch(1), {});
    for (let i = 0; i < 45; i++) await cluster.commands.evaluateJob("default", jobId("app"));
    const other = await openCluster({ store: cluster.context.store });
    open.unshift(other);
    other.membership.set("n1", true);
    await until(cluster, () => isQuiet(cluster));
    const statuses = Map.groupBy(evaluations(cluster), ({ status }) => status);
    expect(statuses.get("canceled")).toHaveLength(45);
    expect(statuses.get("canceled")?.[0]?.description).toBe(
      "Evaluation cancelled because a newer evaluation of the job stands for it",
    );
  });

  test("is carried out once where several servers compete for the lead", async () => {
    const cluster = await start(3, { leaders: 3 });
    for (let i = 0; i < 10; i++) await cluster.commands.registerJob(batch(3, { id: `job-${i}` }), {});
    const all = () => Array.from({ length: 10 }, (_, i) => live(cluster, `job-${i}`).length);
    await until(cluster, () => isQuiet(cluster) && all().every((count) => count === 3));
    expect(all()).toEqual(Array(10).fill(3));
  });
});

test("the agenda goes by priority, then by age, each job once; what waits says when it is due", async () => {
  const cluster = await start(0, { leaders: 0 });
  const record = (id: string, rest: Partial<EvalRecord>) => {
    const job = { namespace: "default", id: jobId(id), type: "service", priority: 50 } as const;
    return newEvaluation(cluster.context, job, "job-register", { id: evalId(id), createdAt: 100, ...rest });
  };
  const records = [
    record("late", { createdAt: 200 }),
    record("early", { createdAt: 50 }),
    record("urgent", { priority: 80, createdAt: 300 }),
    record("again", { job: jobId("early"), createdAt: 70 }),
    record("later", { waitUntil: 1_500 }),
    record("soon", { waitUntil: 1_200 }),
    record("due", { waitUntil: 900, createdAt: 400 }),
    record("over", { status: "complete" }),
  ];
  const { revision } = await commitDraft(cluster.context, (draft) => {
    for (const one of records) draft.put("eval", one.id, one);
  });
  await cluster.context.projection.reached(revision);
  const { due, nextAt } = agenda(cluster.context.projection.state, 1_000);
  expect(due.map(({ job }) => job)).toEqual(["urgent", "early", "late", "due"]);
  expect(nextAt).toBe(1_200);
});

test("what a placement rests on has to be as it was: a node that is barred meanwhile gets nothing", async () => {
  const cluster = await start(2);
  // Many races: each is a registration against a change of the node that it would be placed on.
  for (let i = 0; i < 20; i++) {
    const id = jobId(`job-${i}`);
    await Promise.all([
      cluster.commands.registerJob(batch(4, { id }), {}),
      cluster.commands.setEligibility(nodeId("n1"), i % 2 === 0),
    ]);
  }
  await until(cluster, () => isQuiet(cluster));
  const { state } = cluster.context.projection;
  const barredSince = state.row("nodestate", "n1")!.modified;
  const after = state.derived.allocationsOnNode(nodeId("n1")).filter(({ created }) => created > barredSince);
  expect(after).toEqual([]);
  expect(healthy(cluster)).toBe(0);
});

test("an evaluation that somebody waits for is not folded into one that is blocked", async () => {
  const cluster = await start(1);
  const large = jobOf({ count: 3 }, { type: "batch" }, { resources: { cpu: 1_500, memory: 128 } });
  await cluster.commands.registerJob(large, {});
  await until(cluster, () => cluster.context.projection.state.list("eval", "blocked").size === 1);
  for (let i = 0; i < 5; i++) {
    const [{ evaluation }] = await Promise.all([
      cluster.commands.evaluateJob("default", jobId("app")),
      cluster.commands.setEligibility(nodeId("n1"), i % 2 === 0),
    ]);
    await until(cluster, () => isQuiet(cluster));
    expect(cluster.context.projection.state.row("eval", evaluation!)?.status).toBe("complete");
  }
});

test("a job whose records are too large fails by itself, and others do not wait behind it", async () => {
  const cluster = await start(3);
  const id = "x".repeat(30_000);
  const { evaluation } = await cluster.commands.registerJob(batch(60, { id, priority: 90 }), {});
  await cluster.commands.registerJob(batch(2), {});
  await until(cluster, () => isQuiet(cluster) && live(cluster).length === 2);
  expect(cluster.context.projection.state.row("eval", evaluation!)).toMatchObject({
    status: "failed",
    description: "the records of the job are larger than one commit takes: split it into several jobs",
  });
});
