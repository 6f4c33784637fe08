import type { AllocationMetric } from "./nomad-records.ts";

/** Why a group's allocations found no node, a line each, and last what to do. */
export function placementLines(metric: AllocationMetric): readonly string[] {
  const lines = reasons(metric).map((reason) => `* ${reason}`);
  return [...lines, ...adviceFor(metric)];
}

function reasons(metric: AllocationMetric): readonly string[] {
  return [
    ...(metric.NodesEvaluated === 0 ? ["No nodes were eligible for evaluation"] : []),
    ...named(metric.NodesAvailable)
      .filter(([, count]) => count === 0)
      .map(([name]) => `No nodes are available in datacenter ${JSON.stringify(name)}`),
    ...named(metric.ClassFiltered).map(([name, count]) => `Class ${JSON.stringify(name)}: ${excluded(count)}`),
    ...named(metric.ConstraintFiltered).map(
      ([name, count]) => `Constraint ${JSON.stringify(name)}: ${excluded(count)}`,
    ),
    ...(metric.NodesExhausted > 0 ? [`Resources exhausted on ${nodes(metric.NodesExhausted)}`] : []),
    ...named(metric.ClassExhausted).map(
      ([name, count]) => `Class ${JSON.stringify(name)} exhausted on ${nodes(count)}`,
    ),
    ...named(metric.DimensionExhausted).map(
      ([name, count]) => `Dimension ${JSON.stringify(name)} exhausted on ${nodes(count)}`,
    ),
    ...metric.QuotaExhausted.map((name) => `Quota limit hit ${JSON.stringify(name)}`),
  ];
}

function excluded(count: number): string {
  return `${nodes(count)} excluded by filter`;
}

// Always in the plural, as the tool has it: people search their logs for these words.
function nodes(count: number): string {
  return `${count} nodes`;
}

function named(counts: Readonly<Record<string, number>>): readonly (readonly [string, number])[] {
  return Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1));
}

function adviceFor(metric: AllocationMetric): readonly string[] {
  const [dimension] = named(metric.DimensionExhausted)[0] ?? [];
  if (dimension !== undefined) return [adviceForDimension(dimension)];
  const [constraint] = named(metric.ConstraintFiltered)[0] ?? [];
  if (constraint === "missing drivers")
    return [
      'Ask for a driver that "node status -verbose ID" shows as healthy, or',
      "have it there: docker needs an engine that runs (Debian: docker.io).",
    ];
  if (constraint !== undefined) return ["Loosen the constraint, or run a node that meets it."];
  if (metric.NodesEvaluated === 0)
    return [
      "Compare the job's datacenters and node pool with the nodes that",
      '"node status" shows as ready and eligible.',
    ];
  return [];
}

function adviceForDimension(dimension: string): string {
  if (dimension.startsWith("network: reserved port collision"))
    return "That port is taken there: stop what has it, or let the port be dynamic.";
  if (dimension.startsWith("network")) return "Ask for less of the network, or run more nodes.";
  return `Ask for less ${dimension}, stop what needs it there, or run more nodes.`;
}

/** `Task Group "app" (failed to place 2 allocations):` and what is known of why. */
export function failedGroupLines(
  group: string,
  metric: AllocationMetric,
  { indent = "" }: { readonly indent?: string } = {},
): readonly string[] {
  const count = metric.CoalescedFailures + 1;
  const title = `Task Group ${JSON.stringify(group)} (failed to place ${count} ${count === 1 ? "allocation" : "allocations"}):`;
  return [`${indent}${title}`, ...placementLines(metric).map((line) => `${indent}  ${line}`)];
}

/** Failed groups in the order of their names. */
export function byGroup<T>(groups: Readonly<Record<string, T>>): readonly (readonly [string, T])[] {
  return Object.entries(groups).sort(([a], [b]) => (a < b ? -1 : 1));
}
