import { silentLog, systemClock } from "@millwright/core/ports";
import { jobId } from "@millwright/jobs/job";
import { commitDraft } from "@millwright/records/commit";
import { type Projection, rebuildState } from "@millwright/records/projection";
import { deploymentId, evalId, nodeId } from "@millwright/scheduler/ids";
import { jobKey, type Snapshot, snapshotOf } from "@millwright/scheduler/snapshot";
import type { Store } from "@millwright/store/contract";
import { openMemoryStore } from "@millwright/store/memory";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  sampleAlloc,
  sampleClient,
  sampleDeployment,
  sampleNode,
  sampleNodeState,
  sampleVersion,
} from "../test/sample-records.ts";
import { jobKeyOf, jobVersionKey } from "./keys.ts";
import { allocationOf, nodeOf } from "./merge.ts";
import { openOrchestratorState, type OrchestratorDraft, type OrchestratorState, schema } from "./state.ts";
import type { World } from "./world.ts";

let store: Store;
let projection: Projection<OrchestratorState>;
beforeEach(async () => {
  store = openMemoryStore();
  projection = await openOrchestratorState({ store, clock: systemClock, log: silentLog });
});
afterEach(async () => {
  await projection.close();
  await store.close();
});

/** Writes, and resolves when it is known; gives the revision. */
async function write(work: (draft: OrchestratorDraft) => void): Promise<number> {
  const { revision } = await commitDraft({ store, projection, clock: systemClock }, work);
  await projection.reached(revision);
  return revision;
}

function world(): World {
  return projection.state.derived;
}

const app = jobId("app");

describe("an allocation is both its halves", () => {
  const alloc = sampleAlloc("a1");

  test("and is pending as long as its node has said nothing", async () => {
    const created = await write((draft) => draft.put("alloc", "a1", alloc));
    const { allocation, client, ...revisions } = world().allocation("a1")!;
    expect(allocation).toMatchObject({
      client: "pending",
      healthy: null,
      started: null,
      finished: null,
      desired: "run",
    });
    expect(client).toBeUndefined();
    expect(revisions).toMatchObject({ created, modified: created, allocModified: created });
  });

  test("and what its node says shows wherever it is looked at, and raises its index", async () => {
    const created = await write((draft) => draft.put("alloc", "a1", alloc));
    expect(world().snapshot.allocationsByNode.get(nodeId("n1"))).toMatchObject([{ client: "pending" }]);
    const health = { healthy: true, at: 2_500, why: "" };
    const modified = await write((draft) => draft.put("client", "a1", sampleClient(alloc, { health })));
    const want = { client: "running", healthy: true, started: 2_000 };
    expect(world().allocation("a1")).toMatchObject({ allocation: want, created, modified, allocModified: created });
    expect(world().snapshot.allocationsByNode.get(nodeId("n1"))).toMatchObject([want]);
    expect(world().snapshot.allocationsByJob.get(jobKey("default", app))).toMatchObject([want]);
  });

  test("and is gone with the servers' half", async () => {
    await write((draft) => draft.put("alloc", "a1", alloc));
    await write((draft) => draft.put("client", "a1", sampleClient(alloc)));
    await write((draft) => draft.delete("alloc", "a1"));
    expect(world().allocation("a1")).toBeUndefined();
    expect(world().allocationsOfJob("default", app)).toEqual([]);
    expect(world().snapshot.allocationsByJob.get(jobKey("default", app))).toBeUndefined();
  });

  test("and stands with its job, its node, its evaluation and its rollout", async () => {
    const deployment = { id: deploymentId("d1"), canary: false };
    await write((draft) => {
      draft.put("alloc", "a1", alloc);
      draft.put("alloc", "a2", sampleAlloc("a2", { node: "n2", evaluation: "e2", deployment }));
      draft.put("alloc", "a3", sampleAlloc("a3", { job: "a/b", deployment }));
    });
    const ids = (views: ReturnType<World["allocationsOfJob"]>) => views.map(({ alloc: { key } }) => key);
    expect(ids(world().allocationsOfJob("default", app))).toEqual(["a1", "a2"]);
    expect(ids(world().allocationsOfJob("default", jobId("a/b")))).toEqual(["a3"]);
    expect(ids(world().allocationsOnNode(nodeId("n1")))).toEqual(["a1", "a3"]);
    expect(ids(world().allocationsOfEvaluation(evalId("e2")))).toEqual(["a2"]);
    expect(ids(world().allocationsOfDeployment(deploymentId("d1")))).toEqual(["a2", "a3"]);
  });
});

describe("a node is what it said of itself and what is known of it", () => {
  test("and is initializing as long as nobody has looked after it", async () => {
    await write((draft) => draft.put("node", "n1", sampleNode("n1")));
    expect(world().node("n1")).toMatchObject({ node: { status: "initializing", isEligible: true, drain: null } });
  });

  test("and what works on it is what it says is well", async () => {
    await write((draft) => draft.put("node", "n1", sampleNode("n1")));
    expect(world().snapshot.nodes.get(nodeId("n1"))).toMatchObject({
      name: "name-of-n1",
      drivers: ["raw_exec"],
      total: { cpu: 4_000, cores: 4, memory: 8_192, disk: 100_000, mbits: 0 },
      dynamicPorts: { from: 20_000, to: 32_000 },
    });
  });

  test("and either raises its index", async () => {
    const created = await write((draft) => draft.put("node", "n1", sampleNode("n1")));
    const drain = { deadline: 5_000, ignoresSystemJobs: true };
    const modified = await write((draft) =>
      draft.put("nodestate", "n1", sampleNodeState({ drain, isEligible: false })),
    );
    expect(world().node("n1")).toMatchObject({
      node: { status: "ready", isEligible: false, drain },
      created,
      modified,
    });
  });
});

describe("a job", () => {
  test("has its versions, oldest first, and is at its current one", async () => {
    await write((draft) => {
      for (const version of [0, 2, 10]) {
        draft.put("jobversion", jobVersionKey("default", app, version), sampleVersion("app", version));
      }
      draft.put("job", jobKeyOf("default", app), { namespace: "default", id: app, current: 10, stable: [2] });
    });
    const { current, versions } = world().job("default", app)!;
    expect(current.version).toBe(10);
    expect([...versions].map(({ version }) => version)).toEqual([0, 2, 10]);
    const record = world().snapshot.jobs.get(jobKey("default", app))!;
    expect([...record.versions.keys()]).toEqual([0, 2, 10]);
    expect(record.versions.get(2)).toEqual(sampleVersion("app", 2).job);
    expect(record).toMatchObject({ current: 10, isStopped: false });
  });

  test("is stopped where its current version is", async () => {
    await write((draft) => {
      draft.put("jobversion", jobVersionKey("default", app, 0), { ...sampleVersion("app", 0), isStopped: true });
      draft.put("job", jobKeyOf("default", app), { namespace: "default", id: app, current: 0, stable: [] });
    });
    expect(world().snapshot.jobs.get(jobKey("default", app))).toMatchObject({ isStopped: true });
  });
});

test("rollouts of a job stand in the order in which they began, whatever their ids", async () => {
  for (const id of ["d2", "d3", "d1"]) {
    const times = { createdAt: 1_000, modifiedAt: 1_000 };
    await write((draft) => draft.put("deployment", id, { deployment: sampleDeployment(id), ...times }));
  }
  const { state } = await rebuildState(schema, store);
  for (const { snapshot } of [world(), state.derived]) {
    const rollouts = snapshot.deploymentsByJob.get(jobKey("default", app))!;
    expect(rollouts.map(({ id }) => id)).toEqual(["d2", "d3", "d1"]);
  }
});

type Step =
  | { readonly do: "alloc" | "client" | "both" | "dropAlloc" | "dropClient"; readonly id: number; readonly to: number }
  | { readonly do: "node" | "nodestate" | "dropNode"; readonly id: number; readonly to: number }
  | { readonly do: "version" | "current" | "dropVersion" | "dropJob"; readonly id: number; readonly to: number }
  | { readonly do: "deployment" | "dropDeployment"; readonly id: number; readonly to: number };

const step: fc.Arbitrary<Step> = fc.record({
  do: fc.constantFrom<Step["do"]>(
    ...(["alloc", "alloc", "client", "both", "dropAlloc", "dropClient", "node", "nodestate", "dropNode"] as const),
    ...(["version", "current", "dropVersion", "dropJob", "deployment", "dropDeployment"] as const),
  ),
  id: fc.nat(3),
  to: fc.nat(3),
});

test("the world equals its rebuild, and what its records make one by one, after any history", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(step, { minLength: 1, maxLength: 3 }), { maxLength: 25 }), async (commits) => {
      const own = openMemoryStore();
      const followed = await openOrchestratorState({ store: own, clock: systemClock, log: silentLog });
      for (const steps of commits) {
        const context = { store: own, projection: followed, clock: systemClock };
        const { revision } = await commitDraft(context, (draft) => {
          for (const taken of steps) take(draft, taken);
        });
        await followed.reached(revision);
        expect(described(followed.state.derived.snapshot)).toEqual(described(snapshotByHand(followed.state)));
      }
      const { state } = await rebuildState(schema, own);
      expect(described(followed.state.derived.snapshot)).toEqual(described(state.derived.snapshot));
      await followed.close();
      await own.close();
    }),
    { numRuns: 60, seed: 17 },
  );
});

function take(draft: OrchestratorDraft, { do: what, id, to }: Step): void {
  const alloc = sampleAlloc(`a${id}`, { job: `j${id % 2}`, node: `n${id}`, desired: to === 0 ? "stop" : "run" });
  const client = sampleClient(alloc, { status: to < 2 ? "running" : "failed" });
  const job = jobId(`j${id}`);
  switch (what) {
    case "alloc":
      return draft.put("alloc", `a${id}`, alloc);
    case "client":
      return draft.put("client", `a${id}`, client);
    case "both":
      draft.put("client", `a${id}`, client);
      return draft.put("alloc", `a${id}`, alloc);
    case "dropAlloc":
      return draft.delete("alloc", `a${id}`);
    case "dropClient":
      return draft.delete("client", `a${id}`);
    case "node":
      return draft.put("node", `n${id}`, sampleNode(`n${id}`, { NodeClass: `c${to}` }));
    case "nodestate":
      return draft.put("nodestate", `n${id}`, sampleNodeState({ status: to === 0 ? "down" : "ready" }));
    case "dropNode":
      return draft.delete("node", `n${id}`);
    case "version":
      return draft.put("jobversion", jobVersionKey("default", job, to), sampleVersion(`j${id}`, to));
    case "current":
      return draft.put("job", jobKeyOf("default", job), { namespace: "default", id: job, current: to, stable: [] });
    case "dropVersion":
      return draft.delete("jobversion", jobVersionKey("default", job, to));
    case "dropJob":
      return draft.delete("job", jobKeyOf("default", job));
    case "deployment": {
      const deployment = sampleDeployment(`d${id}`, { version: to, job: jobId(`j${id % 2}`) });
      return draft.put("deployment", `d${id}`, { deployment, createdAt: 1, modifiedAt: 1 });
    }
    case "dropDeployment":
      return draft.delete("deployment", `d${id}`);
  }
}

/** The snapshot from the records, put together anew without what the world remembers. */
function snapshotByHand(state: OrchestratorState): Snapshot {
  const versions = Map.groupBy(state.rows("jobversion"), ({ id }) => id);
  return snapshotOf({
    nodes: [...state.rows("node")].map((row) => nodeOf(row, state.row("nodestate", row.key))),
    jobs: [...state.rows("job")].flatMap(({ id, current }) => {
      const all = versions.get(id) ?? [];
      const isStopped = all.find(({ version }) => version === current)?.isStopped;
      const jobs = new Map(all.map(({ version, job }) => [version, job]));
      return isStopped === undefined ? [] : [{ current, versions: jobs, isStopped }];
    }),
    deployments: [...state.rows("deployment")]
      .sort((a, b) => a.created - b.created)
      .map(({ deployment }) => deployment),
    allocations: [...state.rows("alloc")].map((row) => allocationOf(row, state.row("client", row.key))),
  });
}

function described({ nodes, jobs, deployments, ...lookups }: Snapshot): object {
  const keys = [0, 1, 2, 3].map((i) => jobKey("default", jobId(`j${i}`)));
  return {
    ...{ nodes, jobs, deployments },
    deploymentsByJob: keys.map((key) => lookups.deploymentsByJob.get(key)),
    allocationsByJob: keys.map((key) => lookups.allocationsByJob.get(key)),
    allocationsByNode: [0, 1, 2, 3].map((i) => lookups.allocationsByNode.get(nodeId(`n${i}`))),
  };
}
