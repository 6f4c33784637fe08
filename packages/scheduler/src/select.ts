import { invariant } from "@millwright/core/errors";
import type { Job, TaskGroup } from "@millwright/jobs/job";
import type { Allocation, Holding } from "./allocation.ts";
import { NodeUse } from "./capacity.ts";
import type { Demand } from "./demand.ts";
import { demandOf } from "./demand.ts";
import type { Feasibility } from "./feasibility.ts";
import { admissionOf, feasibilityOf, takesWork } from "./feasibility.ts";
import type { NodeId } from "./ids.ts";
import { distinctnessOf, JobUse } from "./job-use.ts";
import type { NodeScore, PlacementMetrics } from "./metrics.ts";
import { MetricsCount } from "./metrics.ts";
import type { Random } from "./random.ts";
import { shuffled } from "./random.ts";
import { type Affinity, affinityOf, scoreOf } from "./ranking.ts";
import type { Node, Snapshot } from "./snapshot.ts";
import { spreadBoostOf } from "./spread.ts";

/** How many nodes are compared for one allocation: a sample, or all of them. */
export type Sample = "limited" | "all";

/** What a node is looked for. */
export interface Wanted {
  readonly job: Job;
  readonly version: number;
  readonly group: TaskGroup;
  /** The only node that it may be, where there is one. */
  readonly node: NodeId | null;
  readonly penalized: ReadonlySet<NodeId>;
}

export type Choice =
  | { readonly ok: true; readonly node: Node; readonly holding: Holding; readonly metrics: PlacementMetrics }
  | { readonly ok: false; readonly metrics: PlacementMetrics };

/**
 * Chooses nodes for allocations of one job, one after another; each choice knows of those before it. Nodes are looked at in
 * an order that `random` decides, each choice going on where the last stopped; of equally good nodes the first is taken.
 */
export class Selector {
  readonly #snapshot: Snapshot;
  readonly #random: Random;
  readonly #sample: Sample;
  readonly #jobUse: JobUse;
  readonly #nodeUses = new Map<NodeId, NodeUse>();
  readonly #candidates = new Map<number, Candidates>();
  readonly #rules = new Map<string, Rules>();

  constructor(snapshot: Snapshot, ofJob: Iterable<Allocation>, random: Random, sample: Sample) {
    this.#snapshot = snapshot;
    this.#random = random;
    this.#sample = sample;
    this.#jobUse = new JobUse(snapshot.nodes, ofJob);
  }

  choose(wanted: Wanted): Choice {
    const candidates = this.#candidatesFor(wanted);
    const metrics = new MetricsCount(candidates.counts);
    const options = this.#options(wanted, candidates, metrics);
    for (const { score } of options) metrics.scored(score);
    const best = options.reduce<Option | undefined>(
      (top, one) => (top && top.score.normalized >= one.score.normalized ? top : one),
      undefined,
    );
    if (!best) return { ok: false, metrics: metrics.result() };
    return { ok: true, node: best.node, holding: best.holding, metrics: metrics.result() };
  }

  /** What `choose` found is taken. */
  take(node: Node, group: string, holding: Holding): void {
    this.#useOf(node).add(holding);
    this.#jobUse.add(node.id, group);
  }

  /** Room that is given up in this placement is there for what comes after; `take` it again to undo. */
  release({ node, group, holding }: Allocation): void {
    const known = this.#snapshot.nodes.get(node);
    if (known) this.#useOf(known).remove(holding);
    this.#jobUse.remove(node, group);
  }

  /** Nodes that the group may have, as many as are compared, with the scores that they would have. */
  #options(wanted: Wanted, candidates: Candidates, metrics: MetricsCount): readonly Option[] {
    const { job, group, penalized } = wanted;
    const rules = this.#rulesFor(wanted);
    const distinctness = distinctnessOf(job, group, this.#jobUse);
    const spread = spreadBoostOf(job, group, this.#jobUse);
    const ranking = { group, use: this.#jobUse, affinity: rules.affinity, spread, penalized };
    const limit = this.#limitFor(wanted, candidates, spread !== undefined || rules.affinity !== undefined);
    const options: Option[] = [];
    const poor: Option[] = [];
    for (const node of candidates.next(wanted.node)) {
      metrics.evaluated();
      const reason = rules.reasonAgainst(node) ?? distinctness(node);
      if (reason !== undefined) {
        metrics.filtered(node, reason);
        continue;
      }
      const use = this.#useOf(node);
      const fit = use.fit(rules.demand, this.#random);
      if (!fit.ok) {
        metrics.exhausted(node, fit.dimension);
        continue;
      }
      const score = scoreOf(use, fit.holding, ranking);
      const isPoor = score.normalized <= 0 && poor.length < mostPassedOver;
      (isPoor ? poor : options).push({ node, holding: fit.holding, score });
      if (options.length >= limit) break;
    }
    return [...options, ...poor.slice(0, Math.max(0, limit - options.length))];
  }

  /** Two for batch, the power of two choices; the logarithm for services; more where preferences need something to prefer. */
  #limitFor({ job, group }: Wanted, { nodes }: Candidates, hasPreferences: boolean): number {
    if (this.#sample === "all") return Number.POSITIVE_INFINITY;
    if (hasPreferences) return Math.max(100, group.count);
    return job.type === "batch" ? 2 : Math.max(2, Math.ceil(Math.log2(nodes.length)));
  }

  #candidatesFor({ job, version }: Wanted): Candidates {
    const known = this.#candidates.get(version);
    if (known) return known;
    const candidates = new Candidates(job, this.#snapshot.nodes, this.#random);
    this.#candidates.set(version, candidates);
    return candidates;
  }

  #rulesFor({ job, version, group }: Wanted): Rules {
    const key = `${version} ${group.name}`;
    const known = this.#rules.get(key);
    if (known) return known;
    const rules = new Rules(job, group);
    this.#rules.set(key, rules);
    return rules;
  }

  #useOf(node: Node): NodeUse {
    const known = this.#nodeUses.get(node.id);
    if (known) return known;
    const use = new NodeUse(node, this.#snapshot.allocationsByNode.get(node.id) ?? []);
    this.#nodeUses.set(node.id, use);
    return use;
  }
}

interface Option {
  readonly node: Node;
  readonly holding: Holding;
  readonly score: NodeScore;
}

/** How many nodes with nothing to say for them are passed over in the hope of better ones. */
const mostPassedOver = 3;

/** What a group asks of a node whatever else runs there; the answers are kept. */
class Rules {
  readonly demand: Demand;
  readonly affinity: Affinity | undefined;
  readonly #feasibility: Feasibility;
  readonly #reasons = new Map<NodeId, string | undefined>();

  constructor(job: Job, group: TaskGroup) {
    this.demand = demandOf(group);
    this.affinity = affinityOf(job, group);
    this.#feasibility = feasibilityOf(job, group);
  }

  reasonAgainst(node: Node): string | undefined {
    if (this.#reasons.has(node.id)) return this.#reasons.get(node.id);
    const reason = this.#feasibility(node);
    this.#reasons.set(node.id, reason);
    return reason;
  }
}

/** The nodes that take work and that a version of a job may use, in an order of chance. */
class Candidates {
  readonly nodes: readonly Node[];
  readonly counts: Pick<PlacementMetrics, "nodesInPool" | "nodesAvailable">;
  readonly #all: ReadonlyMap<NodeId, Node>;
  #offset = 0;

  constructor(job: Job, all: ReadonlyMap<NodeId, Node>, random: Random) {
    const { hasPool, hasDatacenter } = admissionOf(job);
    const inPool = [...all.values()].filter((node) => takesWork(node) && hasPool(node));
    const available = inPool.filter(hasDatacenter);
    const byDatacenter = Map.groupBy(available, ({ datacenter }) => datacenter);
    const named = job.datacenters.filter((name) => !/[*?[{\\]/.test(name)).map((name) => [name, 0] as const);
    const counted = [...byDatacenter].map(([name, nodes]) => [name, nodes.length] as const);
    this.nodes = shuffled(available, random);
    this.counts = { nodesInPool: inPool.length, nodesAvailable: Object.fromEntries([...named, ...counted]) };
    this.#all = all;
  }

  /** Each node once, from where the last choice stopped; or the only one that it may be. */
  *next(only: NodeId | null): Iterable<Node> {
    if (only !== null) {
      const node = this.#all.get(only);
      invariant(node, `the node ${only} that was chosen beforehand is not in the snapshot`);
      yield node;
      return;
    }
    const count = this.nodes.length;
    const start = this.#offset;
    for (let i = 0; i < count; i++) {
      this.#offset = (start + i + 1) % count;
      yield this.nodes[(start + i) % count]!;
    }
  }
}
