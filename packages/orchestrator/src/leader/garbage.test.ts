import { jobId } from "@millwright/jobs/job";
import { afterEach, expect, test } from "vitest";
import { atOnce, type Cluster, healthy, jobOf, live, openCluster, rollout, until } from "../../test/cluster.ts";
import type { Outcome } from "../../test/simulated-node.ts";
import { collectGarbage } from "./garbage.ts";

const open: Cluster[] = [];

afterEach(async () => {
  for (const cluster of open.splice(0)) await cluster.close();
});

async function start(outcome: () => Outcome = () => "well"): Promise<Cluster> {
  const cluster = await openCluster();
  open.push(cluster);
  await cluster.join("n1", { outcome });
  return cluster;
}

const version = (v: number) => jobOf({ count: 2, update: { ...atOnce, maxParallel: 2 } }, {}, { env: { V: `${v}` } });
const count = (
  { context }: Cluster,
  table: "job" | "jobversion" | "alloc" | "client" | "eval" | "deployment" | "node",
) => context.projection.state.count(table);

test("a job that runs keeps what it needs: its allocations, their evaluation, its rollout and versions to go back to", async () => {
  const cluster = await start();
  for (let v = 0; v < 10; v++) {
    await cluster.commands.registerJob(version(v), {});
    await until(cluster, () => rollout(cluster)?.version === v && rollout(cluster)?.status === "successful");
  }
  await until(cluster, () => cluster.context.projection.state.list("eval", "open").size === 0);
  await cluster.commands.collectGarbage();
  await cluster.context.projection.fresh();
  expect(count(cluster, "alloc")).toBe(2);
  expect(count(cluster, "deployment")).toBe(1);
  const versions = [...(cluster.context.projection.state.derived.job("default", jobId("app"))?.versions ?? [])];
  expect(versions.map((one) => one.version)).toEqual([4, 5, 6, 7, 8, 9]);
  expect(healthy(cluster, 9)).toBe(2);
});

test("what is young stays, but where it is asked to go", async () => {
  const cluster = await start();
  await cluster.commands.registerJob(version(0), {});
  await until(cluster, () => healthy(cluster) === 2);
  await cluster.commands.deregisterJob("default", jobId("app"), { purge: false });
  await until(cluster, () =>
    [...cluster.context.projection.state.rows("client")].every(({ status }) => status === "complete"),
  );
  await until(cluster, () => cluster.context.projection.state.list("eval", "open").size === 0);
  await collectGarbage(cluster.context, "old");
  await cluster.context.projection.fresh();
  expect(count(cluster, "job")).toBe(1);
  await collectGarbage(cluster.context, "all");
  await cluster.context.projection.fresh();
  for (const table of ["job", "jobversion", "alloc", "client", "eval", "deployment"] as const)
    expect(count(cluster, table), table).toBe(0);
});

test("batch work that is done is forgotten as a whole, and not run again before", async () => {
  let starts = 0;
  const cluster = await start(() => {
    starts++;
    return "completes";
  });
  await cluster.commands.registerJob(jobOf({ count: 3 }, { type: "batch" }), {});
  await until(cluster, () => starts === 3 && live(cluster).length === 0);
  await until(cluster, () => cluster.context.projection.state.list("eval", "open").size === 0);
  await cluster.commands.collectGarbage();
  await cluster.context.projection.fresh();
  expect([count(cluster, "job"), count(cluster, "alloc"), starts]).toEqual([0, 0, 3]);
});

test("a node that is down with nothing on it is forgotten", async () => {
  const cluster = await start();
  await until(cluster, () => cluster.context.projection.state.row("nodestate", "n1")?.status === "ready");
  await cluster.commands.collectGarbage();
  await cluster.context.projection.fresh();
  expect(count(cluster, "node")).toBe(1);
  cluster.membership.set("n1", false);
  await until(cluster, () => cluster.context.projection.state.row("nodestate", "n1")?.status === "down");
  await cluster.commands.collectGarbage();
  await cluster.context.projection.fresh();
  expect(count(cluster, "node")).toBe(0);
});
