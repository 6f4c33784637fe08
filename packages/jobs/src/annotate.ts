import type { FieldDiff } from "./diff-objects.ts";
import type { JobDiff, TaskDiff, TaskGroupDiff } from "./diff.ts";
import { taskUpdate } from "./update-kind.ts";

/** How many allocations of a group a placement creates, stops, moves …, as the plan endpoint writes it. */
export interface DesiredUpdates {
  readonly Ignore: number;
  readonly Place: number;
  readonly Migrate: number;
  readonly Stop: number;
  readonly InPlaceUpdate: number;
  readonly DestructiveUpdate: number;
  readonly Canary: number;
}

/**
 * The diff with what it means: by group what the dry run would do, and by task and count what they force. `waiting`: how many of
 * those that are ignored now the next batches of the rollout replace.
 */
export function annotate(
  diff: JobDiff,
  updates: Readonly<Record<string, DesiredUpdates>> = {},
  waiting: Readonly<Record<string, number>> = {},
): JobDiff {
  const groups = diff.TaskGroups?.map((group) => annotateGroup(group, updates[group.Name], waiting[group.Name] ?? 0));
  return { ...diff, TaskGroups: groups ?? null };
}

function annotateGroup(group: TaskGroupDiff, updates: DesiredUpdates | undefined, waiting: number): TaskGroupDiff {
  return {
    ...group,
    Updates: updates ? { ...countsOf(updates), ...(waiting > 0 && { [later]: waiting }) } : group.Updates,
    Fields: group.Fields?.map(annotateCount) ?? null,
    Tasks: group.Tasks?.map((task) => annotateTask(task, group)) ?? null,
  };
}

/** Beside Nomad's own names: without it a rolling update looks as if it stopped after its first batch. */
const later = "create/destroy update later";

const updateNames: readonly (readonly [keyof DesiredUpdates, string])[] = [
  ["Ignore", "ignore"],
  ["Place", "create"],
  ["Migrate", "migrate"],
  ["Stop", "destroy"],
  ["Canary", "canary"],
  ["InPlaceUpdate", "in-place update"],
  ["DestructiveUpdate", "create/destroy update"],
];

function countsOf(updates: DesiredUpdates): Readonly<Record<string, number>> {
  return Object.fromEntries(
    updateNames.filter(([key]) => updates[key] !== 0).map(([key, name]) => [name, updates[key]]),
  );
}

function annotateCount(field: FieldDiff): FieldDiff {
  if (field.Name !== "Count") return field;
  const [old, now] = [Number(field.Old), Number(field.New)];
  if (old === now) return field;
  return { ...field, Annotations: [old < now ? "forces create" : "forces destroy"] };
}

function annotateTask(task: TaskDiff, { Type: group }: TaskGroupDiff): TaskDiff {
  const annotation = annotationOf(task, group);
  return annotation === undefined ? task : { ...task, Annotations: [annotation] };
}

function annotationOf(task: TaskDiff, group: TaskGroupDiff["Type"]): string | undefined {
  if (group === "Added" && task.Type === "Added") return "forces create";
  if (group === "Deleted" && task.Type === "Deleted") return "forces destroy";
  switch (taskUpdate(task)) {
    case "none":
      return undefined;
    case "inPlace":
      return "forces in-place update";
    case "destructive":
      return "forces create/destroy update";
  }
}
