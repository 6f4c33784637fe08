import { invariant } from "@millwright/core/errors";
import { canonical } from "@millwright/jobs/canonical";
import type { Job, JobDraft } from "@millwright/jobs/job";
import type { Allocation } from "../src/allocation.ts";
import { hasEnded } from "../src/allocation.ts";
import type { Deployment } from "../src/deployment.ts";
import type { DeploymentAction, DeploymentEvent } from "../src/deployment-step.ts";
import { stepDeployment } from "../src/deployment-step.ts";
import { type AllocId, allocId, type DeploymentId, deploymentId, evalId, type NodeId, nodeId } from "../src/ids.ts";
import type { Placement } from "../src/placement.ts";
import { changesNothing, placedOf, stopsOf } from "../src/placement.ts";
import { schedule } from "../src/schedule.ts";
import type { Sample } from "../src/select.ts";
import type { JobRecord, Node, Snapshot } from "../src/snapshot.ts";
import { snapshotOf } from "../src/snapshot.ts";

/** A node with 4,000 MHz and 8,192 MiB, but for what is said. */
export function nodeOf(name: string, rest: Partial<Node> = {}): Node {
  return {
    ...{ id: nodeId(name), name, datacenter: "dc1", nodeClass: "", pool: "default", attributes: {}, meta: {} },
    total: { cpu: 4_000, cores: 4, memory: 8_192, disk: 100_000, mbits: 0 },
    reserved: { cpu: 0, cores: 0, memory: 0, disk: 0, mbits: 0 },
    ...{ reservedPorts: [], dynamicPorts: { from: 20_000, to: 32_000 }, drivers: ["raw_exec"] },
    ...{ status: "ready", isEligible: true, drain: null },
    ...rest,
  };
}

export function nodesOf(count: number, rest: (index: number) => Partial<Node> = () => ({})): readonly Node[] {
  return Array.from({ length: count }, (_, i) => nodeOf(`node-${String(i).padStart(4, "0")}`, rest(i)));
}

type GroupDraft = NonNullable<JobDraft["groups"]>[number];
type TaskDraft = NonNullable<GroupDraft["tasks"]>[number];

/** A job `app` with one group `web` of one task, but for what is said. */
export function jobOf(group: GroupDraft, rest: JobDraft = {}, task: TaskDraft = {}): Job {
  const small = { cpu: 100, memory: 128 };
  const tasks = [{ name: "web", driver: "raw_exec", env: { V: "1" }, resources: small, ...task }];
  return canonical({ id: "app", ...rest, groups: [{ name: "web", tasks, ...group }] });
}

const second = 1_000_000_000;

/** One after another without waiting, but for what is said. */
export const atOnce = { stagger: 0, minHealthyTime: 10 * second, maxParallel: 1 };

/** Servers and nodes as far as the scheduler sees them: what it says is done, and what happens is written down. */
export class Cluster {
  readonly nodes = new Map<NodeId, Node>();
  readonly allocations = new Map<AllocId, Allocation>();
  readonly deployments = new Map<DeploymentId, Deployment>();
  readonly versions = new Map<number, Job>();
  readonly actions: DeploymentAction[] = [];
  readonly stable = new Set<number>();
  current = -1;
  isStopped = false;
  now = 1_000_000;
  seed = "seed";
  sample: Sample = "limited";
  /** How much one answer writes at most. */
  most = Number.POSITIVE_INFINITY;
  #ids = 0;

  constructor(nodes: Iterable<Node>) {
    for (const node of nodes) this.nodes.set(node.id, node);
  }

  register(job: Job): void {
    this.current++;
    this.versions.set(this.current, job);
    this.isStopped = false;
  }

  snapshot(): Snapshot {
    const jobs: JobRecord[] =
      this.current < 0 ? [] : [{ current: this.current, versions: this.versions, isStopped: this.isStopped }];
    return snapshotOf({
      nodes: this.nodes.values(),
      jobs,
      deployments: this.deployments.values(),
      allocations: this.allocations.values(),
    });
  }

  /** Asks without applying. */
  ask(): Placement {
    const job = this.versions.get(this.current);
    invariant(job, "a job is registered");
    const evaluation = { id: evalId(`eval-${this.#ids++}`), namespace: job.namespace, job: job.id };
    return schedule(evaluation, this.snapshot(), {
      now: this.now,
      seed: `${this.seed}-${this.#ids}`,
      newAllocId: () => allocId(`alloc-${this.#ids++}`),
      newDeploymentId: () => deploymentId(`deployment-${this.#ids++}`),
      sample: this.sample,
      most: this.most,
    });
  }

  /** Asks and applies. */
  evaluate(): Placement {
    const placement = this.ask();
    for (const group of Object.values(placement.groups)) {
      for (const { allocation, isLost, replacedBy } of stopsOf(group)) {
        const old = this.allocations.get(allocation)!;
        const client = isLost ? "lost" : old.client;
        this.allocations.set(allocation, { ...old, desired: "stop", client, replacedBy: replacedBy ?? old.replacedBy });
      }
      for (const allocation of group.inPlace) this.allocations.set(allocation.id, allocation);
      for (const { allocation } of placedOf(group)) this.allocations.set(allocation.id, allocation);
    }
    for (const deployment of placement.deployments) this.deployments.set(deployment.id, deployment);
    return placement;
  }

  /** Nodes do what they are asked to: what is to stop ends, the rest runs, and is healthy unless `isWell` says otherwise. */
  settle(isWell: (allocation: Allocation) => boolean = () => true): void {
    for (const one of [...this.allocations.values()]) {
      if (hasEnded(one)) continue;
      if (one.desired !== "run") this.change(one.id, { client: "complete", finished: this.now });
      else if (one.healthy === null) this.report(one.id, isWell(one));
    }
  }

  report(id: AllocId, healthy: boolean): void {
    this.change(id, { client: "running", started: this.now, healthy });
    const { deployment, group } = this.allocations.get(id)!;
    if (deployment) this.step(deployment.id, { kind: "health", group, allocation: id, healthy, at: this.now });
  }

  fail(id: AllocId): void {
    this.change(id, { client: "failed", finished: this.now });
  }

  change(id: AllocId, change: Partial<Allocation>): void {
    this.allocations.set(id, { ...this.allocations.get(id)!, ...change });
  }

  node(name: string, change: Partial<Node>): void {
    this.nodes.set(nodeId(name), { ...this.nodes.get(nodeId(name))!, ...change });
  }

  /** A step of a rollout; a revert registers the version anew. */
  step(id: DeploymentId, event: DeploymentEvent): string | undefined {
    const lastStable = Math.max(-1, ...[...this.stable].filter((one) => one < this.deployments.get(id)!.version));
    const step = stepDeployment(this.deployments.get(id)!, event, lastStable < 0 ? null : lastStable);
    if (!step.ok) return step.reason;
    this.deployments.set(id, step.deployment);
    this.actions.push(...step.actions);
    for (const action of step.actions) {
      if (action.kind === "markStable") this.stable.add(action.version);
      if (action.kind === "revert") this.register(this.versions.get(action.toVersion)!);
    }
    return undefined;
  }

  /** Evaluates and settles until nothing changes. */
  converge(isWell?: (allocation: Allocation) => boolean): void {
    for (let round = 0; round < 200; round++) {
      const placement = this.evaluate();
      this.settle(isWell);
      if (changesNothing(placement)) return;
    }
    invariant(false, "the cluster never comes to rest");
  }

  /** What is wanted and has not ended, by name. */
  live(): readonly Allocation[] {
    return [...this.allocations.values()]
      .filter((one) => one.desired === "run" && !hasEnded(one))
      .sort((a, b) => a.group.localeCompare(b.group) || a.index - b.index || a.version - b.version);
  }

  healthy(): number {
    return this.live().filter(({ healthy }) => healthy === true).length;
  }

  /** The newest rollout. */
  deployment(): Deployment {
    const last = [...this.deployments.values()].at(-1);
    invariant(last, "there is a deployment");
    return last;
  }
}

/** How many are in each bucket of the group `web`, those with none left out. */
export function buckets(placement: Placement, group = "web"): Readonly<Record<string, number>> {
  const { place, canary, destructive, migrate, reschedule, stop, lost, inPlace, ignore } = placement.groups[group]!;
  const sizes = { place, canary, destructive, migrate, reschedule, stop, lost, inPlace, ignore };
  return Object.fromEntries(
    Object.entries(sizes)
      .map(([name, { length }]) => [name, length] as const)
      .filter(([, length]) => length > 0),
  );
}
