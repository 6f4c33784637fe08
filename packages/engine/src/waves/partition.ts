import type { ApplyNode } from "../apply/graph.ts";
import type { Graph } from "../graph.ts";
import { GraphBuilder, groupsOf } from "../graph.ts";
import type { InstanceChange } from "../plan/plan.ts";
import { roomOf, type WaveSize } from "./sizes.ts";

/** Steps cut into waves, to be carried out one after another: the changes of a plan, the instances of a list. */
export interface Waves<T> {
  /** Each wave's steps, in their own order. Those that count for nothing are in the wave of what needs them first. */
  readonly waves: readonly (readonly T[])[];
  readonly waveOf: ReadonlyMap<T, number>;
}

/**
 * Cuts the changes of an apply into waves of the given sizes. A change is never in an earlier wave than one it comes after. A
 * replacement is never split, nor are changes that each wait for a part of the other (what a new object is made for moves to
 * it before the old one goes): such a group is one wave's, even where it is larger than the wave was to be.
 */
export function partition(
  graph: Graph<ApplyNode>,
  changes: readonly InstanceChange[],
  sizes: readonly WaveSize[],
): Waves<InstanceChange> {
  return cutIntoWaves(unitsOf(graph), changes, { sizes, counts });
}

/**
 * Cuts steps into waves of the given sizes: none is in an earlier wave than one that it depends on, and those that depend on
 * each other are together. What does not count takes no room. Nodes without a step only stand between others.
 */
export function cutIntoWaves<T>(
  units: Graph<T | undefined>,
  steps: readonly T[],
  { sizes, counts }: { readonly sizes: readonly WaveSize[]; counts(step: T): boolean },
): Waves<T> {
  const all = steps.filter(counts).length;
  const taken: number[] = [];
  const waveOfUnit = new Map<string, number>();
  const waveOf = new Map<T, number>();
  for (const group of groupsOf(units)) {
    const members = group.flatMap((id) => units.nodes.get(id) ?? []);
    const weight = members.filter(counts).length;
    let wave = 0;
    for (const id of group)
      for (const to of units.dependencies.get(id)!) wave = Math.max(wave, waveOfUnit.get(to) ?? 0);
    if (weight > 0) {
      while ((taken[wave] ?? 0) > 0 && taken[wave]! + weight > roomOf(sizes, wave, all)) wave++;
      while (taken.length <= wave) taken.push(0);
      taken[wave]! += weight;
    }
    for (const id of group) waveOfUnit.set(id, wave);
    for (const step of members) waveOf.set(step, wave);
  }
  const waves: T[][] = taken.map(() => []);
  for (const step of steps) {
    const wave = waveOf.get(step);
    if (wave !== undefined) waves[wave]?.push(step);
  }
  return { waves, waveOf };
}

function counts({ action }: InstanceChange): boolean {
  return action !== "read" && action !== "no-op" && action !== "forget";
}

/** The apply's graph with all steps of one change as one node; what declares and changes nothing stays, without a change. */
function unitsOf(graph: Graph<ApplyNode>): Graph<InstanceChange | undefined> {
  const builder = new GraphBuilder<InstanceChange | undefined>();
  const unitOf = new Map<string, string>();
  for (const [id, node] of graph.nodes) {
    const change = "change" in node ? node.change : undefined;
    const unit = change ? `${change.address.text} ${change.deposedKey ?? ""}` : id;
    unitOf.set(id, unit);
    builder.add(unit, change);
  }
  for (const [id, all] of graph.dependencies) {
    const from = unitOf.get(id)!;
    for (const dependency of all) {
      const to = unitOf.get(dependency)!;
      if (from !== to) builder.depend(from, to);
    }
  }
  return builder.build();
}
