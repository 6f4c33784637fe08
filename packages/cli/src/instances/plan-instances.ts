import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { Semaphore } from "@millwright/core/concurrency";
import type { Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic, hasErrors } from "@millwright/core/diagnostics";
import type { Graph } from "@millwright/engine/graph";
import { walkGraph } from "@millwright/engine/graph";
import { evaluateInputs } from "@millwright/engine/instances/evaluate";
import { instanceOrder } from "@millwright/engine/instances/order";
import type { Plan, PlanMode } from "@millwright/engine/plan";
import { hasChanges } from "@millwright/engine/plan";
import { unknownRepetition } from "@millwright/engine/unknown-repetition";
import type { VariableSource } from "@millwright/engine/variables";
import { isWhollyKnown, type Value } from "@millwright/value/value";
import type { FlagValues } from "../flags.ts";
import { eventsOf } from "../terraform/apply-call.ts";
import { sayInterrupts } from "../terraform/interrupts.ts";
import { type LoadedFolder, loadFolder } from "../terraform/folder.ts";
import { type OpenState, openState, stateOptions } from "../terraform/open-state.ts";
import { type GivenFlag, onUnlessGiven, type planningFlags } from "../terraform/options.ts";
import { newPool } from "../terraform/run-context.ts";
import { savedConfiguration } from "../terraform/saved-configuration.ts";
import { savedPlan } from "../terraform/saved-plan.ts";
import { planText } from "../terraform/shown-plan.ts";
import { planFolder } from "../terraform/run-plan.ts";
import type { Session } from "../terraform/session.ts";
import { instanceSession } from "./instance-session.ts";
import type { Listing } from "./listing.ts";
import { type ListVariables, listValues, listVariables } from "./list-values.ts";
import { plannedOutputs } from "./outputs.ts";
import { instancesAtOnce, type PlannedInstance } from "./ready-instance.ts";
import { placeFrom } from "./place.ts";
import { KnownStates, rememberedInputs } from "./known-states.ts";
import { stillNeeded, type Task, tasksOf } from "./tasks.ts";
import { readTemplates } from "./templates.ts";

export interface PlanInstancesInput {
  readonly session: Session;
  readonly listing: Listing;
  readonly mode: PlanMode;
  /** Names on the command line; none of them means all. */
  readonly chosen: readonly string[];
  readonly values: FlagValues<typeof planningFlags>;
  readonly occurrences: readonly GivenFlag[];
  /** What the states are held for. */
  readonly operation: string;
}

/** The plans of all instances of a run. */
export interface PlannedInstances {
  readonly listing: Listing;
  readonly variables: ListVariables;
  readonly mode: PlanMode;
  readonly order: Graph<Task>;
  /** In the order in which they are carried out. */
  readonly planned: ReadonlyMap<string, PlannedInstance>;
  /** Instances that can only be planned once others have been applied, and why. */
  readonly later: ReadonlyMap<string, string>;
  /** Instances that could not be planned, which was reported. */
  readonly failed: readonly string[];
  /** Instances that were not looked at, since something they depend on could not be planned. */
  readonly skipped: readonly string[];
  /** Outputs of instances that are not worked on, as their states have them. */
  readonly given: ReadonlyMap<string, Value>;
  release(): Promise<void>;
}

/** Plans instances in their order, independent ones side by side. Undefined where there is nothing to show; that was reported. */
export async function planInstances(input: PlanInstancesInput): Promise<PlannedInstances | undefined> {
  const { session, listing, mode, chosen, values, occurrences } = input;
  const { list } = listing;
  if (!(await session.report(listing.diagnostics))) return undefined;
  const states = new KnownStates(session, listing.names);
  const hasObjects = (name: string) => states.hasObjects(name);
  const found = await tasksOf({ folder: session.folder, list, mode, chosen, hasObjects });
  const needed = mode === "destroy" ? await stillNeeded(found, hasObjects) : [];
  if (!(await session.report([...found.diagnostics, ...needed]))) return undefined;
  const mayAsk = onUnlessGiven(occurrences, "input") && session.io.env.TF_INPUT !== "0" && !values.json;
  const variables = await listVariables(session, list, occurrences, mayAsk);
  const templates = mode === "destroy" ? undefined : await readTemplates(session, listing);
  if (!(await session.report([...variables.diagnostics, ...(templates?.diagnostics ?? [])]))) return undefined;
  const run = new PlanningRun(input, variables.value, states);
  await run.outputsOfOthers(found.tasks);
  const order = instanceOrder(found.tasks);
  const stopSaying = sayInterrupts(session, "plan");
  try {
    await run.planAll(order);
  } catch (error) {
    await run.release();
    throw error;
  } finally {
    stopSaying();
  }
  return run.result(order);
}

class PlanningRun {
  readonly #input: PlanInstancesInput;
  readonly #variables: ListVariables;
  readonly #states: KnownStates;
  readonly #slots = new Semaphore(instancesAtOnce);
  readonly #planned = new Map<string, PlannedInstance>();
  readonly #later = new Map<string, string>();
  readonly #failed: string[] = [];
  /** Which instance has its state where. */
  readonly #places = new Map<string, string>();
  readonly #outputs = new Map<string, Value>();
  readonly #given = new Map<string, Value>();
  #skipped: string[] = [];

  constructor(input: PlanInstancesInput, variables: ListVariables, states: KnownStates) {
    this.#input = input;
    this.#variables = variables;
    this.#states = states;
  }

  /** Takes outputs of instances that are not worked on, or are removed, from their states. */
  async outputsOfOthers(tasks: readonly Task[]): Promise<void> {
    const made = new Set(tasks.filter(({ task }) => task === "make").map(({ name }) => name));
    const needed = new Set(tasks.flatMap(({ listed }) => [...(listed?.dependencies ?? [])]));
    for (const name of needed) {
      if (made.has(name)) continue;
      const outputs = await this.#states.outputs(name);
      if (outputs) this.#given.set(name, outputs);
    }
  }

  async planAll(order: Graph<Task>): Promise<void> {
    const outcomes = await walkGraph(
      order,
      (task) => this.#slots.run(() => this.#plan(task)),
      this.#input.session.io.signal,
    );
    this.#skipped = [...outcomes].filter(([, outcome]) => outcome === "skipped").map(([name]) => name);
  }

  async #plan(task: Task): Promise<boolean> {
    const waitsFor = [...task.dependencies].find((name) => this.#later.has(name) || this.#isPartial(name));
    if (task.task === "make" && waitsFor !== undefined) {
      this.#later.set(task.name, `it uses outputs of "${waitsFor}"`);
      return true;
    }
    const inputs = await this.#inputs(task);
    const ok = inputs !== undefined && (await this.#planWith(task, inputs));
    if (!ok) this.#failed.push(task.name);
    return ok;
  }

  // Outputs of what is put off may come to anything, and are not there when the instance has been applied.
  #isPartial(name: string): boolean {
    return (this.#planned.get(name)?.saved.plan.deferrals.length ?? 0) > 0;
  }

  async #inputs({ name, listed, record, task }: Task): Promise<readonly VariableSource[] | undefined> {
    const { session, listing } = this.#input;
    const remembered = rememberedInputs(record);
    if (!listed && record && record.withheld.length > 0) {
      await session.report([secretsAreLost(name, record.withheld)]);
      return undefined;
    }
    if (!listed) return remembered;
    const missing = task === "make" ? this.#notApplied(listed.dependencies) : undefined;
    if (missing !== undefined) {
      const detail = `The instance "${listed.name}" uses outputs of "${missing}", which has not been applied yet and is not to be worked on now. Add -instance=${missing}.`;
      await session.report([errorDiagnostic("Outputs are not there yet", detail, { subject: listed.range })]);
      return undefined;
    }
    const values = listValues({
      session,
      list: listing.list,
      variables: this.#variables,
      applying: false,
      outputs: (name) => this.#outputs.get(name) ?? this.#given.get(name) ?? this.#states.nothingYet,
    });
    const { value, diagnostics } = evaluateInputs(listing.list, listed, values);
    if (task === "make") return (await session.report(diagnostics)) ? value : undefined;
    // What is removed may have lost what its inputs came from: then it is what it was made with that counts.
    if (hasErrors(diagnostics) && record) return remembered;
    return value.map((source) => {
      const open = source.kind === "value" && !isWhollyKnown(source.value) ? source.name : undefined;
      return remembered.find((known) => known.kind === "value" && known.name === open) ?? source;
    });
  }

  #notApplied(names: ReadonlySet<string>): string | undefined {
    return [...names].find((name) => !this.#outputs.has(name) && !this.#given.has(name));
  }

  async #planWith(task: Task, inputs: readonly VariableSource[]): Promise<boolean> {
    const { session, listing, values, occurrences, operation } = this.#input;
    const template = task.template ?? ".";
    const isHere = task.listed !== undefined && existsSync(resolve(session.folder, template));
    const files = task.record && !isHere ? { files: task.record.files } : {};
    const dependencies = task.listed ? { dependencies: [...task.listed.dependencies] } : {};
    const scope = { name: task.name, template, inputs, listFiles: listing.names, ...dependencies, ...files };
    const inside = instanceSession(session, scope);
    const folder = isHere ? await loadFolder(inside) : await rememberedFolder(inside, task, inputs);
    const state = await openState(inside, stateOptions(values, occurrences, operation));
    if (!state) return false;
    const misplaced = this.#misplaced(task, state);
    if (misplaced) {
      await inside.report([misplaced]);
      await state.release();
      return false;
    }
    const pool = await newPool(inside);
    let keep = false;
    try {
      const mode = task.task === "remove" ? "destroy" : this.#input.mode;
      const events = eventsOf({ session: inside }, "plan");
      const found = await planFolder({ session: inside, folder, state, pool, values, occurrences, mode, events });
      const { plan, diagnostics } = found;
      if (task.task === "make" && waitsForOthers(diagnostics, inputs)) {
        this.#later.set(task.name, "how many objects it has depends on outputs that are not known before");
        return true;
      }
      if (!plan || hasErrors(diagnostics)) {
        await inside.report(diagnostics);
        return false;
      }
      const text = session.json || !worthShowing(plan) ? "" : planText(inside, plan, pool);
      this.#planned.set(task.name, {
        task,
        session: inside,
        state,
        saved: await savedPlan(inside, plan, folder),
        configuration: folder.configuration,
        given: found.given,
        text,
        diagnostics,
      });
      if (task.task === "make") this.#outputs.set(task.name, plannedOutputs(plan, folder.configuration.root));
      keep = true;
      return true;
    } finally {
      await pool.close();
      if (!keep) await state.release();
    }
  }

  /** Why a state is not where it has to be: that of another instance, or not where the instance had it before. */
  #misplaced({ name, record, listed }: Task, { kept }: OpenState): Diagnostic | undefined {
    const { place } = kept;
    const subject = listed ? { subject: listed.templateRange } : {};
    const other = this.#places.get(place);
    this.#places.set(place, name);
    if (other !== undefined) {
      const detail = `The states of "${other}" and "${name}" would both be kept at ${place}, since the backend of their template keeps only one. Make its address from a variable that differs between them.`;
      return errorDiagnostic("Two instances in one state", detail, subject);
    }
    const before = record && placeFrom(this.#input.session.folder, record.place);
    if (!before || before === place || kept.current.lineage === record.lineage) return undefined;
    const detail = `The state of "${name}" has been kept at ${before}, and the template says ${place} now, where it is not. To move it, put the template's backend back, write a copy with "state pull -instance=${name}", and put it in its new place with "state push -instance=${name}".`;
    return errorDiagnostic("State is kept elsewhere", detail, subject);
  }

  async release(): Promise<void> {
    for (const { state } of this.#planned.values()) await state.release();
  }

  result(order: Graph<Task>): PlannedInstances {
    const { listing, mode } = this.#input;
    const sorted = inOrder(order);
    const planned = new Map(
      sorted.flatMap((name) => {
        const instance = this.#planned.get(name);
        return instance ? [[name, instance] as const] : [];
      }),
    );
    return {
      listing,
      variables: this.#variables,
      mode,
      order,
      planned,
      later: this.#later,
      failed: this.#failed,
      skipped: this.#skipped,
      given: this.#given,
      release: () => this.release(),
    };
  }
}

function secretsAreLost(name: string, inputs: readonly string[]): Diagnostic {
  const detail = `The instance "${name}" is no longer listed, and to destroy it takes its inputs ${inputs.join(", ")}, which are secret. Since its state is encrypted they were not kept. List it again, and take it off the list after "destroy -instance=${name}".`;
  return errorDiagnostic("Secret inputs are not kept", detail);
}

/** Whether there is something to look at in a plan. */
export function worthShowing(plan: Plan): boolean {
  return hasChanges(plan) || plan.drift.length > 0 || plan.deferrals.length > 0;
}

// Only what can be cured by values that are known later is put off; anything else wrong is told now.
function waitsForOthers(diagnostics: readonly Diagnostic[], inputs: readonly VariableSource[]): boolean {
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  const open = inputs.some((source) => source.kind === "value" && !isWhollyKnown(source.value));
  return open && errors.length > 0 && errors.every(({ code }) => code === unknownRepetition);
}

/** The configuration that an instance was made by, out of what is remembered of it. */
async function rememberedFolder(
  session: Session,
  { record }: Task,
  variables: readonly VariableSource[],
): Promise<LoadedFolder> {
  const nothing = { files: new Map<string, Uint8Array>(), variables: new Map<string, Value>() };
  const made = record ? { ...record, variables: record.inputs } : nothing;
  const { value, diagnostics } = await savedConfiguration(session, made);
  const contribution = record?.contribution === undefined ? {} : { contribution: record.contribution };
  return { configuration: value, files: made.files, diagnostics, kept: { variables, ...contribution } };
}

/** Names of a graph's nodes, each behind those it depends on, else as they were listed. */
function inOrder(order: Graph<Task>): string[] {
  const done = new Set<string>();
  const visit = (name: string) => {
    if (done.has(name)) return;
    for (const to of order.dependencies.get(name) ?? []) visit(to);
    done.add(name);
  };
  for (const name of order.nodes.keys()) visit(name);
  return [...done];
}
