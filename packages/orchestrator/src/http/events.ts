import type { ServerIdentity } from "../context.ts";
import type { OrchestratorState } from "../state.ts";
import { allocationJson } from "./allocation-json.ts";
import { deploymentJson } from "./deployment-json.ts";
import { evaluationJson } from "./evaluation-json.ts";
import { jobJson } from "./job-json.ts";
import { activityOf } from "./job-status.ts";
import { nodeJson } from "./node-json.ts";

export const eventTopics = ["Job", "Allocation", "Evaluation", "Deployment", "Node"] as const;
export type EventTopic = (typeof eventTopics)[number];

/** That something came or changed, and how it is now. */
export interface StreamEvent {
  readonly Topic: EventTopic;
  readonly Type: string;
  /** Its name or id. */
  readonly Key: string;
  readonly Namespace: string;
  /** By what else it is asked for: the job and the rollout that it belongs to. */
  readonly FilterKeys: readonly string[] | null;
  readonly Index: number;
  /** Made when it is asked for, as most are not. */
  payload(): object;
}

/** What has changed since a revision, as it is now, one after another by index. What changed twice is told once. */
export function eventsSince(
  state: OrchestratorState,
  revision: number,
  topics: ReadonlySet<EventTopic>,
  identity: ServerIdentity,
): readonly StreamEvent[] {
  const readers: { readonly [T in EventTopic]: () => readonly StreamEvent[] } = {
    Job: () => jobEvents(state, revision),
    Allocation: () => allocationEvents(state, revision),
    Evaluation: () => evaluationEvents(state, revision),
    Deployment: () => deploymentEvents(state, revision),
    Node: () => nodeEvents(state, revision, identity),
  };
  return [...topics].flatMap((topic) => readers[topic]()).sort((a, b) => a.Index - b.Index);
}

function jobEvents(state: OrchestratorState, revision: number): readonly StreamEvent[] {
  return [...state.rows("job")].flatMap(({ namespace, id }) => {
    const view = state.derived.job(namespace, id);
    if (!view || view.modified <= revision) return [];
    return {
      Topic: "Job" as const,
      Type: view.current.isStopped ? "JobDeregistered" : "JobRegistered",
      Key: id,
      Namespace: namespace,
      FilterKeys: null,
      Index: state.indexOf(view.modified),
      payload: () => ({ Job: jobJson(view, view.current, activityOf(state.derived, view).status, state) }),
    };
  });
}

function allocationEvents(state: OrchestratorState, revision: number): readonly StreamEvent[] {
  return [...state.rows("alloc")].flatMap(({ key }) => {
    const view = state.derived.allocation(key);
    if (!view || view.modified <= revision) return [];
    const { allocation, created, allocModified, modified } = view;
    const isOld = allocModified > revision ? "AllocationUpdateDesiredStatus" : "AllocationUpdated";
    return {
      Topic: "Allocation" as const,
      Type: created > revision ? "AllocationCreated" : isOld,
      Key: key,
      Namespace: allocation.namespace,
      FilterKeys: [allocation.job, ...(allocation.deployment ? [allocation.deployment.id] : [])],
      Index: state.indexOf(modified),
      payload: () => {
        const { Job: _, ...shown } = allocationJson(view, state);
        return { Allocation: shown };
      },
    };
  });
}

function evaluationEvents(state: OrchestratorState, revision: number): readonly StreamEvent[] {
  return [...state.rows("eval")]
    .filter(({ modified }) => modified > revision)
    .map((row) => ({
      Topic: "Evaluation",
      Type: "EvaluationUpdated",
      Key: row.id,
      Namespace: row.namespace,
      FilterKeys: [row.job, ...(row.deployment === null ? [] : [row.deployment])],
      Index: state.indexOf(row.modified),
      payload: () => ({ Evaluation: evaluationJson(row, state) }),
    }));
}

function deploymentEvents(state: OrchestratorState, revision: number): readonly StreamEvent[] {
  return [...state.rows("deployment")]
    .filter(({ modified }) => modified > revision)
    .map((row) => ({
      Topic: "Deployment",
      Type: "DeploymentStatusUpdate",
      Key: row.key,
      Namespace: row.deployment.namespace,
      FilterKeys: [row.deployment.job],
      Index: state.indexOf(row.modified),
      payload: () => ({ Deployment: deploymentJson(row, state) }),
    }));
}

function nodeEvents(state: OrchestratorState, revision: number, identity: ServerIdentity): readonly StreamEvent[] {
  return [...state.rows("node")].flatMap(({ key }) => {
    const view = state.derived.node(key);
    if (!view || view.modified <= revision) return [];
    return {
      Topic: "Node" as const,
      Type: view.row.modified > revision ? "NodeRegistration" : "NodeStreamEvent",
      Key: key,
      Namespace: "",
      FilterKeys: null,
      Index: state.indexOf(view.modified),
      payload: () => ({ Node: nodeJson(view, state, identity) }),
    };
  });
}
