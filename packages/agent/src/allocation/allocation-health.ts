import type { AllocationUpdate, NodeAllocation } from "@millwright/clients/nomad-node-protocol";
import type { Job, TaskGroup } from "@millwright/jobs/job";
import {
  type HealthEvent,
  type HealthRule,
  type HealthState,
  nextHealthTick,
  stepHealth,
} from "@millwright/scheduler/health";
import { milliseconds } from "@millwright/scheduler/time";
import type { KeptHealth } from "./kept-allocation.ts";

/** Undefined where nobody asks how an allocation comes up: jobs that are no services, and those whose operator says it himself. */
export function healthRule({ type }: Job, { update }: TaskGroup): HealthRule | undefined {
  if (type !== "service" || update === null || update.healthCheck === "manual") return undefined;
  return { minHealthyTime: milliseconds(update.minHealthyTime), deadline: milliseconds(update.healthyDeadline) };
}

/** What an allocation is seen to be. */
export interface Sight {
  readonly at: number;
  /** Whether all tasks run that should. */
  readonly isUp: boolean;
  /** A check that does not pass. */
  readonly failingCheck: string | undefined;
  /** A task that has failed for good. */
  readonly failedTask: string | undefined;
}

/** How it has come up so far. Another rollout asks anew. */
export function watchedHealth(before: KeptHealth | null, wanted: NodeAllocation, at: number): KeptHealth {
  const rollout = wanted.Deployment?.ID ?? "";
  // Out of its rollout it stays as it was decided there.
  if (before && (before.rollout === rollout || rollout === "")) return before;
  return { rollout, state: { kind: "waiting", since: at }, at: 0 };
}

export function stepSight(health: KeptHealth, sight: Sight, rule: HealthRule, asksChecks: boolean): KeptHealth {
  const { at, isUp, failingCheck, failedTask } = sight;
  const isWell = isUp && (!asksChecks || failingCheck === undefined);
  const event: HealthEvent =
    failedTask === undefined ? { kind: isWell ? "well" : "unwell", at } : { kind: "taskFailed", task: failedTask, at };
  const state = explained(stepHealth(health.state, event, rule), health.state, sight);
  const isDecided = state.kind === "proved" || state.kind === "failed";
  return { ...health, state, at: health.at === 0 && isDecided ? at : health.at };
}

/** When it is to be looked at again if nothing happens. */
export function nextLook({ state }: KeptHealth, rule: HealthRule): number | undefined {
  return nextHealthTick(state, rule);
}

/** As it is reported; null before it is decided. */
export function reportedHealth(health: KeptHealth | null): AllocationUpdate["Health"] {
  if (health?.state.kind === "proved") return { Healthy: true, At: health.at, Why: "" };
  if (health?.state.kind === "failed") return { Healthy: false, At: health.at, Why: health.state.why };
  return null;
}

// What was in the way of it at that moment is what an operator has to look at.
function explained(state: HealthState, before: HealthState, { isUp, failingCheck }: Sight): HealthState {
  if (state.kind !== "failed" || before.kind === "failed" || !isUp || failingCheck === undefined) return state;
  return { ...state, why: `${state.why}: the check ${JSON.stringify(failingCheck)} does not pass` };
}
