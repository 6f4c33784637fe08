import { afterEach, describe, expect, test } from "vitest";
import { jobId } from "@millwright/jobs/job";
import {
  atOnce,
  type Cluster,
  type ClusterOptions,
  healthy,
  jobOf,
  live,
  openCluster,
  rollout,
  until,
} from "../../test/cluster.ts";

const open: Cluster[] = [];

async function start(nodes: number, options?: ClusterOptions): Promise<Cluster> {
  const cluster = await openCluster(options);
  open.push(cluster);
  for (let i = 1; i <= nodes; i++) await cluster.join(`n${i}`);
  return cluster;
}

afterEach(async () => {
  for (const cluster of open.splice(0)) await cluster.close();
});

const id = jobId("app");

describe("the leader", () => {
  test("places a job that is registered", async () => {
    const cluster = await start(2);
    await cluster.commands.registerJob(jobOf({ count: 3, update: atOnce }), {});
    await until(cluster, () => healthy(cluster) === 3);
    await until(cluster, () => rollout(cluster)?.status === "successful");
    expect(cluster.context.projection.state.derived.job("default", id)?.row.stable).toEqual([0]);
  });

  test("rolls a new version out one by one", async () => {
    const cluster = await start(2);
    await cluster.commands.registerJob(jobOf({ count: 3, update: atOnce }), {});
    await until(cluster, () => rollout(cluster)?.status === "successful");
    await cluster.commands.registerJob(jobOf({ count: 3, update: atOnce }, {}, { env: { V: "2" } }), {});
    await until(cluster, () => rollout(cluster)?.version === 1 && rollout(cluster)?.status === "successful");
    expect(healthy(cluster, 1)).toBe(3);
    expect(live(cluster)).toHaveLength(3);
  });
});
