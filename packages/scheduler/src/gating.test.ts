import fc from "fast-check";
import type { JobId } from "@millwright/jobs/job";
import { describe, expect, test } from "vitest";
import { atOnce, buckets, Cluster, jobOf, nodesOf } from "../test/cluster.ts";
import type { Deployment } from "./deployment.ts";
import { nextDeadline } from "./deployment-step.ts";
import { questionOf } from "./gating.ts";
import { jobKey } from "./snapshot.ts";
import { whyStuck } from "./stuck.ts";

const v = (version: string) => ({ env: { V: version } });
const gates = { gates: [{ name: "c", kind: "conditions" }] };

/** Four of version 0 that are healthy; further versions have gates. */
function four(update: object = {}): { readonly cluster: Cluster; register(version: string): void } {
  const cluster = new Cluster(nodesOf(5));
  const job = (version: string, rest: object) =>
    jobOf({ count: 4, update: { ...atOnce, maxParallel: 2, ...update } }, rest, v(version));
  cluster.register(job("0", {}));
  cluster.converge();
  return { cluster, register: (version) => cluster.register(job(version, { gates })) };
}

type Kind = "go" | "wait" | "stop" | "back";

/** The gates answer what they are asked; nothing where they are not asked. */
function say(cluster: Cluster, kind: Kind, deployment: Deployment = cluster.deployment()): boolean {
  const question = questionOf(deployment);
  if (!question) return false;
  const said = { kind, gate: "smoke", because: "it said so" };
  cluster.step(deployment.id, { kind: "gates", question, said, at: cluster.now });
  return true;
}

/** A rollout of version 1 whose first batch is healthy. */
function afterFirstBatch(update: object = {}): Cluster {
  const { cluster, register } = four(update);
  register("1");
  cluster.evaluate();
  cluster.settle();
  return cluster;
}

const versions = (cluster: Cluster) => cluster.live().map(({ version }) => version);

describe("a rollout of a job with gates", () => {
  test("asks after each batch, the last one among them, and starts none before they are for it", () => {
    const cluster = afterFirstBatch();
    expect(questionOf(cluster.deployment())).toEqual({ batch: 1, askedSince: cluster.now });
    expect(cluster.deployment().description).toBe("Deployment is running, and its gates are asked after batch 1");
    expect(buckets(cluster.evaluate())).toEqual({ ignore: 4 });
    say(cluster, "go");
    expect(questionOf(cluster.deployment())).toBeUndefined();
    expect(buckets(cluster.evaluate())).toEqual({ destructive: 2, ignore: 2 });
    cluster.settle();
    expect(cluster.deployment().status).toBe("running");
    expect(cluster.stable).toEqual(new Set([0]));
    say(cluster, "go");
    expect(cluster.deployment()).toMatchObject({
      status: "successful",
      gating: {
        decisions: [
          { batch: 1, kind: "go", gate: "smoke" },
          { batch: 2, kind: "go", gate: "smoke" },
        ],
      },
    });
    expect(cluster.stable).toEqual(new Set([0, 1]));
  });

  test("is held up by a wait, which is told, and against which no deadline runs", () => {
    const cluster = afterFirstBatch();
    say(cluster, "wait");
    expect(cluster.deployment().gating?.waits).toMatchObject({ gate: "smoke", because: "it said so" });
    expect(nextDeadline(cluster.deployment())).toBeUndefined();
    cluster.now += 3_600_000;
    cluster.step(cluster.deployment().id, { kind: "tick", at: cluster.now });
    expect(cluster.deployment().status).toBe("running");
    say(cluster, "go");
    expect(nextDeadline(cluster.deployment())).toBe(cluster.now + 600_000);
  });

  test("ends where it is with a stop, whatever the job says of going back", () => {
    const cluster = afterFirstBatch({ autoRevert: true });
    say(cluster, "stop");
    expect(cluster.deployment()).toMatchObject({
      status: "failed",
      description: 'Failed due to gate "smoke" after batch 1: it said so',
    });
    cluster.converge();
    expect(versions(cluster)).toEqual([1, 1, 0, 0]);
  });

  test("that was stopped at its very end starts again when the job is run as it was", () => {
    const { cluster, register } = four({ maxParallel: 4 });
    register("1");
    cluster.evaluate();
    cluster.settle();
    const asked = () => whyStuck(cluster.snapshot(), jobKey("default", "app" as JobId), cluster.now);
    expect(asked()).toBeUndefined();
    say(cluster, "stop");
    expect(asked()).toBe("its last deployment failed");
    register("1");
    cluster.evaluate();
    cluster.settle();
    say(cluster, "go");
    expect(cluster.deployment()).toMatchObject({ status: "successful", version: 2 });
  });

  test("is taken back with a back, whatever the job says, and no gate is asked on the way", () => {
    const cluster = afterFirstBatch();
    say(cluster, "back");
    expect(cluster.deployment().description).toBe(
      'Failed due to gate "smoke" after batch 1: it said so - rolling back to job version 0',
    );
    cluster.converge();
    expect(cluster.deployment()).toMatchObject({ status: "successful", version: 2 });
    expect(cluster.live().map(({ healthy }) => healthy)).toEqual([true, true, true, true]);
  });

  test("asks no gate on the way back to a version that has gates itself", () => {
    const { cluster, register } = four();
    for (const version of ["1", "2"]) {
      register(version);
      cluster.evaluate();
      cluster.settle();
      if (version === "1") while (say(cluster, "go")) cluster.converge();
    }
    say(cluster, "back");
    cluster.converge();
    expect(cluster.deployment()).toMatchObject({ status: "successful", version: 3 });
    expect(cluster.deployment().gating).toBeUndefined();
    register("4");
    cluster.evaluate();
    expect(cluster.deployment().gating).toBeDefined();
  });

  test("promotes its canaries when they are healthy and the gates are for it", () => {
    const cluster = afterFirstBatch({ canary: 1 });
    expect(buckets(cluster.evaluate())).toEqual({ ignore: 5 });
    expect(cluster.deployment().groups["web"]?.promoted).toBe(false);
    say(cluster, "go");
    expect(cluster.deployment().groups["web"]?.promoted).toBe(true);
    cluster.evaluate();
    expect(versions(cluster).filter((version) => version === 1)).toHaveLength(3);
  });

  test("whose canaries a person promotes passes that gate, and says so", () => {
    const cluster = afterFirstBatch({ canary: 1 });
    cluster.step(cluster.deployment().id, { kind: "promote", groups: null, at: cluster.now });
    expect(questionOf(cluster.deployment())).toBeUndefined();
    expect(cluster.deployment().gating?.decisions).toMatchObject([{ gate: "", because: "promoted by a person" }]);
    cluster.evaluate();
    cluster.settle();
    expect(questionOf(cluster.deployment())?.batch).toBe(2);
  });

  test("that is paused asks nothing, and asks anew when it goes on", () => {
    const cluster = afterFirstBatch();
    const question = questionOf(cluster.deployment())!;
    const { id } = cluster.deployment();
    cluster.step(id, { kind: "pause" });
    expect(questionOf(cluster.deployment())).toBeUndefined();
    cluster.now += 1_000;
    cluster.step(id, { kind: "resume", at: cluster.now });
    const said = { kind: "go", gate: "smoke", because: "late" } as const;
    cluster.step(id, { kind: "gates", question, said, at: cluster.now });
    expect(questionOf(cluster.deployment())).toEqual({ batch: 1, askedSince: cluster.now });
  });

  test("keeps what was lost meanwhile what it was", () => {
    const cluster = afterFirstBatch();
    const old = cluster.live().find(({ version }) => version === 0)!;
    cluster.node(old.node, { status: "down" });
    const placed = Object.values(cluster.evaluate().groups).flatMap(({ place }) => place);
    const byIndex = new Map(placed.map(({ allocation }) => [allocation.index, allocation.version]));
    expect(byIndex.get(old.index)).toBe(0);
  });

  test("begins ungated where the job has none", () => {
    const { cluster } = four();
    expect(cluster.deployment().gating).toBeUndefined();
  });
});

/** Something happens to the cluster. */
function happen(cluster: Cluster, what: string): void {
  const { id } = cluster.deployment();
  switch (what) {
    case "evaluate":
      cluster.evaluate();
      break;
    case "settle":
      cluster.settle();
      break;
    case "go":
    case "wait":
      say(cluster, what);
      break;
    case "lose":
      cluster.node(cluster.live()[0]?.node ?? "node-0000", { status: "down" });
      break;
    case "heal":
      for (const node of cluster.nodes.keys()) cluster.node(node, { status: "ready" });
      break;
    case "pause":
      cluster.step(id, { kind: "pause" });
      break;
    default:
      cluster.step(id, { kind: "resume", at: cluster.now });
  }
  cluster.now += 1_000;
}

const happenings = ["evaluate", "settle", "go", "wait", "lose", "heal", "pause", "resume"] as const;

test("a batch grows by nothing before the gates are for it, whatever happens", () => {
  const list = fc.array(fc.constantFrom(...happenings), { maxLength: 60 });
  const check = (all: readonly string[], maxParallel: number, canary: number) => {
    const { cluster, register } = four({ maxParallel, canary });
    register("1");
    let most = Number.POSITIVE_INFINITY;
    for (const what of ["evaluate", ...all]) {
      happen(cluster, what);
      const { gating, status } = cluster.deployment();
      if (status === "successful") return;
      const passed = new Set(gating?.passed);
      const onTrial = cluster.live().filter(({ id, version }) => version === 1 && !passed.has(id)).length;
      expect(onTrial).toBeLessThanOrEqual(most);
      most = onTrial === 0 ? Number.POSITIVE_INFINITY : Math.max(onTrial, Number.isFinite(most) ? most : 0);
    }
  };
  fc.assert(fc.property(list, fc.integer({ min: 1, max: 3 }), fc.integer({ min: 0, max: 2 }), check), {
    numRuns: 300,
  });
});
