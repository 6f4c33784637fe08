import { instanceOrder } from "@millwright/engine/instances/order";
import type { SavedInstance } from "@millwright/engine/instances/plan-file";
import { readRecord } from "@millwright/engine/instances/record";
import type { Value } from "@millwright/value/value";
import { providersOf } from "../terraform/registry.ts";
import { notAFile, staleness, unfitPlan } from "../terraform/apply-saved.ts";
import { openState, stateOptions } from "../terraform/open-state.ts";
import { recoverInterrupted } from "../terraform/recover.ts";
import type { ApplyInstancesCall } from "./apply-command.ts";
import { carryOutInstances } from "./carry-out-instances.ts";
import { instanceWaves } from "./instance-waves.ts";
import { instanceSession } from "./instance-session.ts";
import { KnownStates } from "./known-states.ts";
import { savedVariables } from "./list-values.ts";
import { type Listing, restoreListing } from "./listing.ts";
import { type OpenedInstance, type OpenedPlans, openSavedPlans } from "./open-saved.ts";
import { leftToPlan } from "./render.ts";
import type { ReadyInstance } from "./ready-instance.ts";
import type { Task } from "./tasks.ts";
import { valuesOf } from "../terraform/apply-variables.ts";
import { savedConfiguration } from "../terraform/saved-configuration.ts";

/** Carries out the saved plans of instances, without a question; refuses all of them when one has gone stale. */
export async function applySavedInstances(call: ApplyInstancesCall, name: string): Promise<number> {
  const { session } = call;
  const noFile = notAFile(session, name);
  if (noFile) {
    await session.report([noFile]);
    return 1;
  }
  const opened = await openSavedPlans(session, session.path(name));
  if (!opened) return 1;
  const { plans, instances } = opened;
  const listing = await restoreListing(plans);
  const variables = savedVariables(listing.list, opened.variables);
  if (!(await session.report([...listing.diagnostics, ...variables.diagnostics]))) return 1;
  const tasks = instances.map((instance) => taskOf(session.folder, instance, listing));
  const ready = new Map<string, ReadyInstance>();
  try {
    let ok = true;
    for (const [i, instance] of instances.entries()) {
      const one = await readyOf(call, instance, tasks[i]!, listing);
      if (one) ready.set(instance.name, one);
      else ok = false;
    }
    if (!ok) return 1;
    for (const { session: inside, saved } of ready.values()) inside.tellJson((view) => view.changes(saved.plan));
    const order = instanceOrder(tasks);
    const chosen = chosenOf(opened, listing);
    const waves = await instanceWaves(call, { order, ready, chosen, waited: false });
    if (waves === "mistake") return 1;
    if (waves && !session.json) await session.io.stdout(`${waves.shown}\n`);
    const code = await carryOutInstances(call, {
      list: listing.list,
      variables: variables.value,
      order,
      ready,
      given: await outputsOfOthers(call, listing, ready),
      ...(waves ? { waves } : {}),
    });
    const made = instances.map(({ name: instance, saved }) => [instance, saved.plan] as const);
    const left = leftToPlan(
      plans.later.map((each) => each.name),
      made,
    );
    if (code === 0 && left.length > 0 && !session.json)
      await session.io.stdout(
        `\nStill to be planned, now that these are applied: ${left.join(", ")}. Run plan again.\n`,
      );
    return code;
  } finally {
    for (const { state } of ready.values()) await state.release();
  }
}

// A saved plan does not say which instances were named for it, but which it is of.
function chosenOf({ plans, instances }: OpenedPlans, { list }: Listing): readonly string[] {
  const planned = new Set([...instances, ...plans.later].map(({ name }) => name));
  return [...list.instances.keys()].every((name) => planned.has(name)) ? [] : [...planned];
}

function taskOf(folder: string, instance: SavedInstance, { list }: Listing): Task {
  const { name, task, template } = instance;
  const record = readRecord(folder, name);
  const dependencies = new Set(instance.dependencies);
  return { name, task, template, dependencies, used: new Set(instance.used), listed: list.instances.get(name), record };
}

async function readyOf(
  { session, values, occurrences }: ApplyInstancesCall,
  { name, template, saved }: OpenedInstance,
  task: Task,
  { names }: Listing,
): Promise<ReadyInstance | undefined> {
  const inputs = valuesOf(saved.plan.variables);
  const dependencies = task.listed ? { dependencies: [...task.listed.dependencies] } : {};
  const scope = { name, template, inputs, listFiles: names, files: saved.files, ...dependencies };
  const inside = instanceSession(session, scope);
  const unfit = unfitPlan(saved, (await providersOf(inside)).registry);
  if (!(await inside.report(unfit ? [unfit] : []))) return undefined;
  const state = await openState(inside, stateOptions(values, occurrences, "OperationTypeApply"));
  if (!state) return undefined;
  const { pending, diagnostics } = await recoverInterrupted(state);
  const { plan } = saved;
  const loaded = await savedConfiguration(inside, { ...saved, variables: plan.variables });
  const wrong = loaded.diagnostics.filter(({ severity }) => severity === "error");
  if (await inside.report([...diagnostics, ...staleness(plan, state, pending), ...wrong]))
    return { task, session: inside, state, saved, configuration: loaded.value, given: new Map() };
  await state.release();
  return undefined;
}

async function outputsOfOthers(
  { session }: ApplyInstancesCall,
  { list, names }: Listing,
  ready: ReadonlyMap<string, ReadyInstance>,
): Promise<ReadonlyMap<string, Value>> {
  const states = new KnownStates(session, names);
  const given = new Map<string, Value>();
  for (const name of ready.keys()) {
    for (const other of list.instances.get(name)?.dependencies ?? []) {
      const outputs = ready.has(other) ? undefined : await states.outputs(other);
      if (outputs) given.set(other, outputs);
    }
  }
  return given;
}
