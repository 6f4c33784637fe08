import { byGroup, failedGroupLines } from "@millwright/clients/nomad-placement";
import type { AllocationListStub, AllocationMetric } from "@millwright/clients/nomad-records";
import { tellingEvent } from "@millwright/clients/nomad-task-events";

/** Why groups found no place, a line for each group and each reason; none where all have one. */
export function unplacedLines(failed: Readonly<Record<string, AllocationMetric>>): readonly string[] {
  return byGroup(failed).flatMap(([group, metric]) => failedGroupLines(group, metric));
}

/** What is wrong with allocations that are not well, a line each, and one for each task's most telling event. */
export function unwellLines(allocations: readonly AllocationListStub[]): readonly string[] {
  return allocations.filter(isUnwell).flatMap((one) => [
    `Allocation ${one.ID.slice(0, 8)} (${one.Name}) on ${one.NodeName || one.NodeID.slice(0, 8)} is ${wordFor(one)}.`,
    ...byGroup(one.TaskStates).flatMap(([task, { Events }]) => {
      const event = tellingEvent(Events) ?? Events.at(-1);
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
