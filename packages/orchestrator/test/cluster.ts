import { type Chance, type Clock, silentLog, systemChance, systemClock } from "@millwright/core/ports";
import { ConsulClient } from "@millwright/clients/consul";
import type { GateSurroundings } from "@millwright/gates/make-gates";
import { canonical } from "@millwright/jobs/canonical";
import type { Job, JobDraft } from "@millwright/jobs/job";
import { jobId } from "@millwright/jobs/job";
import type { Projection } from "@millwright/records/projection";
import { hasEnded } from "@millwright/scheduler/allocation";
import type { Deployment } from "@millwright/scheduler/deployment";
import type { Store } from "@millwright/store/contract";
import { keepLeading } from "@millwright/store/leadership";
import { openMemoryStore } from "@millwright/store/memory";
import type { Commands } from "../src/commands.ts";
import { commandsOver } from "../src/commands/commands.ts";
import type { OrchestratorContext } from "../src/context.ts";
import { runLeader } from "../src/leader/leader.ts";
import { openOrchestratorState, type OrchestratorState } from "../src/state.ts";
import type { AllocationView } from "../src/world.ts";
import { FakeMembership } from "./fake-membership.ts";
import { sampleRegistration } from "./sample-records.ts";
import { SimulatedNode, type SimulatedNodeOptions } from "./simulated-node.ts";

export const identity = {
  ...{ region: "global", datacenter: "dc1", name: "s1", address: "127.0.0.1", port: 4646, version: "0.1.0" },
};

/** No command is run, and no discovery is there. */
const noGates: Omit<GateSurroundings, "clock"> = {
  commands: null,
  discovery: () => ({ health: new ConsulClient({ address: "http://127.0.0.1:1" }).health }),
};

/** A jobs server without its HTTP, and the nodes that it works with. */
export interface Cluster {
  readonly context: OrchestratorContext;
  readonly commands: Commands;
  readonly membership: FakeMembership;
  readonly nodes: Map<string, SimulatedNode>;
  /** A node registers, is alive, and takes its allocations. */
  join(
    id: string,
    rest?: Partial<SimulatedNodeOptions>,
    registration?: Parameters<typeof sampleRegistration>[1],
  ): Promise<SimulatedNode>;
  /** Nodes that only are there: they take nothing up. Resolves when all are ready. */
  populate(count: number, registration?: Parameters<typeof sampleRegistration>[1]): Promise<void>;
  close(): Promise<void>;
}

export interface ClusterOptions {
  readonly store?: Store;
  readonly clock?: Clock;
  readonly chance?: Chance;
  /** What gates of deployments ask, but for what is said nothing. */
  readonly gates?: Partial<GateSurroundings>;
  /** How many servers compete for the lead; 1 by default, 0 for none. */
  readonly leaders?: number;
}

export async function openCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const { clock = systemClock, chance = systemChance, leaders = 1 } = options;
  const store = options.store ?? openMemoryStore();
  const projections: Projection<OrchestratorState>[] = [];
  const open = async (): Promise<OrchestratorContext> => {
    const projection = await openOrchestratorState({ store, clock, log: silentLog });
    projections.push(projection);
    return {
      store,
      projection,
      clock,
      chance,
      log: silentLog,
      identity,
      gates: { ...noGates, clock, ...options.gates },
    };
  };
  const context = await open();
  const commands = commandsOver(context);
  const membership = new FakeMembership();
  const nodes = new Map<string, SimulatedNode>();
  const closing = new AbortController();
  const leading: Promise<void>[] = [];
  for (let i = 0; i < leaders; i++) {
    const own = i === 0 ? context : await open();
    const work = {
      store,
      clock,
      chance,
      log: silentLog,
      signal: closing.signal,
      key: "orchestrator-leader",
      name: `s${i}`,
    };
    leading.push(keepLeading(work, (term) => runLeader({ ...own, membership }, term)));
  }
  return {
    ...{ context, commands, membership, nodes },
    join: async (id, rest = {}, registration = {}) => {
      const node = new SimulatedNode({ context, commands, id, ...rest });
      nodes.set(id, node);
      await commands.registerNode(sampleRegistration(id, registration));
      membership.set(id, true);
      node.start();
      return node;
    },
    populate: async (count, registration = {}) => {
      const ids = Array.from({ length: count }, (_, i) => `n${String(i).padStart(5, "0")}`);
      await Promise.all(ids.map((id) => commands.registerNode(sampleRegistration(id, registration))));
      membership.setAll(ids);
      const { nodes: known } = context.projection.state.derived.snapshot;
      while ([...known.values()].filter(({ status }) => status === "ready").length < count) await clock.sleep(5);
    },
    close: async () => {
      closing.abort();
      // First: what a node is in the middle of saying needs the state.
      await Promise.all([...nodes.values()].map((node) => node.cut()));
      for (const projection of projections) await projection.close();
      await Promise.all(leading);
      if (!options.store) await store.close();
    },
  };
}

type GroupDraft = NonNullable<JobDraft["groups"]>[number];
type TaskDraft = NonNullable<GroupDraft["tasks"]>[number];

/** A job `app` with a group `web` of one small task, but for what is said; it rolls one by one without waiting. */
export function jobOf(group: GroupDraft = {}, rest: JobDraft = {}, task: TaskDraft = {}): Job {
  const tasks = [{ name: "web", driver: "raw_exec", env: { V: "1" }, resources: { cpu: 100, memory: 128 }, ...task }];
  return canonical({ id: "app", ...rest, groups: [{ name: "web", ephemeralDisk: { size: 10 }, tasks, ...group }] });
}

/** One after another without waiting. */
export const atOnce = { stagger: 0, minHealthyTime: 0, maxParallel: 1 };

/** Resolves once it holds; what it is asked on changes meanwhile. */
export async function until(cluster: Cluster, what: () => boolean, within = 5_000): Promise<void> {
  const end = Date.now() + within;
  const { projection } = cluster.context;
  for (;;) {
    if (what()) return;
    if (Date.now() > end) throw new Error(`it did not come to hold within ${within} ms: ${what}\n${describe(cluster)}`);
    const stop = AbortSignal.timeout(20);
    await projection.changed({ kind: "topics", topics: ["alloc", "client", "eval", "deployment", "nodestate"] }, stop);
  }
}

/** All that is to run and has not ended. */
export function live({ context }: Cluster, job = "app"): readonly AllocationView[] {
  const all = context.projection.state.derived.allocationsOfJob("default", jobId(job));
  return all.filter(({ allocation }) => allocation.desired === "run" && !hasEnded(allocation));
}

/** Those of them that have come up well. */
export function healthy(cluster: Cluster, version?: number): number {
  return live(cluster).filter(
    ({ allocation }) => allocation.healthy === true && (version === undefined || allocation.version === version),
  ).length;
}

/** The newest rollout of `app`. */
export function rollout({ context }: Cluster): Deployment | undefined {
  return context.projection.state.derived.deploymentsOfJob("default", jobId("app")).at(-1)?.deployment;
}

/** Everything in short, for a test that failed. */
export function describe({ context }: Cluster): string {
  const { state } = context.projection;
  const allocations = [...state.rows("alloc")].map(({ key }) => {
    const { allocation: a, alloc } = state.derived.allocation(key)!;
    return `alloc ${key.slice(0, 8)} ${a.job}[${a.index}] v${a.version} ${a.node} ${a.desired} ${a.client} ${a.healthy} waits ${alloc.waitsFor?.slice(0, 8)}`;
  });
  const evaluations = [...state.rows("eval")].map(
    (e) => `eval ${e.key.slice(0, 8)} ${e.job} ${e.trigger} ${e.status} ${e.description} ${JSON.stringify(e.queued)}`,
  );
  const rollouts = [...state.rows("deployment")].map(
    ({ deployment: d }) => `deployment v${d.version} ${d.status} ${d.description} ${JSON.stringify(d.groups)}`,
  );
  const nodes = [...state.derived.snapshot.nodes.values()].map(
    (n) => `node ${n.id} ${n.status} ${n.isEligible} ${n.drain !== null}`,
  );
  return [...nodes, ...allocations, ...evaluations, ...rollouts].join("\n");
}
