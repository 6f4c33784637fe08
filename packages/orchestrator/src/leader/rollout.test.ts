import { jobId } from "@millwright/jobs/job";
import { allocId } from "@millwright/scheduler/ids";
import { afterEach, describe, expect, test } from "vitest";
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
import type { SimulatedNodeOptions } from "../../test/simulated-node.ts";

const open: Cluster[] = [];

afterEach(async () => {
  for (const cluster of open.splice(0)) await cluster.close();
});

async function start(
  nodes: number,
  node: Partial<SimulatedNodeOptions> = {},
  options: ClusterOptions = {},
): Promise<Cluster> {
  const cluster = await openCluster(options);
  open.push(cluster);
  for (let i = 1; i <= nodes; i++) await cluster.join(`n${i}`, node);
  return cluster;
}

/** The job's `V` says which version it is meant to be. */
const version = (v: number, update: object = {}, count = 3) =>
  jobOf({ count, update: { ...atOnce, ...update } }, {}, { env: { V: `${v}` } });

const isDone = (cluster: Cluster, v: number) => () =>
  rollout(cluster)?.version === v && rollout(cluster)?.status === "successful";

const jobRow = ({ context }: Cluster) => context.projection.state.derived.job("default", jobId("app"));

describe("a rollout", () => {
  test("places a job that is registered, and calls its version stable once all is healthy", async () => {
    const cluster = await start(2);
    await cluster.commands.registerJob(version(0), {});
    await until(cluster, isDone(cluster, 0));
    expect(healthy(cluster)).toBe(3);
    expect(jobRow(cluster)?.row.stable).toEqual([0]);
  });

  test("replaces one by one, each healthy before the next ends", async () => {
    let running = 0;
    let least = Number.POSITIVE_INFINITY;
    const cluster = await start(2, {
      onRun: (event) => {
        running += event === "start" ? 1 : -1;
        if (event === "end") least = Math.min(least, running);
      },
    });
    await cluster.commands.registerJob(version(0), {});
    await until(cluster, isDone(cluster, 0));
    await cluster.commands.registerJob(version(1), {});
    await until(cluster, isDone(cluster, 1));
    expect(healthy(cluster, 1)).toBe(3);
    expect(live(cluster)).toHaveLength(3);
    expect(least).toBe(2);
  });

  test("starts a replacement only when what it replaces has ended", async () => {
    const names = new Set<number>();
    const doubles: string[] = [];
    const cluster = await start(3, {
      onRun: (event, { allocation }) => {
        if (event === "end") names.delete(allocation.index);
        else if (names.has(allocation.index)) doubles.push(allocation.id);
        else names.add(allocation.index);
      },
    });
    await cluster.commands.registerJob(version(0), {});
    await until(cluster, isDone(cluster, 0));
    await cluster.commands.registerJob(version(1), {});
    await until(cluster, isDone(cluster, 1));
    expect(doubles).toEqual([]);
  });

  test("waits for stagger between two batches", async () => {
    const cluster = await start(2);
    await cluster.commands.registerJob(version(0), {});
    await until(cluster, isDone(cluster, 0));
    const begun = Date.now();
    await cluster.commands.registerJob(version(1, { stagger: 150_000_000 }, 3), {});
    await until(cluster, isDone(cluster, 1));
    expect(Date.now() - begun).toBeGreaterThanOrEqual(300);
    const follow = [...cluster.context.projection.state.rows("eval")].filter(
      ({ trigger }) => trigger === "rolling-update",
    );
    expect(follow.length).toBeGreaterThan(0);
  });

  test("lets what it changes in place prove itself anew", async () => {
    let starts = 0;
    const onRun = (event: string) => {
      if (event === "start") starts++;
    };
    const cluster = await start(2, { onRun });
    const job = jobOf({ count: 3, update: atOnce });
    await cluster.commands.registerJob(job, {});
    await until(cluster, isDone(cluster, 0));
    const first = live(cluster).map(({ allocation }) => allocation.id);
    await cluster.commands.registerJob({ ...job, priority: 60 }, {});
    await until(cluster, isDone(cluster, 1));
    expect(live(cluster).map(({ allocation }) => [allocation.id, allocation.version])).toEqual(
      first.map((id) => [id, 1]),
    );
    expect(starts).toBe(3);
    expect(rollout(cluster)?.groups.web?.healthy).toHaveLength(3);
  });

  test("stops at the first that is not healthy, and leaves the others as they were", async () => {
    const cluster = await start(2, { outcome: ({ allocation }) => (allocation.version === 1 ? "unhealthy" : "well") });
    await cluster.commands.registerJob(version(0), {});
    await until(cluster, isDone(cluster, 0));
    await cluster.commands.registerJob(version(1), {});
    await until(cluster, () => rollout(cluster)?.status === "failed");
    expect(rollout(cluster)?.description).toBe("Failed due to unhealthy allocations");
    expect(healthy(cluster, 0)).toBe(2);
    expect(live(cluster).filter(({ allocation }) => allocation.version === 1)).toHaveLength(1);
  });

  test("goes back to the last version that proved itself", async () => {
    const cluster = await start(2, { outcome: ({ allocation }) => (allocation.version === 1 ? "unhealthy" : "well") });
    await cluster.commands.registerJob(version(0, { autoRevert: true }), {});
    await until(cluster, isDone(cluster, 0));
    await cluster.commands.registerJob(version(1, { autoRevert: true }), {});
    await until(cluster, isDone(cluster, 2));
    expect(healthy(cluster)).toBe(3);
    expect(jobRow(cluster)?.current.version).toBe(2);
    expect(jobRow(cluster)?.current.job.groups[0]?.tasks[0]?.env).toEqual({ V: "0" });
    const failed = [...cluster.context.projection.state.rows("deployment")].find(
      ({ deployment }) => deployment.version === 1,
    );
    expect(failed?.deployment.description).toBe("Failed due to unhealthy allocations - rolling back to job version 0");
  });

  test("does not go back to what is the same", async () => {
    let ill = false;
    const cluster = await start(1, { outcome: () => (ill ? "unhealthy" : "well") });
    await cluster.commands.registerJob(version(0, { autoRevert: true }, 1), {});
    await until(cluster, isDone(cluster, 0));
    ill = true;
    await cluster.commands.registerJob(version(1, { autoRevert: true }, 1), {});
    await until(cluster, () => rollout(cluster)?.version === 2 && rollout(cluster)?.status === "failed");
    expect(rollout(cluster)?.description).toContain("not rolling back to stable job version 0");
    expect(jobRow(cluster)?.current.version).toBe(2);
  });

  test("fails when nothing comes up well until the progress deadline", async () => {
    const cluster = await start(1, { outcome: () => "hangs" });
    await cluster.commands.registerJob(version(0, { progressDeadline: 100_000_000, healthyDeadline: 50_000_000 }), {});
    await until(cluster, () => rollout(cluster)?.status === "failed");
    expect(rollout(cluster)?.description).toBe("Failed due to progress deadline");
  });

  test("waits for a person where there are canaries, and goes on when they are promoted", async () => {
    const cluster = await start(2);
    await cluster.commands.registerJob(version(0, { canary: 1 }), {});
    await until(cluster, isDone(cluster, 0));
    await cluster.commands.registerJob(version(1, { canary: 1 }), {});
    await until(cluster, () => healthy(cluster, 1) === 1);
    expect(healthy(cluster, 0)).toBe(3);
    expect(rollout(cluster)?.description).toBe("Deployment is running but requires manual promotion");
    await until(cluster, () => rollout(cluster)?.groups.web?.healthy.length === 1);
    await cluster.commands.deploymentEvent(rollout(cluster)!.id, { kind: "promote", groups: null });
    await until(cluster, isDone(cluster, 1));
    expect(live(cluster).map(({ allocation }) => allocation.version)).toEqual([1, 1, 1]);
  });

  test("stands still while it is paused", async () => {
    const cluster = await start(2, { outcome: () => "hangs" });
    await cluster.commands.registerJob(version(0), {});
    await until(cluster, () => rollout(cluster) !== undefined);
    await cluster.commands.deploymentEvent(rollout(cluster)!.id, { kind: "pause" });
    await expect(cluster.commands.deploymentEvent(rollout(cluster)!.id, { kind: "pause" })).rejects.toThrow(
      "The deployment is paused already.",
    );
    await cluster.commands.deploymentEvent(rollout(cluster)!.id, { kind: "fail" });
    expect((await settled(cluster)).status).toBe("failed");
  });

  test("keeps 19 healthy instances on the way from one job to another", async () => {
    const cluster = await start(3);
    const green = (count: number) => jobOf({ count }, { id: "green" });
    const blue = (count: number) => jobOf({ count }, { id: "blue" });
    const both = () =>
      [...live(cluster, "green"), ...live(cluster, "blue")].filter(({ allocation }) => allocation.healthy);
    await cluster.commands.registerJob(green(19), {});
    await cluster.commands.registerJob(blue(1), {});
    await until(cluster, () => both().length === 20);
    let least = 20;
    const watch = setInterval(() => {
      least = Math.min(least, both().length);
    }, 1);
    await cluster.commands.registerJob(blue(20), {});
    await until(cluster, () => both().length === 39);
    await cluster.commands.registerJob(green(0), {});
    await until(cluster, () => both().length === 20 && live(cluster, "green").length === 0);
    clearInterval(watch);
    expect(least).toBeGreaterThanOrEqual(19);
  });
});

describe("a failed allocation", () => {
  const reschedule = {
    attempts: 0,
    interval: 0,
    delay: 20_000_000,
    delayFunction: "constant",
    maxDelay: 0,
    unlimited: true,
  };

  test("is placed anew by its policy, after the delay", async () => {
    const cluster = await start(2);
    await cluster.commands.registerJob(jobOf({ count: 2, reschedule }), {});
    await until(cluster, () => healthy(cluster) === 2);
    const [first] = live(cluster);
    await cluster.nodes.get(first!.allocation.node)!.fail(first!.allocation.id);
    await until(cluster, () => healthy(cluster) === 2);
    const old = cluster.context.projection.state.derived.allocation(first!.allocation.id)!;
    expect(old.allocation).toMatchObject({ client: "failed", desired: "stop" });
    const next = cluster.context.projection.state.derived.allocation(old.allocation.replacedBy!)!;
    expect(next.allocation).toMatchObject({ replaces: first!.allocation.id, index: first!.allocation.index });
    expect(next.allocation.reschedules).toHaveLength(1);
  });

  test("waits for its time where the delay is long, as an evaluation says", async () => {
    const cluster = await start(1);
    await cluster.commands.registerJob(jobOf({ count: 1, reschedule: { ...reschedule, delay: 60_000_000_000 } }), {});
    await until(cluster, () => healthy(cluster) === 1);
    const { id, node } = live(cluster)[0]!.allocation;
    await cluster.nodes.get(node)!.fail(id);
    await until(cluster, () =>
      [...cluster.context.projection.state.rows("eval")].some(({ waitUntil }) => waitUntil !== null),
    );
    const later = [...cluster.context.projection.state.rows("eval")].filter(({ status }) => status === "pending");
    expect(later).toHaveLength(1);
    expect(later[0]).toMatchObject({ trigger: "alloc-failure", description: "created for delayed rescheduling" });
  });

  test("that had come up well fails no rollout: it is placed anew, also while the rollout goes on", async () => {
    const comesUp = new Set<string>();
    const cluster = await start(2, {
      outcome: ({ allocation }) =>
        allocation.version === 0 || comesUp.size < 1 || comesUp.has(allocation.id) ? "well" : "hangs",
      onRun: (event, { allocation }) => {
        if (event === "start" && allocation.version === 1 && comesUp.size < 1) comesUp.add(allocation.id);
      },
    });
    const job = (v: number) => jobOf({ count: 3, update: atOnce, reschedule }, {}, { env: { V: `${v}` } });
    await cluster.commands.registerJob(job(0), {});
    await until(cluster, isDone(cluster, 0));
    await cluster.commands.registerJob(job(1), {});
    await until(cluster, () => rollout(cluster)?.groups.web?.placed.length === 2 && healthy(cluster, 1) === 1);
    const [id] = [...comesUp];
    const old = live(cluster).find(({ allocation }) => allocation.id === id)!.allocation;
    await cluster.nodes.get(old.node)!.fail(old.id);
    const again = () => live(cluster).find(({ allocation }) => allocation.replaces === id)?.allocation;
    await until(cluster, () => again()?.client === "running");
    expect(rollout(cluster)).toMatchObject({ status: "running", description: "Deployment is running" });
    expect(again()).toMatchObject({ version: 1, deployment: { id: rollout(cluster)!.id } });
    expect(rollout(cluster)?.groups.web?.placed).not.toContain(id);
  });

  test("of a batch job that ended well is not run again", async () => {
    let starts = 0;
    const cluster = await start(1, {
      outcome: () => "completes",
      onRun: (event) => (starts += Number(event === "start")),
    });
    await cluster.commands.registerJob(jobOf({ count: 2 }, { type: "batch" }), {});
    await until(cluster, () => starts === 2);
    await cluster.commands.evaluateJob("default", jobId("app"));
    await until(cluster, () => cluster.context.projection.state.list("eval", "open").size === 0);
    expect(starts).toBe(2);
  });
});

describe("a job that is registered as it is", () => {
  const register = (cluster: Cluster, job: ReturnType<typeof jobOf>) => cluster.commands.registerJob(job, {});

  test("stays at its version where it runs well", async () => {
    const cluster = await start(2);
    await register(cluster, version(0));
    await until(cluster, isDone(cluster, 0));
    expect(await register(cluster, version(0))).toMatchObject({ startsAgain: null });
    await until(cluster, () => cluster.context.projection.state.list("eval", "open").size === 0);
    expect(jobRow(cluster)?.current.version).toBe(0);
  });

  test("starts again with a rollout of its own where the last failed", async () => {
    let isIll = true;
    const cluster = await start(2, { outcome: () => (isIll ? "unhealthy" : "well") });
    await register(cluster, version(0));
    await until(cluster, () => rollout(cluster)?.status === "failed");
    expect(jobRow(cluster)?.current.version).toBe(0);
    isIll = false;
    expect(await register(cluster, version(0))).toMatchObject({ startsAgain: "its last deployment failed" });
    await until(cluster, isDone(cluster, 1));
    await until(cluster, () => healthy(cluster) === 3);
  });

  test("starts again where allocations failed that are not placed anew any more, and leaves the others", async () => {
    const cluster = await start(2);
    const never = { attempts: 0, interval: 0, delay: 0, delayFunction: "constant", maxDelay: 0, unlimited: false };
    const job = jobOf({ count: 3, update: atOnce, reschedule: never });
    await register(cluster, job);
    await until(cluster, isDone(cluster, 0));
    const [failing, ...others] = live(cluster).map(({ allocation }) => allocation);
    await cluster.nodes.get(failing!.node)!.fail(failing!.id);
    await until(
      cluster,
      () => live(cluster).length === 2 && cluster.context.projection.state.list("eval", "open").size === 0,
    );
    await register(cluster, job);
    await until(cluster, isDone(cluster, 1));
    expect(live(cluster).map(({ allocation }) => allocation.id)).toEqual(
      expect.arrayContaining(others.map(({ id }) => id)),
    );
    expect(healthy(cluster)).toBe(3);
  });
});

test("an allocation that is stopped by hand is replaced", async () => {
  const cluster = await start(2);
  await cluster.commands.registerJob(jobOf({ count: 1 }), {});
  await until(cluster, () => healthy(cluster) === 1);
  const before = live(cluster)[0]!.allocation.id;
  await cluster.commands.stopAllocation(allocId(before));
  await until(cluster, () => healthy(cluster) === 1 && live(cluster)[0]!.allocation.id !== before);
  expect(live(cluster)).toHaveLength(1);
});

test("an allocation of a job of every node that is stopped by hand begins anew on its node", async () => {
  const cluster = await start(2);
  await cluster.commands.registerJob(jobOf({}, { type: "system" }), {});
  await until(cluster, () => healthy(cluster) === 2);
  const { id, node } = live(cluster)[0]!.allocation;
  await cluster.commands.stopAllocation(id);
  await until(cluster, () => healthy(cluster) === 2 && live(cluster).every(({ allocation }) => allocation.id !== id));
  expect(live(cluster).map(({ allocation }) => allocation.node)).toContain(node);
});

test("a job that is stopped ends, and one that is purged is forgotten", async () => {
  const cluster = await start(1);
  await cluster.commands.registerJob(jobOf({ count: 2 }), {});
  await until(cluster, () => healthy(cluster) === 2);
  await cluster.commands.deregisterJob("default", jobId("app"), { purge: true });
  await until(cluster, () =>
    [...cluster.context.projection.state.rows("client")].every(({ status }) => status === "complete"),
  );
  expect(jobRow(cluster)).toBeUndefined();
  await cluster.commands.collectGarbage();
  await until(cluster, () => cluster.context.projection.state.count("alloc") === 0);
  expect(cluster.context.projection.state.count("eval")).toBe(0);
});

describe("a job of the same name as one that was purged", () => {
  const purge = (cluster: Cluster) => cluster.commands.deregisterJob("default", jobId("app"), { purge: true });

  test("runs, whatever became of the rollout of the other", async () => {
    let isFirst = true;
    const cluster = await start(1, { outcome: () => (isFirst ? "unhealthy" : "well") });
    await cluster.commands.registerJob(version(0), {});
    await until(cluster, () => rollout(cluster)?.status === "failed");
    await purge(cluster);
    await until(cluster, () => live(cluster).length === 0);
    isFirst = false;
    await cluster.commands.registerJob(version(1), {});
    await until(cluster, () => healthy(cluster) === 3 && rollout(cluster)?.status === "successful");
  });

  test("runs, though the other's batch work was done", async () => {
    let starts = 0;
    const cluster = await start(1, {
      outcome: () => "completes",
      onRun: (event) => (starts += Number(event === "start")),
    });
    const job = jobOf({ count: 2 }, { type: "batch" });
    for (let round = 1; round <= 2; round++) {
      await cluster.commands.registerJob(job, {});
      await until(cluster, () => starts === 2 * round);
      await until(cluster, () => cluster.context.projection.state.list("eval", "open").size === 0);
      await purge(cluster);
      await until(cluster, () => cluster.context.projection.state.list("eval", "open").size === 0);
    }
  });

  test("replaces what still runs of the other, though nobody had the time to stop it", async () => {
    const cluster = await start(1);
    await cluster.commands.registerJob(version(0), {});
    await until(cluster, isDone(cluster, 0));
    const old = new Set(live(cluster).map(({ allocation }) => allocation.id));
    await Promise.all([purge(cluster), purge(cluster).then(() => cluster.commands.registerJob(version(1), {}))]);
    await until(
      cluster,
      () => healthy(cluster) === 3 && live(cluster).every(({ allocation }) => !old.has(allocation.id)),
    );
    const view = cluster.context.projection.state.derived.job("default", jobId("app"));
    for (const { allocation } of live(cluster)) expect(allocation.version).toBe(view?.current.version);
  });
});

async function settled(cluster: Cluster) {
  await cluster.context.projection.fresh();
  return rollout(cluster)!;
}
