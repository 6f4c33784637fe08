import type { Job, TaskGroup } from "@millwright/jobs/job";
import type { Holding } from "./allocation.ts";
import type { NodeUse } from "./capacity.ts";
import { comparisonOf } from "./comparison.ts";
import type { NodeId } from "./ids.ts";
import type { JobUse } from "./job-use.ts";
import type { NodeScore } from "./metrics.ts";
import type { Node } from "./snapshot.ts";
import type { SpreadBoost } from "./spread.ts";

/** How well a group would stand on a node. */
export interface Ranking {
  readonly group: TaskGroup;
  readonly use: JobUse;
  readonly affinity: Affinity | undefined;
  readonly spread: SpreadBoost | undefined;
  /** Nodes on which it has failed. */
  readonly penalized: ReadonlySet<NodeId>;
}

/**
 * The score of a node with this holding placed: the mean of the parts that have something to say. Full nodes before empty
 * ones (`binpack`, 0 to 1), away from others of the group, away from where it failed, by affinity and by spread.
 */
export function scoreOf(nodeUse: NodeUse, holding: Holding, ranking: Ranking): NodeScore {
  const { node } = nodeUse;
  const { group, use, affinity, spread, penalized } = ranking;
  const parts: Record<string, number> = { binpack: fullness(nodeUse.freeWith(holding)) };
  const collisions = use.on(node.id, group.name);
  if (collisions > 0) parts["job-anti-affinity"] = -(collisions + 1) / group.count;
  if (penalized.has(node.id)) parts["node-reschedule-penalty"] = -1;
  const liking = affinity?.(node) ?? 0;
  if (liking !== 0) parts["node-affinity"] = liking;
  const boost = spread?.(node) ?? 0;
  if (boost !== 0) parts["allocation-spread"] = boost;
  const values = Object.values(parts);
  const normalized = values.reduce((sum, value) => sum + value, 0) / values.length;
  return { node: node.id, parts, normalized };
}

/** The weights of the affinities that a node meets, as a part of all weights: from -1 to 1. */
export type Affinity = (node: Node) => number;

/** The affinities of a group, its job and its tasks; undefined where there are none. */
export function affinityOf(job: Job, group: TaskGroup): Affinity | undefined {
  const affinities = [...job.affinities, ...group.affinities, ...group.tasks.flatMap((task) => task.affinities)];
  const compared = affinities.map((affinity) => ({ holds: comparisonOf(affinity), weight: affinity.weight }));
  const all = compared.reduce((sum, { weight }) => sum + Math.abs(weight), 0);
  if (all === 0) return undefined;
  return (node) => compared.reduce((sum, { holds, weight }) => (holds(node) ? sum + weight : sum), 0) / all;
}

/** From 0 for an empty node to 1 for one that is full in both (Google's best fit, v3). */
function fullness({ cpu, memory }: { readonly cpu: number; readonly memory: number }): number {
  const score = 20 - (10 ** cpu + 10 ** memory);
  return Math.min(18, Math.max(0, score)) / 18;
}
