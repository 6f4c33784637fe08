import type { Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import { similar } from "@millwright/core/similar";
import type { InstanceList, ListedInstance } from "@millwright/engine/instances/list";
import type { Ordered } from "@millwright/engine/instances/order";
import type { InstanceRecord } from "@millwright/engine/instances/record";
import { readRecord, rememberedInstances } from "@millwright/engine/instances/record";
import type { PlanMode } from "@millwright/engine/plan";
import type { CommandStyle } from "../terraform/session.ts";

/** What a run does with one instance: makes it as the list says, or removes all it has. */
export interface Task extends Ordered {
  /** Relative to the list's folder; undefined where nobody knows it any more. */
  readonly template: string | undefined;
  /** Undefined for an instance that is no longer listed. */
  readonly listed: ListedInstance | undefined;
  readonly record: InstanceRecord | undefined;
}

export interface Tasks {
  readonly tasks: readonly Task[];
  /** Every instance there is, chosen or not. */
  readonly all: ReadonlyMap<string, Task>;
  readonly diagnostics: readonly Diagnostic[];
}

export interface TasksInput {
  readonly folder: string;
  readonly list: InstanceList;
  readonly mode: PlanMode;
  /** Names on the command line; none of them means all. */
  readonly chosen: readonly string[];
  /** Whether something is left of an instance that is not listed. */
  readonly hasObjects: (name: string) => Promise<boolean>;
}

/** What is to be done with which instances. */
export async function tasksOf({ folder, list, mode, chosen, hasObjects }: TasksInput): Promise<Tasks> {
  const all = new Map<string, Task>();
  for (const listed of list.instances.values()) all.set(listed.name, listedTask(folder, listed, mode));
  for (const name of rememberedInstances(folder)) {
    if (all.has(name) || !(await hasObjects(name))) continue;
    const record = readRecord(folder, name);
    const dependencies = new Set(record?.dependencies);
    all.set(name, {
      name,
      task: "remove",
      dependencies,
      used: dependencies,
      template: record?.template,
      listed: undefined,
      record,
    });
  }
  const diagnostics = chosen.flatMap((name) => (all.has(name) ? [] : [noSuchInstance(name, all.keys())]));
  const wanted = [...all.values()].filter(({ name }) => chosen.length === 0 || chosen.includes(name));
  // To take over what has changed is no time to remove anything.
  const tasks = wanted.filter(({ listed }) => listed !== undefined || mode !== "refresh-only");
  return { tasks, all, diagnostics };
}

function listedTask(folder: string, listed: ListedInstance, mode: PlanMode): Task {
  const record = readRecord(folder, listed.name);
  const used = new Set(record?.dependencies);
  const { name, template } = listed;
  return mode === "destroy"
    ? { name, task: "remove", dependencies: listed.dependencies.union(used), used, template, listed, record }
    : { name, task: "make", dependencies: listed.dependencies, used, template, listed, record };
}

export function noSuchInstance(name: string, known: Iterable<string>): Diagnostic {
  const names = [...known];
  const near = similar(name, names);
  const hint = near ? ` Did you mean "${near}"?` : names.length > 0 ? ` There are: ${names.join(", ")}.` : "";
  return errorDiagnostic("No such instance", `There is no instance "${name}" here.${hint}`);
}

/** What is said where a line is about one instance and does not say which. */
export function whichInstance(line: string, style: CommandStyle): Diagnostic {
  const [command] = line.split(" ");
  const detail = `This folder lists instances, and ${command} works on one of them. Say which: ${style} ${line} -instance=NAME.`;
  return errorDiagnostic("Which instance", detail);
}

/** Why chosen instances cannot be removed: others that are not chosen have objects that were made from their outputs. */
export async function stillNeeded(
  { tasks, all }: Tasks,
  hasObjects: (name: string) => Promise<boolean>,
): Promise<Diagnostic[]> {
  const removed = new Set(tasks.filter(({ task }) => task === "remove").map(({ name }) => name));
  const done = new Set(tasks.map(({ name }) => name));
  const found: Diagnostic[] = [];
  for (const { name, used } of all.values()) {
    const [needed] = [...used].filter((other) => removed.has(other));
    if (needed === undefined || done.has(name) || !(await hasObjects(name))) continue;
    const detail = `The instance "${name}" has objects that were made from outputs of "${needed}", and is not to be worked on now. Add -instance=${name}.`;
    found.push(errorDiagnostic("Instance is still needed", detail));
  }
  return found;
}
