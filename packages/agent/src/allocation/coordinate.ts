import type { ClientStatus } from "@millwright/clients/nomad-node-protocol";
import { assertNever } from "@millwright/core/errors";
import type { Task } from "@millwright/jobs/task";
import type { TaskProgress } from "./task-step.ts";

/** When in the life of its group a task runs; a sidecar as long as the main tasks do. */
export type TaskRole = "prestart" | "prestartSidecar" | "main" | "poststart" | "poststartSidecar" | "poststop";

/** A task of a group, and what it has come to. */
export interface CoordinatedTask {
  readonly name: string;
  readonly role: TaskRole;
  /** When it ends, the others are ended. */
  readonly isLeader: boolean;
  readonly progress: TaskProgress;
}

/** What a task is to be told now. */
export type Directive =
  | { readonly kind: "begin"; readonly task: string }
  | { readonly kind: "kill"; readonly task: string; readonly why: EndReason };

export type EndReason =
  | { readonly kind: "stopped" | "leaderDead" | "mainDead" }
  | { readonly kind: "siblingFailed"; readonly sibling: string };

export function roleOf({ lifecycle }: Task): TaskRole {
  if (lifecycle === null) return "main";
  const { hook, sidecar } = lifecycle;
  if (hook === "prestart") return sidecar ? "prestartSidecar" : "prestart";
  if (hook === "poststart") return sidecar ? "poststartSidecar" : "poststart";
  return "poststop";
}

/**
 * What follows for each task from how all of them are: who begins, and who is ended. Asking twice is as once: whoever has begun or is
 * being ended takes no notice.
 *
 * `isStopping`: the whole allocation is to end.
 */
export function coordinate(tasks: readonly CoordinatedTask[], isStopping: boolean): readonly Directive[] {
  const why = endReason(tasks, isStopping);
  const before = tasks.filter(({ role }) => role !== "poststop");
  const after = tasks.filter(({ role }) => role === "poststop");
  const directives = why ? inOrder(before, why) : whoBegins(before);
  if (!before.every(isDead)) return directives;
  // What cleans up has nothing to clean up where nothing has begun.
  const hasBegun = before.some(({ progress }) => progress.hasBegun);
  if (hasBegun) return [...directives, ...after.map(({ name: task }) => ({ kind: "begin", task }) as const)];
  return [...directives, ...after.map((task) => kill(task, { kind: "stopped" }))];
}

/** How the servers are to see an allocation: by its tasks, and whether any of them goes on. */
export function clientStatusOf(tasks: readonly CoordinatedTask[]): {
  readonly status: ClientStatus;
  readonly description: string;
} {
  const hasRun = tasks.some(({ progress }) => progress.hasRun);
  if (!tasks.every(isDead)) {
    return hasRun
      ? { status: "running", description: "Tasks are running" }
      : { status: "pending", description: "No tasks have started" };
  }
  return tasks.some(({ progress }) => progress.failed)
    ? { status: "failed", description: "Failed tasks" }
    : { status: "complete", description: "All tasks have completed" };
}

/** Whether everything runs that should while the group is up, and what had to end well before has. */
export function isUp(tasks: readonly CoordinatedTask[]): boolean {
  return tasks.every(({ role, progress }) => {
    switch (role) {
      case "main":
      case "prestartSidecar":
      case "poststartSidecar":
        return progress.phase.kind === "running";
      case "prestart":
      case "poststart":
        return progress.phase.kind === "dead" && !progress.failed;
      case "poststop":
        return true;
      default:
        return assertNever(role);
    }
  });
}

/** Undefined while there is no reason for any to be ended. */
function endReason(tasks: readonly CoordinatedTask[], isStopping: boolean): EndReason | undefined {
  const before = tasks.filter(({ role }) => role !== "poststop");
  const failed = before.find((task) => isDead(task) && task.progress.failed);
  if (failed) return { kind: "siblingFailed", sibling: failed.name };
  if (isStopping) return { kind: "stopped" };
  if (before.some((task) => task.isLeader && isDead(task))) return { kind: "leaderDead" };
  const main = before.filter(({ role }) => role === "main");
  return main.length > 0 && main.every(isDead) ? { kind: "mainDead" } : undefined;
}

/** The leader first, then the main tasks, then the sidecars: each as long as those before it may still need it. */
function inOrder(tasks: readonly CoordinatedTask[], why: EndReason): readonly Directive[] {
  const alive = tasks.filter((task) => !isDead(task));
  const waiting = alive.filter(({ progress }) => progress.phase.kind === "waiting");
  const ranks = [
    alive.filter(({ isLeader }) => isLeader),
    alive.filter(({ role }) => role !== "prestartSidecar" && role !== "poststartSidecar"),
    alive,
  ];
  const first = ranks.find((rank) => rank.length > 0) ?? [];
  return [...new Set([...waiting, ...first])].map((task) => kill(task, why));
}

function whoBegins(tasks: readonly CoordinatedTask[]): readonly Directive[] {
  const of = (...roles: readonly TaskRole[]) => tasks.filter(({ role }) => roles.includes(role));
  const isPrepared =
    of("prestart").every(({ progress }) => progress.phase.kind === "dead" && !progress.failed) &&
    of("prestartSidecar").every(({ progress }) => progress.hasRun);
  const areMainUp = of("main").every(({ progress }) => progress.hasRun);
  return [
    ...of("prestart", "prestartSidecar"),
    ...(isPrepared ? of("main") : []),
    ...(isPrepared && areMainUp ? of("poststart", "poststartSidecar") : []),
  ]
    .filter(({ progress }) => progress.phase.kind === "waiting")
    .map(({ name }) => ({ kind: "begin", task: name }));
}

function kill({ name }: CoordinatedTask, why: EndReason): Directive {
  return { kind: "kill", task: name, why };
}

function isDead({ progress }: CoordinatedTask): boolean {
  return progress.phase.kind === "dead";
}
