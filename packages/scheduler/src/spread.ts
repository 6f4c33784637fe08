import type { Spread } from "@millwright/jobs/constraint";
import type { Job, TaskGroup } from "@millwright/jobs/job";
import type { JobUse } from "./job-use.ts";
import type { Node } from "./snapshot.ts";
import { targetOf } from "./target.ts";

/** How much better spread a group would be with one more on a node: the sum of its spreads by their weights. */
export type SpreadBoost = (node: Node) => number;

/** The boost by the spreads of a group and its job, as things stand in `use`; undefined where there are none. */
export function spreadBoostOf(job: Job, group: TaskGroup, use: JobUse): SpreadBoost | undefined {
  const spreads = [...group.spreads, ...job.spreads];
  if (spreads.length === 0) return undefined;
  const weights = spreads.reduce((sum, { weight }) => sum + weight, 0);
  const boosts = spreads.map((spread) => {
    const counts = use.countBy(targetOf(spread.attribute), group.name);
    const boost = spread.targets.length > 0 ? byTargets(spread, counts, group.count) : evenly(spread, counts);
    return { boost, share: weights === 0 ? 0 : spread.weight / weights };
  });
  return (node) => boosts.reduce((sum, { boost, share }) => sum + boost(node) * share, 0);
}

/** How far below its part of the count a value is. What the targets leave over is for all other values. */
function byTargets({ attribute, targets }: Spread, counts: ReadonlyMap<string, number>, count: number): SpreadBoost {
  const valueOf = targetOf(attribute);
  const desired = new Map(targets.map(({ value, percent }) => [value, (percent / 100) * count]));
  const rest = count - [...desired.values()].reduce((sum, part) => sum + part, 0);
  return (node) => {
    const value = valueOf(node);
    const wanted = value === undefined ? 0 : (desired.get(value) ?? rest);
    if (value === undefined || wanted <= 0) return -1;
    return Math.max(-1, (wanted - ((counts.get(value) ?? 0) + 1)) / wanted);
  };
}

/** How far below the most used value one is: from 1 for one that is not in use, to -1 where all are even. */
function evenly({ attribute }: Spread, counts: ReadonlyMap<string, number>): SpreadBoost {
  const valueOf = targetOf(attribute);
  if (counts.size === 0) return (node) => (valueOf(node) === undefined ? -1 : 0);
  const [least, most] = [Math.min(...counts.values()), Math.max(...counts.values())];
  return (node) => {
    const value = valueOf(node);
    if (value === undefined) return -1;
    const count = counts.get(value) ?? 0;
    if (count !== least) return Math.max(-1, (least - count) / least);
    return least === most ? -1 : Math.min(1, (most - least) / least);
  };
}
