import { OperationalError } from "@millwright/core/errors";
import { silentLog } from "@millwright/core/ports";
import type { Job } from "@millwright/jobs/job";
import { overCapacity } from "@millwright/scheduler/capacity";
import { commitDraft } from "@millwright/records/commit";
import { descriptions } from "@millwright/scheduler/group-plan";
import { type AllocId, nodeId } from "@millwright/scheduler/ids";
import { keyRange, type Store, storeErrors, type Transaction } from "@millwright/store/contract";
import { keepLeading } from "@millwright/store/leadership";
import { afterEach, expect, test } from "vitest";
import { atOnce, type Cluster, healthy, jobOf, live, openCluster, rollout, until } from "../../test/cluster.ts";
import { openOrchestratorState } from "../state.ts";
import type { AllocationView } from "../world.ts";
import { runLeader } from "./leader.ts";

const leaderKey = "orchestrator-leader";
const open: Cluster[] = [];

afterEach(async () => {
  for (const cluster of open.splice(0)) await cluster.close();
});

/** What runs, and what was started while something that it replaces still ran. */
class Running {
  readonly doubles: { readonly id: AllocId; readonly old: AllocId }[] = [];
  readonly #now = new Set<AllocId>();
  readonly #replaces = new Map<AllocId, AllocId | null>();

  readonly onRun = (event: "start" | "end", { allocation: { id, replaces } }: AllocationView): void => {
    if (event === "end") {
      this.#now.delete(id);
      return;
    }
    this.#replaces.set(id, replaces);
    for (let old = replaces; old !== null; old = this.#replaces.get(old) ?? null)
      if (this.#now.has(old)) this.doubles.push({ id, old });
    this.#now.add(id);
  };
}

async function start(nodes: number): Promise<{ readonly cluster: Cluster; readonly running: Running }> {
  const cluster = await openCluster({ leaders: 0 });
  open.push(cluster);
  const running = new Running();
  for (let i = 1; i <= nodes; i++) await cluster.join(`n${i}`, { onRun: running.onRun });
  return { cluster, running };
}

/** A leader that ends, as if killed, right after its `lives`th commit or right before the next; resolves when it has. */
async function leadUntilKilled(
  cluster: Cluster,
  lives: number,
  isOver: () => boolean,
  faults?: (below: number) => number,
): Promise<"killed" | "over"> {
  const dying = new AbortController();
  let commits = 0;
  const { store } = cluster.context;
  const txn = async (step: Transaction) => {
    const isFenced = step.when?.some(({ range, is }) => range.from === keyRange(leaderKey).from && is === "created");
    if (!isFenced) return store.txn(step);
    if (dying.signal.aborted) throw new OperationalError(storeErrors.unavailable, "killed");
    const dice = faults?.(100) ?? 50;
    if (dice < 2) throw new OperationalError(storeErrors.unavailable, "the store is away for a moment");
    const result = await store.txn(step);
    if (dice > 97) throw new OperationalError(storeErrors.undecided, "it was committed, and no answer came");
    if (result.succeeded && ++commits >= lives) dying.abort();
    return result;
  };
  const mortal = new Proxy(store, {
    get: (_, name: keyof Store) => (name === "txn" ? txn : (store[name] as () => unknown).bind(store)),
  });
  const { clock, chance } = cluster.context;
  const projection = await openOrchestratorState({ store, clock, log: silentLog });
  const watch = setInterval(() => isOver() && dying.abort(), 2);
  const options = { store: mortal, key: leaderKey, name: "s", clock, chance, log: silentLog, signal: dying.signal };
  const context = { ...cluster.context, store: mortal, projection, membership: cluster.membership };
  await keepLeading(options, (term) => runLeader(context, term));
  clearInterval(watch);
  await projection.close();
  return commits >= lives ? "killed" : "over";
}

/** That the state is what it should be in the end, whoever led on the way. */
function expectWhole(cluster: Cluster, running: Running, counts: Readonly<Record<string, number>>): void {
  const { state } = cluster.context.projection;
  for (const [job, count] of Object.entries(counts)) {
    const indexes = live(cluster, job).map(({ allocation }) => allocation.index);
    expect(indexes).toHaveLength(count);
    expect(new Set(indexes).size).toBe(count);
  }
  // What was given up with its node ends when the node hears of it: nobody can wait for that.
  const given = (id: AllocId) => state.row("alloc", id)?.description === descriptions.lost;
  expect(running.doubles.filter(({ old }) => !given(old))).toEqual([]);
  expect(state.list("eval", "open").size).toBe(0);
  const { nodes, allocationsByNode } = state.derived.snapshot;
  for (const node of nodes.values()) expect(overCapacity(node, allocationsByNode.get(node.id) ?? [])).toBeUndefined();
  for (const { deployment } of state.rows("deployment")) {
    if (deployment.status !== "successful") continue;
    for (const group of Object.values(deployment.groups)) expect(group.healthy.length).toBe(group.desiredTotal);
  }
}

test("health that is decided while nobody leads is taken up by the next leader", { timeout: 20_000 }, async () => {
  const health = (healthy: boolean) => ({
    Healthy: healthy,
    At: Date.now(),
    Why: healthy ? "" : "its check never passed",
  });
  const outcomes = [
    { healthy: true, status: "successful", description: "Deployment completed successfully" },
    { healthy: false, status: "failed", description: "Failed due to unhealthy allocations" },
  ];
  for (const { healthy: isWell, status, description } of outcomes) {
    const cluster = await openCluster({ leaders: 0 });
    open.push(cluster);
    await cluster.join("n1", { outcome: () => "hangs" });
    await cluster.commands.registerJob(version(0, 3), {});
    const hang = () => live(cluster).filter(({ allocation }) => allocation.client === "running").length === 3;
    await leadUntilKilled(cluster, 1_000, () => hang() && isQuiet(cluster));
    expect(rollout(cluster)).toMatchObject({ status: "running" });
    const said = live(cluster).map(({ allocation }) => ({
      ...{ ID: allocation.id, ClientStatus: "running" as const, ClientDescription: "", TaskStates: {} },
      Health: health(isWell),
    }));
    await cluster.commands.updateAllocations(nodeId("n1"), said);
    expect(rollout(cluster)).toMatchObject({ status: "running" });
    await leadUntilKilled(cluster, 1_000, () => rollout(cluster)?.status !== "running" && isQuiet(cluster));
    expect(rollout(cluster)).toMatchObject({ status, description });
  }
});

test("health of what the rollout does not list yet is not lost", { timeout: 20_000 }, async () => {
  const cluster = await openCluster({ leaders: 0 });
  open.push(cluster);
  await cluster.join("n1", { outcome: () => "well" });
  await cluster.commands.registerJob(version(0, 2), {});
  const isUp = () => healthy(cluster) === 2 && rollout(cluster)?.status === "successful" && isQuiet(cluster);
  await leadUntilKilled(cluster, 1_000, isUp);
  // As if the allocations were well before their rollout was written with them.
  const { deployment, ...rest } = cluster.context.projection.state.row("deployment", rollout(cluster)!.id)!;
  const web = { ...deployment.groups.web!, placed: [], healthy: [], requireProgressBy: null };
  const record = { createdAt: rest.createdAt, modifiedAt: rest.modifiedAt };
  await commitDraft(cluster.context, (draft) =>
    draft.put("deployment", deployment.id, {
      ...record,
      deployment: { ...deployment, status: "running", description: "", groups: { web } },
    }),
  );
  await leadUntilKilled(cluster, 1_000, isUp);
  expect(rollout(cluster)?.groups.web?.placed).toHaveLength(2);
  expect(rollout(cluster)?.groups.web?.healthy).toHaveLength(2);
});

const version = (v: number, count: number, maxParallel = 7): Job =>
  jobOf({ count, update: { ...atOnce, maxParallel } }, {}, { env: { V: `${v}` } });

const isQuiet = (cluster: Cluster) => cluster.context.projection.state.list("eval", "open").size === 0;

test("a large job and its rollout end as they should wherever the leader is killed", { timeout: 60_000 }, async () => {
  // Large enough for several commits each.
  for (let lives = 1; ; lives++) {
    const { cluster, running } = await start(3);
    await cluster.commands.registerJob(version(0, 60), {});
    const isPlaced = () => isQuiet(cluster) && healthy(cluster, 0) === 60 && rollout(cluster)?.status === "successful";
    const first = await leadUntilKilled(cluster, lives, isPlaced);
    while (!isPlaced()) await leadUntilKilled(cluster, 1_000, isPlaced);
    await cluster.commands.registerJob(version(1, 60, 40), {});
    const isRolled = () =>
      isQuiet(cluster) &&
      healthy(cluster, 1) === 60 &&
      rollout(cluster)?.status === "successful" &&
      live(cluster).length === 60;
    const second = await leadUntilKilled(cluster, lives, isRolled);
    while (!isRolled()) await leadUntilKilled(cluster, 1_000, isRolled);
    expectWhole(cluster, running, { app: 60 });
    await cluster.close();
    open.pop();
    if (first === "over" && second === "over") break;
    if (lives > 40) break;
  }
});

test("no batch starts before its gates let the last one pass, wherever the leader is killed", {
  timeout: 60_000,
}, async () => {
  const gates = { gates: [{ name: "own", kind: "conditions" }] };
  const gated = (v: number) =>
    jobOf({ count: 6, update: { ...atOnce, maxParallel: 2 } }, { gates }, { env: { V: `${v}` } });
  for (let lives = 1; lives <= 25; lives++) {
    const { cluster } = await start(3);
    const isRolled = (v: number) => () =>
      isQuiet(cluster) && healthy(cluster, v) === 6 && rollout(cluster)?.status === "successful";
    await cluster.commands.registerJob(gated(0), {});
    while (!isRolled(0)()) await leadUntilKilled(cluster, 1_000, isRolled(0));
    await cluster.commands.registerJob(gated(1), {});
    let most = 0;
    const look = () => {
      const passed = new Set(rollout(cluster)?.gating?.passed);
      const onTrial = live(cluster).filter(({ allocation: { id, version: v } }) => v === 1 && !passed.has(id)).length;
      if (rollout(cluster)?.status === "running") most = Math.max(most, onTrial);
      return isRolled(1)();
    };
    const first = await leadUntilKilled(cluster, lives, look);
    while (!look()) await leadUntilKilled(cluster, lives + 3, look);
    expect(most).toBe(2);
    const { decisions } = rollout(cluster)!.gating!;
    expect(decisions.map(({ batch, kind }) => [batch, kind])).toEqual([1, 2, 3].map((batch) => [batch, "go"]));
    await cluster.close();
    open.pop();
    if (first === "over") return;
  }
});

test("leaders that are killed again and again lose and double nothing, whatever happens", {
  timeout: 120_000,
}, async () => {
  for (const seed of [1, 2, 3, 4, 5, 6]) await liveThrough(seed);
});

test("a store that fails now and then delays the leader's work, and loses none of it", {
  timeout: 120_000,
}, async () => {
  for (const seed of [7, 8, 9]) await liveThrough(seed, randomOf(seed));
});

async function liveThrough(seed: number, faults?: (below: number) => number): Promise<void> {
  const random = randomOf(seed);
  const { cluster, running } = await start(4);
  let v = 0;
  let isCut = false;
  const counts = { app: 12, other: 6 };
  const steps: (() => Promise<unknown>)[] = [
    () => cluster.commands.registerJob(version(++v, (counts.app = 8 + random(12)), 1 + random(5)), {}),
    () => cluster.commands.registerJob(jobOf({ count: (counts.other = 2 + random(8)) }, { id: "other" }), {}),
    () => cluster.commands.drainNode(nodeId("n1"), { deadline: null, ignoresSystemJobs: false }, false),
    () => cluster.commands.drainNode(nodeId("n1"), null, true),
    async () => {
      await cluster.nodes.get("n2")!.crash();
      cluster.membership.set("n2", false);
      isCut = true;
    },
    async () => {
      comeBack(cluster);
      isCut = false;
    },
    async () => {
      const one = live(cluster)[random(5)];
      if (one) await cluster.commands.stopAllocation(one.allocation.id);
    },
  ];
  await cluster.commands.registerJob(version(0, counts.app), {});
  await cluster.commands.registerJob(jobOf({ count: counts.other }, { id: "other" }), {});
  for (let i = 0; i < 15; i++) {
    // A node that was cut off is down only after a while.
    const { status } = cluster.context.projection.state.row("nodestate", "n2")!;
    const end = Date.now() + (isCut && status === "ready" ? 400 : 40);
    await leadUntilKilled(cluster, 1 + random(6), () => Date.now() > end, faults);
    await steps[random(steps.length)]!();
  }
  await cluster.commands.drainNode(nodeId("n1"), null, true);
  comeBack(cluster);
  const isWhole = () =>
    isQuiet(cluster) &&
    healthy(cluster, undefined) === counts.app &&
    live(cluster, "other").length === counts.other &&
    live(cluster, "other").every(({ allocation }) => allocation.healthy) &&
    rollout(cluster)?.status === "successful" &&
    live(cluster).every(({ allocation }) => allocation.version === rollout(cluster)?.version);
  // Whole, and nothing more to do: what is quiet for a moment stays so.
  let since = { revision: 0, at: 0 };
  const isAtRest = () => {
    const revision = cluster.context.projection.applied;
    if (!isWhole() || revision !== since.revision) since = { revision, at: Date.now() };
    return Date.now() - since.at > 60;
  };
  const leading = leadUntilKilled(cluster, 100_000, isAtRest, faults);
  await until(cluster, isWhole, 30_000);
  await leading;
  expectWhole(cluster, running, counts);
  await cluster.close();
  open.pop();
}

function comeBack(cluster: Cluster): void {
  cluster.nodes.get("n2")!.start();
  cluster.membership.set("n2", true);
}

function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % below;
  };
}
