import type { AllocationListStub, AllocationMetric, TaskEvent } from "@millwright/clients/nomad-records";

/** Why groups found no place, a line for each group and each reason; none where all have one. */
export function placementLines(failed: Readonly<Record<string, AllocationMetric>>): readonly string[] {
  return sorted(failed).flatMap(([group, metric]) => {
    const count = metric.CoalescedFailures + 1;
    const title = `Group ${JSON.stringify(group)}: no place for ${count} ${count === 1 ? "allocation" : "allocations"}`;
    return [title, ...reasonsIn(metric).map((reason) => `  ${reason}`)];
  });
}

function reasonsIn(metric: AllocationMetric): readonly string[] {
  return [
    ...(metric.NodesEvaluated === 0 ? ["No node is ready in its datacenters and node pool."] : []),
    ...sorted(metric.ConstraintFiltered).map(
      ([name, count]) => `Constraint ${JSON.stringify(name)} excludes ${nodes(count)}.`,
    ),
    ...sorted(metric.DimensionExhausted).map(
      ([name, count]) => `Dimension ${JSON.stringify(name)} is exhausted on ${nodes(count)}.`,
    ),
    ...metric.QuotaExhausted.map((name) => `The quota ${JSON.stringify(name)} is used up.`),
  ];
}

/** What is wrong with allocations that are not well, a line each, and one for each task's last telling event. */
export function allocationLines(allocations: readonly AllocationListStub[]): readonly string[] {
  return allocations.filter(isUnwell).flatMap((one) => [
    `Allocation ${one.ID.slice(0, 8)} (${one.Name}) on ${one.NodeName || one.NodeID.slice(0, 8)} is ${wordFor(one)}.`,
    ...sorted(one.TaskStates).flatMap(([task, { Events }]) => {
      const event = tellingIn(Events);
      return event ? [`  Task ${JSON.stringify(task)}: ${event.Type}: ${event.DisplayMessage || event.Message}`] : [];
    }),
  ]);
}

function isUnwell({ ClientStatus, DeploymentStatus }: AllocationListStub): boolean {
  return DeploymentStatus?.Healthy !== true && ClientStatus !== "complete";
}

function wordFor({ ClientStatus, DeploymentStatus }: AllocationListStub): string {
  return DeploymentStatus?.Healthy === false ? `${ClientStatus} and unhealthy` : ClientStatus;
}

/** What says best why a task is not well, the best first; other events only say what happens. */
const telling: readonly (readonly string[])[] = [
  ["Driver Failure", "Setup Failure", "Failed Artifact Download", "Failed Validation", "Hook Failed", "Template"],
  ["Terminated"],
  ["Alloc Unhealthy", "Not Restarting"],
];

function tellingIn(events: readonly TaskEvent[]): TaskEvent | undefined {
  for (const types of telling) {
    const last = events.findLast(({ Type }) => types.includes(Type));
    if (last) return last;
  }
  return events.at(-1);
}

function nodes(count: number): string {
  return count === 1 ? "1 node" : `${count} nodes`;
}

function sorted<T>(named: Readonly<Record<string, T>>): readonly (readonly [string, T])[] {
  return Object.entries(named).sort(([a], [b]) => (a < b ? -1 : 1));
}
