import { allocationName } from "@millwright/scheduler/allocation";
import { jobVersionKey } from "../keys.ts";
import type { OrchestratorState } from "../state.ts";
import type { AllocationView } from "../world.ts";
import { versionJson } from "./job-json.ts";
import { nanoseconds, orNull, timeJson, withoutEmpty } from "./json-values.ts";
import { metricsJson } from "./metrics-json.ts";
import { resourcesJson } from "./resources-json.ts";
import { taskStateJson } from "./task-state-json.ts";

/** An allocation with the job that it belongs to; what is empty is left out. */
export function allocationJson(view: AllocationView, state: OrchestratorState): Readonly<Record<string, unknown>> {
  const { alloc, client, allocation, allocModified } = view;
  const version = versionOf(view, state);
  return withoutEmpty({
    ...headJson(view, state),
    DesiredTransition: allocation.shouldMigrate ? transitionJson(view) : null,
    Job: version ? versionJson(version, state) : null,
    ...resourcesOf(view, state),
    Metrics: metricsJson(alloc.metrics, alloc.choiceTime),
    NetworkStatus: client ? { InterfaceName: "", Address: "", DNS: null } : null,
    DeploymentID: allocation.deployment?.id ?? "",
    PreviousAllocation: allocation.replaces ?? "",
    AllocModifyIndex: state.indexOf(allocModified),
  });
}

/** What of an allocation's list may be asked for beside the rest. */
export interface StubFields {
  readonly resources: boolean;
  readonly taskStates: boolean;
}

/** An allocation as a list has it. */
export function allocationStubJson(view: AllocationView, state: OrchestratorState, fields: StubFields): object {
  const version = versionOf(view, state);
  const { TaskStates, ...head } = headJson(view, state);
  return {
    ...head,
    JobType: version?.job.type ?? "",
    JobVersion: view.allocation.version,
    DesiredTransition: transitionJson(view),
    ...(fields.resources ? { AllocatedResources: resourcesOf(view, state)?.AllocatedResources ?? null } : {}),
    TaskStates: fields.taskStates ? TaskStates : null,
    PreemptedAllocations: null,
    PreemptedByAllocation: "",
  };
}

function headJson(view: AllocationView, state: OrchestratorState) {
  const { alloc, client, allocation, created, modified } = view;
  const tasks = Object.entries(client?.tasks ?? {}).map(([name, task]) => [name, taskStateJson(task)] as const);
  return {
    ID: allocation.id,
    EvalID: alloc.evaluation,
    Name: allocationName(allocation),
    Namespace: allocation.namespace,
    NodeID: allocation.node,
    NodeName: alloc.nodeName,
    JobID: allocation.job,
    TaskGroup: allocation.group,
    DesiredStatus: allocation.desired,
    DesiredDescription: alloc.description,
    ClientStatus: allocation.client,
    ClientDescription: client?.description ?? "",
    TaskStates: orNull(Object.fromEntries(tasks)),
    DeploymentStatus: healthJson(view, state),
    FollowupEvalID: "",
    NextAllocation: allocation.replacedBy ?? "",
    RescheduleTracker: trackerJson(view),
    CreateIndex: state.indexOf(created),
    ModifyIndex: state.indexOf(modified),
    CreateTime: nanoseconds(allocation.created),
    ModifyTime: nanoseconds(Math.max(alloc.at, client?.at ?? 0)),
  };
}

/** Null where its health is nobody's business, or not known yet. */
function healthJson({ allocation, client }: AllocationView, state: OrchestratorState): object | null {
  const canary = allocation.deployment?.canary ?? false;
  const health = client?.health ?? null;
  if (!health && !canary) return null;
  return {
    Healthy: health?.healthy ?? null,
    Timestamp: timeJson(health?.at ?? null),
    Canary: canary,
    ModifyIndex: health && client ? state.indexOf(client.modified) : 0,
  };
}

function transitionJson({ allocation: { shouldMigrate } }: AllocationView): object {
  return { Migrate: shouldMigrate || null, Reschedule: null, ForceReschedule: null, NoShutdownDelay: null };
}

function trackerJson({ allocation: { reschedules } }: AllocationView): object | null {
  if (reschedules.length === 0) return null;
  const events = reschedules.map(({ at, from, node, delay }) => ({
    RescheduleTime: nanoseconds(at),
    PrevAllocID: from,
    PrevNodeID: node,
    Delay: nanoseconds(delay),
  }));
  return { Events: events };
}

/** Undefined where the version was forgotten: the job was purged. */
function versionOf({ allocation: { namespace, job, version } }: AllocationView, state: OrchestratorState) {
  return state.row("jobversion", jobVersionKey(namespace, job, version));
}

function resourcesOf(view: AllocationView, state: OrchestratorState) {
  const { allocation } = view;
  const group = versionOf(view, state)?.job.groups.find(({ name }) => name === allocation.group);
  const address = state.row("node", allocation.node)?.registration.Address ?? "";
  return group && resourcesJson(group, allocation, address);
}
