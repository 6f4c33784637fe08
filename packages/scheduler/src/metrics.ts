import { invariant } from "@millwright/core/errors";
import type { Node } from "./snapshot.ts";

/** What became of the nodes in the choice of one: what explains a placement, and what explains that there is none. */
export interface PlacementMetrics {
  readonly nodesEvaluated: number;
  readonly nodesInPool: number;
  /** Nodes that take work, by datacenter; 0 for a datacenter of the job without any. */
  readonly nodesAvailable: Readonly<Record<string, number>>;
  readonly nodesFiltered: number;
  readonly classFiltered: Readonly<Record<string, number>>;
  readonly constraintFiltered: Readonly<Record<string, number>>;
  readonly nodesExhausted: number;
  readonly classExhausted: Readonly<Record<string, number>>;
  readonly dimensionExhausted: Readonly<Record<string, number>>;
  /** The best nodes, best first. */
  readonly scores: readonly NodeScore[];
  /** How many more of the group found no place for the same reasons. */
  readonly coalescedFailures: number;
}

/** Why a node is as good as it is: each part from -1 to 1 by its name, and the mean of those that had something to say. */
export interface NodeScore {
  readonly node: Node["id"];
  readonly parts: Readonly<Record<string, number>>;
  readonly normalized: number;
}

/** Several accounts, each of other nodes, as one. */
export function summed(accounts: readonly PlacementMetrics[]): PlacementMetrics {
  const [first] = accounts;
  invariant(first, "there is something to sum");
  const total = (part: (one: PlacementMetrics) => number) => accounts.reduce((sum, one) => sum + part(one), 0);
  const counts = (part: (one: PlacementMetrics) => Readonly<Record<string, number>>) => {
    const all = new Map<string, number>();
    for (const one of accounts)
      for (const [name, count] of Object.entries(part(one))) all.set(name, (all.get(name) ?? 0) + count);
    return Object.fromEntries(all);
  };
  return {
    ...first,
    nodesEvaluated: total((one) => one.nodesEvaluated),
    nodesFiltered: total((one) => one.nodesFiltered),
    classFiltered: counts((one) => one.classFiltered),
    constraintFiltered: counts((one) => one.constraintFiltered),
    nodesExhausted: total((one) => one.nodesExhausted),
    classExhausted: counts((one) => one.classExhausted),
    dimensionExhausted: counts((one) => one.dimensionExhausted),
  };
}

/** Counts while a node is chosen. */
export class MetricsCount {
  readonly #base: Pick<PlacementMetrics, "nodesInPool" | "nodesAvailable">;
  readonly #filtered = new Count();
  readonly #exhausted = new Count();
  readonly #scores: NodeScore[] = [];
  #evaluated = 0;

  constructor(base: Pick<PlacementMetrics, "nodesInPool" | "nodesAvailable">) {
    this.#base = base;
  }

  evaluated(): void {
    this.#evaluated++;
  }

  filtered(node: Node, reason: string): void {
    this.#filtered.add(node, reason);
  }

  exhausted(node: Node, dimension: string): void {
    this.#exhausted.add(node, dimension);
  }

  scored(score: NodeScore): void {
    this.#scores.push(score);
  }

  result(): PlacementMetrics {
    return {
      ...this.#base,
      nodesEvaluated: this.#evaluated,
      nodesFiltered: this.#filtered.nodes,
      classFiltered: Object.fromEntries(this.#filtered.byClass),
      constraintFiltered: Object.fromEntries(this.#filtered.byReason),
      nodesExhausted: this.#exhausted.nodes,
      classExhausted: Object.fromEntries(this.#exhausted.byClass),
      dimensionExhausted: Object.fromEntries(this.#exhausted.byReason),
      scores: this.#scores.sort((a, b) => b.normalized - a.normalized).slice(0, shown),
      coalescedFailures: 0,
    };
  }
}

const shown = 5;

class Count {
  nodes = 0;
  readonly byClass = new Map<string, number>();
  readonly byReason = new Map<string, number>();

  add({ nodeClass }: Node, reason: string): void {
    this.nodes++;
    this.byReason.set(reason, (this.byReason.get(reason) ?? 0) + 1);
    if (nodeClass !== "") this.byClass.set(nodeClass, (this.byClass.get(nodeClass) ?? 0) + 1);
  }
}
