import type { ObjectDiff } from "./diff-objects.ts";
import { isChanged } from "./diff-objects.ts";
import type { TaskDiff } from "./diff.ts";
import { diff, diffGroups } from "./diff.ts";
import type { Job, TaskGroup } from "./job.ts";
import type { Task } from "./task.ts";

/**
 * What a new version of a job means for a running allocation of one of its groups: nothing; new settings that it takes on
 * while it runs; or that it is replaced by a new one, with the first reason for it.
 */
export type UpdateKind =
  | { readonly kind: "none" }
  | { readonly kind: "inPlace" }
  | { readonly kind: "destructive"; readonly because: string };

/** Which of them it is for the group of that name; a group that only one version has is destructive. */
export function updateKind(old: Job, now: Job, group: string): UpdateKind {
  const [before, after] = [groupNamed(old, group), groupNamed(now, group)];
  if (!before || !after) return { kind: "destructive", because: `group ${group}` };
  const because = firstReason({ job: old, group: before }, { job: now, group: after });
  if (because !== undefined) return { kind: "destructive", because };
  // What a job hands down is compared in its groups; what it keeps for itself reaches allocations as a version.
  return isChanged(diff(old, now, "changes")) ? { kind: "inPlace" } : { kind: "none" };
}

/** As {@link updateKind}, of one task by its diff. */
export function taskUpdate({ Type, Fields, Objects }: TaskDiff): "none" | "inPlace" | "destructive" {
  if (Type === "None") return "none";
  return changedNames(Fields, Objects).some((name) => !inPlaceOfTask.has(name)) ? "destructive" : "inPlace";
}

/** What of a task can change while it runs, by the names of a diff. */
const inPlaceOfTask: ReadonlySet<string> = new Set([
  "KillTimeout",
  "KillSignal",
  "ShutdownDelay",
  "Service",
  "Constraint",
  "Affinity",
  "Action",
  "LogConfig",
  "RestartPolicy",
]);

/** What of a group cannot. */
const destructiveOfGroup: ReadonlySet<string> = new Set([
  "EphemeralDisk",
  "Network",
  "Volume",
  "Consul",
  "RestartPolicy.RenderTemplates",
]);

interface Version {
  readonly job: Job;
  readonly group: TaskGroup;
}

function firstReason(old: Version, now: Version): string | undefined {
  const { Fields, Objects, Tasks } = diffGroups(old.group, now.group, "changes");
  const ofGroup = changedNames(Fields, Objects).find((name) => destructiveOfGroup.has(name));
  if (ofGroup !== undefined) return `group ${old.group.name}: ${ofGroup}`;
  for (const task of Tasks ?? []) {
    if (task.Type === "Added" || task.Type === "Deleted") return `task ${task.Name}: ${task.Type}`;
    const ofTask = changedNames(task.Fields, task.Objects).find((name) => !inPlaceOfTask.has(name));
    if (ofTask !== undefined) return `task ${task.Name}: ${ofTask}`;
  }
  const other = now.group.tasks.find((task) => {
    const before = old.group.tasks.find(({ name }) => name === task.name);
    return before && !sameMeta(metaOf(old, before), metaOf(now, task));
  });
  return other && `task ${other.name}: Meta`;
}

/** The changed fields and objects; of two kinds of object the one field that stops them from changing in place. */
function changedNames(fields: TaskDiff["Fields"], objects: readonly ObjectDiff[] | null): readonly string[] {
  const names = (fields ?? []).filter(isChanged).map(({ Name }) => Name);
  for (const object of (objects ?? []).filter(isChanged)) {
    names.push(object.Name);
    for (const field of (object.Fields ?? []).filter(isChanged)) {
      const name = `${object.Name}.${field.Name}`;
      if (notWhileRunning.has(name)) names.push(name);
    }
  }
  return names;
}

/** The program's output goes elsewhere; and templates are rendered by what the task was started with. */
const notWhileRunning: ReadonlySet<string> = new Set(["LogConfig.Disabled", "RestartPolicy.RenderTemplates"]);

/** What a task is told of its job, its group and itself. */
function metaOf({ job, group }: Version, task: Task): Readonly<Record<string, string>> {
  return { ...job.meta, ...group.meta, ...task.meta };
}

function sameMeta(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}

function groupNamed({ groups }: Job, name: string): TaskGroup | undefined {
  return groups.find((group) => group.name === name);
}
