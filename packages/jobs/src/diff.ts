import { invariant } from "@millwright/core/errors";
import type { Difference, FieldDiff, ObjectDiff } from "./diff-objects.ts";
import { fieldDiffs, isChanged, objectDiffs, orNull, pairsBy } from "./diff-objects.ts";
import type { Job, TaskGroup } from "./job.ts";
import { groupShape, jobShape } from "./job.ts";
import type { Shape } from "./shape.ts";
import { shape } from "./shape.ts";
import type { Task } from "./task.ts";
import { taskShape } from "./task.ts";

/*
 * What differs between two versions of a job, as the plan endpoint of the HTTP API writes it: these records are its JSON, with
 * its names, and with null for an empty list.
 */

export interface JobDiff {
  readonly Type: Difference;
  readonly ID: string;
  readonly Fields: readonly FieldDiff[] | null;
  readonly Objects: readonly ObjectDiff[] | null;
  readonly TaskGroups: readonly TaskGroupDiff[] | null;
}

export interface TaskGroupDiff {
  readonly Type: Difference;
  readonly Name: string;
  readonly Fields: readonly FieldDiff[] | null;
  readonly Objects: readonly ObjectDiff[] | null;
  readonly Tasks: readonly TaskDiff[] | null;
  /** How many allocations are created, destroyed …, as the scheduler's dry run says. */
  readonly Updates: Readonly<Record<string, number>> | null;
}

export interface TaskDiff {
  readonly Type: Difference;
  readonly Name: string;
  readonly Fields: readonly FieldDiff[] | null;
  readonly Objects: readonly ObjectDiff[] | null;
  readonly Annotations: readonly string[] | null;
}

/** Whether what did not change inside of an object that did is told, too. */
export type DiffContext = "contextual" | "changes";

/**
 * What changes from the old version of a job to the new one; either may be absent. Every field of a job is compared but its
 * id, and what a job only hands down to its groups, which is compared there. Groups and tasks go by name.
 */
export function diff(old: Job | undefined, now: Job | undefined, context: DiffContext = "contextual"): JobDiff {
  invariant(!old || !now || old.id === now.id, "a job is compared with versions of itself");
  const fields = fieldDiffs(jobLevel, old, now, "changes");
  const objects = objectDiffs(jobLevel, old, now, context).filter(isChanged);
  const groups = pairsBy(({ name }) => name, old?.groups ?? [], now?.groups ?? [])
    .map(([before, after]) => diffGroups(before, after, context))
    .sort((a, b) => (a.Name < b.Name ? -1 : 1));
  return {
    Type: differenceOf(old, now, [...fields, ...objects, ...groups]),
    ID: (now ?? old)?.id ?? "",
    Fields: orNull(fields),
    Objects: orNull(objects),
    TaskGroups: orNull(groups),
  };
}

/** What changes in a group; at least one of the two is there. */
export function diffGroups(
  old: TaskGroup | undefined,
  now: TaskGroup | undefined,
  context: DiffContext,
): TaskGroupDiff {
  const fields = fieldDiffs(groupLevel, old, now, "changes");
  const objects = objectDiffs(groupLevel, old, now, context).filter(isChanged);
  const tasks = pairsBy(({ name }) => name, old?.tasks ?? [], now?.tasks ?? [])
    .map(([before, after]) => diffTasks(before, after, context))
    .sort((a, b) => (a.Name < b.Name ? -1 : 1));
  return {
    Type: differenceOf(old, now, [...fields, ...objects, ...tasks]),
    Name: (now ?? old)?.name ?? "",
    Fields: orNull(fields),
    Objects: orNull(objects),
    Tasks: orNull(tasks),
    Updates: null,
  };
}

/** What changes in a task; at least one of the two is there. */
export function diffTasks(old: Task | undefined, now: Task | undefined, context: DiffContext): TaskDiff {
  const fields = fieldDiffs(taskShape, old, now, "changes");
  const objects = objectDiffs(taskShape, old, now, context).filter(isChanged);
  return {
    Type: differenceOf(old, now, [...fields, ...objects]),
    Name: (now ?? old)?.name ?? "",
    Fields: orNull(fields),
    Objects: orNull(objects),
    Annotations: null,
  };
}

const jobLevel = without(jobShape, "groups");
const groupLevel = without(groupShape, "tasks");

/** The shape without the field that has a diff of its own. */
function without(whole: Shape, property: string): Shape {
  return shape(whole.title, Object.fromEntries(Object.entries(whole.fields).filter(([name]) => name !== property)));
}

function differenceOf(old: unknown, now: unknown, inside: readonly { readonly Type: Difference }[]): Difference {
  if (!old) return now ? "Added" : "None";
  if (!now) return "Deleted";
  return inside.some(isChanged) ? "Edited" : "None";
}
