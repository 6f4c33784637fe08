import { systemClock } from "@millwright/core/ports";
import { afterEach, describe, expect, test } from "vitest";
import { atOnce, type Cluster, healthy, jobOf, live, openCluster, rollout, until } from "../../test/cluster.ts";
import { dryRun } from "./dry-run.ts";

const open: Cluster[] = [];

afterEach(async () => {
  for (const cluster of open.splice(0)) await cluster.close();
});

async function start(nodes: number): Promise<Cluster> {
  const cluster = await openCluster();
  open.push(cluster);
  for (let i = 1; i <= nodes; i++) await cluster.join(`n${i}`);
  await until(cluster, () => readyIn(cluster) === nodes);
  return cluster;
}

const readyIn = ({ context }: Cluster) =>
  [...context.projection.state.derived.snapshot.nodes.values()].filter(({ status }) => status === "ready").length;

const ask = ({ context }: Cluster, job: ReturnType<typeof jobOf>) =>
  dryRun(context.projection.state, job, { diff: true, now: Date.now(), seed: "s", clock: systemClock });

const version = (v: number, count = 3) => jobOf({ count, update: atOnce }, {}, { env: { V: `${v}` } });

describe("a dry run", () => {
  test("of a new job says what would be placed, and writes nothing", async () => {
    const cluster = await start(1);
    const before = await cluster.context.store.revision();
    const run = await ask(cluster, version(0));
    expect(run).toMatchObject({ updates: { web: { Place: 3, Ignore: 0 } }, failed: {}, jobModifyIndex: 0 });
    expect(run.diff).toMatchObject({ Type: "Added", ID: "app", TaskGroups: [{ Name: "web", Updates: { create: 3 } }] });
    expect(await cluster.context.store.revision()).toBe(before);
    expect(live(cluster)).toHaveLength(0);
  });

  test("says which dimension is short on how many nodes", async () => {
    const cluster = await start(2);
    const run = await ask(cluster, jobOf({ count: 5 }, {}, { resources: { cpu: 1_900, memory: 128 } }));
    expect(run.failed.web).toMatchObject({ count: 1, metrics: { dimensionExhausted: { cpu: 2 }, nodesEvaluated: 2 } });
    expect(run.updates.web).toMatchObject({ Place: 5 });
  });

  test("of a job whose rollout failed says that it starts again, and what that places", async () => {
    const cluster = await openCluster();
    open.push(cluster);
    await cluster.join("n1", { outcome: () => "fails" });
    await cluster.commands.registerJob(version(0), {});
    await until(cluster, () => rollout(cluster)?.status === "failed");
    const run = await ask(cluster, version(0));
    expect(run.startsAgain).toBe("its last deployment failed");
    expect(run.updates.web).toMatchObject({ DestructiveUpdate: 1 });
  });

  test("of a new version counts the first batch as Nomad does, and says how many follow", async () => {
    const cluster = await start(2);
    await cluster.commands.registerJob(version(0), {});
    await until(cluster, () => rollout(cluster)?.status === "successful");
    const run = await ask(cluster, version(1));
    expect(run.updates.web).toMatchObject({ DestructiveUpdate: 1, Ignore: 2 });
    expect(run.waiting).toEqual({ web: 2 });
    expect(run.diff?.TaskGroups?.[0]?.Updates).toEqual({
      "create/destroy update": 1,
      "create/destroy update later": 2,
      ignore: 2,
    });
    const index = cluster.context.projection.state.derived.job("default", version(0).id)?.jobModified ?? 0;
    expect(run.jobModifyIndex).toBe(cluster.context.projection.state.indexOf(index));
    expect(healthy(cluster, 0)).toBe(3);
  });

  test("of a large job lets others have a turn, and says the same as if it did not", async () => {
    const cluster = await openCluster();
    open.push(cluster);
    await cluster.populate(200);
    // Of a clock that leaps, each step takes long.
    let now = 0;
    const leaping = { monotonic: () => (now += 10) };
    const standing = { monotonic: () => 0 };
    const { state } = cluster.context.projection;
    const run = (clock: typeof leaping) => dryRun(state, version(0, 300), { diff: false, now: 1, seed: "s", clock });
    let turns = 0;
    let isOver = false;
    const others = () => {
      turns++;
      if (!isOver) setImmediate(others);
    };
    setImmediate(others);
    const sliced = await run(leaping);
    isOver = true;
    expect(turns).toBeGreaterThan(100);
    expect(sliced).toEqual(await run(standing));
  });

  test("of a job as it is finds nothing to do", async () => {
    const cluster = await start(1);
    await cluster.commands.registerJob(version(0), {});
    await until(cluster, () => rollout(cluster)?.status === "successful");
    const run = await ask(cluster, version(0));
    expect(run.updates.web).toMatchObject({ Ignore: 3, Place: 0, DestructiveUpdate: 0, InPlaceUpdate: 0 });
    expect(run.diff?.Type).toBe("None");
  });

  test("of a job that is stopped says that it starts again", async () => {
    const cluster = await start(1);
    await cluster.commands.registerJob(version(0), {});
    await until(cluster, () => rollout(cluster)?.status === "successful");
    await cluster.commands.deregisterJob("default", version(0).id, { purge: false });
    await until(cluster, () => live(cluster).length === 0);
    const run = await ask(cluster, version(0));
    expect(run.updates.web).toMatchObject({ Place: 3 });
    expect(run.diff?.Type).toBe("Edited");
    expect(run.diff?.Fields).toContainEqual({
      ...{ Type: "Edited", Name: "Stop", Old: "true", New: "false", Annotations: null },
    });
  });
});
