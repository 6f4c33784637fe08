import type { PlacementMetrics } from "@millwright/scheduler/metrics";
import { orNull } from "./json-values.ts";

/** What became of the nodes in the choice of one, as an allocation and an evaluation show it; `took` is in nanoseconds, 0 for unknown. */
export function metricsJson(metrics: PlacementMetrics, took: number): object {
  return {
    NodesEvaluated: metrics.nodesEvaluated,
    NodesFiltered: metrics.nodesFiltered,
    NodesInPool: metrics.nodesInPool,
    NodesAvailable: metrics.nodesAvailable,
    ClassFiltered: orNull(metrics.classFiltered),
    ConstraintFiltered: orNull(metrics.constraintFiltered),
    NodesExhausted: metrics.nodesExhausted,
    ClassExhausted: orNull(metrics.classExhausted),
    DimensionExhausted: orNull(metrics.dimensionExhausted),
    QuotaExhausted: null,
    ResourcesExhausted: null,
    Scores: null,
    ScoreMetaData: orNull(
      metrics.scores.map(({ node, parts, normalized }) => ({ NodeID: node, Scores: parts, NormScore: normalized })),
    ),
    AllocationTime: took,
    CoalescedFailures: metrics.coalescedFailures,
  };
}

/** The groups that found no place, by name; null where all did. */
export function failedJson(
  failed: Readonly<Record<string, { readonly metrics: PlacementMetrics }>>,
): Readonly<Record<string, object>> | null {
  return orNull(
    Object.fromEntries(Object.entries(failed).map(([group, { metrics }]) => [group, metricsJson(metrics, 0)])),
  );
}
