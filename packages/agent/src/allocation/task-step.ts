import type { TaskEvent, TaskState } from "@millwright/clients/nomad-node-protocol";
import { assertNever } from "@millwright/core/errors";
import type { RestartPolicy } from "@millwright/jobs/task";
import type { Moment } from "@millwright/scheduler/time";
import type { TaskExit } from "../driver/driver.ts";
import { decideRestart, noRestarts, type RestartTally } from "./restart-policy.ts";
import { taskEvents, withEvent } from "./task-events.ts";

/** What a task has come to; JSON, so that an agent that is started anew goes on from it. */
export interface TaskProgress {
  readonly phase: TaskPhase;
  readonly tally: RestartTally;
  readonly hasBegun: boolean;
  /** Whether it has run at least once. */
  readonly hasRun: boolean;
  readonly failed: boolean;
  readonly restarts: number;
  /** Moments; 0 for never. */
  readonly lastRestart: Moment;
  readonly startedAt: Moment;
  readonly finishedAt: Moment;
  readonly events: readonly TaskEvent[];
}

/**
 * `waiting`: its turn has not come. `preparing`: folders, credentials, artifacts, templates, and the start itself. `stopping`: it is
 * being ended, or what prepares it is. `resting`: it is started again when the delay is over. `dead`: nothing happens any more.
 */
export type TaskPhase =
  | { readonly kind: "waiting" | "preparing" | "running" | "dead" }
  | { readonly kind: "stopping"; readonly then: AfterStop }
  | { readonly kind: "resting"; readonly until: Moment };

/** What becomes of a task that was stopped. `restart` is somebody's wish, `failure` counts as one of the task's own. */
export type AfterStop = "end" | "restart" | "failure";

/** `fraction` is chance, in [0, 1). */
export type TaskInput = { readonly at: Moment; readonly fraction: number } & (
  | { readonly kind: "begin" | "started" | "rested" }
  /** Something worth a line. */
  | { readonly kind: "noted"; readonly event: TaskEvent }
  /** It could not be prepared or started; where `isFinal`, another try does not help. */
  | { readonly kind: "startFailed"; readonly event: TaskEvent; readonly isFinal: boolean }
  | { readonly kind: "exited"; readonly exit: TaskExit }
  /** It is to end; the event says why where there is more to say than that. */
  | { readonly kind: "killAsked"; readonly event?: TaskEvent }
  | { readonly kind: "restartAsked"; readonly event: TaskEvent; readonly isFailure: boolean }
);

export type TaskAction =
  | { readonly kind: "prepare" }
  /** End what prepares it. */
  | { readonly kind: "abandon" }
  | { readonly kind: "stop" }
  | { readonly kind: "rest"; readonly until: Moment }
  /** It does not run at present. */
  | { readonly kind: "exited" }
  /** It never runs again: what it held is given back. */
  | { readonly kind: "finish" };

export interface TaskRule {
  readonly restart: RestartPolicy;
  /** Whether it is over when it has ended well: tasks of batch jobs, and those beside the others that are no sidecars. */
  readonly endsWell: boolean;
  /** Milliseconds. */
  readonly killTimeout: number;
}

export interface TaskStep {
  readonly progress: TaskProgress;
  readonly actions: readonly TaskAction[];
}

export const newTask: TaskProgress = {
  phase: { kind: "waiting" },
  tally: noRestarts,
  hasBegun: false,
  hasRun: false,
  failed: false,
  restarts: 0,
  lastRestart: 0,
  startedAt: 0,
  finishedAt: 0,
  events: [],
};

/** What follows from an input. Pure: what is to be done goes out as actions, and comes back as inputs. */
export function stepTask(rule: TaskRule, progress: TaskProgress, input: TaskInput): TaskStep {
  const { phase } = progress;
  switch (input.kind) {
    case "noted":
      return only(told(progress, input.event));
    case "begin":
      if (phase.kind !== "waiting") return only(progress);
      return prepare({ ...progress, hasBegun: true });
    case "started":
      return started(rule, progress, input.at);
    case "startFailed":
      return startFailed(rule, progress, input);
    case "exited":
      return exited(rule, progress, input);
    case "killAsked":
      return killAsked(rule, progress, input);
    case "restartAsked":
      return restartAsked(rule, progress, input);
    case "rested":
      if (phase.kind !== "resting") return only(progress);
      return prepare(progress);
    default:
      return assertNever(input);
  }
}

/** The task as the servers see it. */
export function taskStateOf({ phase, ...progress }: TaskProgress): TaskState {
  const isUp = phase.kind === "running" || (phase.kind === "stopping" && progress.startedAt > progress.finishedAt);
  return {
    State: phase.kind === "dead" ? "dead" : isUp ? "running" : "pending",
    Failed: progress.failed,
    Restarts: progress.restarts,
    LastRestart: progress.lastRestart,
    StartedAt: progress.startedAt,
    FinishedAt: progress.finishedAt,
    Events: progress.events,
  };
}

function prepare(progress: TaskProgress): TaskStep {
  return { progress: { ...progress, phase: { kind: "preparing" } }, actions: [{ kind: "prepare" }] };
}

function only(progress: TaskProgress): TaskStep {
  return { progress, actions: [] };
}

function told(progress: TaskProgress, ...events: readonly TaskEvent[]): TaskProgress {
  return { ...progress, events: events.reduce(withEvent, progress.events) };
}

function started({ killTimeout }: TaskRule, progress: TaskProgress, at: Moment): TaskStep {
  const { phase } = progress;
  if (phase.kind !== "preparing" && phase.kind !== "stopping") return only(progress);
  const up = { ...told(progress, taskEvents.started(at)), hasRun: true, startedAt: at, finishedAt: 0 };
  // Its end was asked for while it was starting.
  if (phase.kind === "stopping")
    return { progress: told(up, taskEvents.killing(at, killTimeout)), actions: [{ kind: "stop" }] };
  return only({ ...up, phase: { kind: "running" } });
}

function startFailed(
  rule: TaskRule,
  progress: TaskProgress,
  input: Extract<TaskInput, { readonly kind: "startFailed" }>,
): TaskStep {
  const { phase } = progress;
  if (phase.kind === "stopping") return afterStop(rule, progress, phase.then, input);
  if (phase.kind !== "preparing") return only(progress);
  const next = { ...told(progress, input.event), finishedAt: input.at };
  return input.isFinal ? gaveUp(next, "Error was unrecoverable", input.at) : again(rule, next, input);
}

function exited(
  rule: TaskRule,
  before: TaskProgress,
  input: Extract<TaskInput, { readonly kind: "exited" }>,
): TaskStep {
  const { exit } = input;
  const { phase } = before;
  if (phase.kind !== "running" && phase.kind !== "stopping") return only(before);
  const progress = { ...told(before, taskEvents.terminated(exit)), finishedAt: exit.at };
  if (phase.kind === "stopping") return afterStop(rule, progress, phase.then, input);
  const isWell = exit.exitCode === 0 && exit.signal === 0 && !exit.oomKilled && exit.lost === "";
  if (isWell && rule.endsWell) return dead(progress, []);
  const next = again(rule, progress, input);
  return { ...next, actions: [{ kind: "exited" }, ...next.actions] };
}

function killAsked(
  { killTimeout }: TaskRule,
  before: TaskProgress,
  { at, event }: Extract<TaskInput, { readonly kind: "killAsked" }>,
): TaskStep {
  const { phase } = before;
  const progress = event ? told(before, event) : before;
  const stopping: TaskPhase = { kind: "stopping", then: "end" };
  switch (phase.kind) {
    case "dead":
      return only(before);
    case "waiting":
    case "resting":
      return dead({ ...progress, finishedAt: at }, [taskEvents.killed(at)]);
    case "preparing":
      return { progress: { ...progress, phase: stopping }, actions: [{ kind: "abandon" }] };
    case "running": {
      const next = told(progress, taskEvents.killing(at, killTimeout));
      return { progress: { ...next, phase: stopping }, actions: [{ kind: "stop" }] };
    }
    case "stopping":
      return phase.then === "end" ? only(before) : only({ ...progress, phase: stopping });
    default:
      return assertNever(phase);
  }
}

function restartAsked(
  { killTimeout }: TaskRule,
  before: TaskProgress,
  { at, event, isFailure }: Extract<TaskInput, { readonly kind: "restartAsked" }>,
): TaskStep {
  if (before.phase.kind !== "running") return only(before);
  const progress = told(before, event, taskEvents.killing(at, killTimeout));
  const then = isFailure ? "failure" : "restart";
  return { progress: { ...progress, phase: { kind: "stopping", then } }, actions: [{ kind: "stop" }] };
}

function afterStop(
  rule: TaskRule,
  progress: TaskProgress,
  then: AfterStop,
  { at, fraction }: { readonly at: Moment; readonly fraction: number },
): TaskStep {
  switch (then) {
    case "end":
      return dead({ ...progress, finishedAt: progress.finishedAt || at }, [taskEvents.killed(at)]);
    case "restart": {
      const next = told(progress, taskEvents.restarting(at, "", 0));
      return resting({ ...next, restarts: next.restarts + 1, lastRestart: at }, at);
    }
    case "failure": {
      const next = again(rule, progress, { at, fraction });
      return { ...next, actions: [{ kind: "exited" }, ...next.actions] };
    }
    default:
      return assertNever(then);
  }
}

function again(
  { restart }: TaskRule,
  progress: TaskProgress,
  { at, fraction }: { readonly at: Moment; readonly fraction: number },
): TaskStep {
  const decision = decideRestart(restart, progress.tally, { at, fraction });
  const next = { ...progress, tally: decision.tally };
  if (decision.kind === "giveUp") return gaveUp(next, decision.reason, at);
  const { after, reason } = decision;
  const counted = { ...next, restarts: next.restarts + 1, lastRestart: at };
  const { phase, actions } = rest(at + after);
  return { progress: { ...told(counted, taskEvents.restarting(at, reason, after)), phase }, actions };
}

function resting(progress: TaskProgress, until: Moment): TaskStep {
  const { phase, actions } = rest(until);
  return { progress: { ...progress, phase }, actions: [{ kind: "exited" }, ...actions] };
}

function rest(until: Moment): { readonly phase: TaskPhase; readonly actions: readonly TaskAction[] } {
  return { phase: { kind: "resting", until }, actions: [{ kind: "rest", until }] };
}

function gaveUp(progress: TaskProgress, reason: string, at: Moment): TaskStep {
  const failed = { ...progress, failed: true, finishedAt: progress.finishedAt || at };
  return dead(failed, [taskEvents.notRestarting(at, reason)]);
}

function dead(progress: TaskProgress, events: readonly TaskEvent[]): TaskStep {
  return { progress: { ...told(progress, ...events), phase: { kind: "dead" } }, actions: [{ kind: "finish" }] };
}
