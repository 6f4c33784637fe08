import { Semaphore } from "@millwright/core/concurrency";
import { errorDiagnostic, hasErrors } from "@millwright/core/diagnostics";
import type { ApplyResult } from "@millwright/engine/apply-run";
import type { Configuration } from "@millwright/engine/configuration";
import type { Graph, Outcome } from "@millwright/engine/graph";
import { walkGraph } from "@millwright/engine/graph";
import { evaluateInputs } from "@millwright/engine/instances/evaluate";
import { fulfils } from "@millwright/engine/instances/fulfils";
import type { InstanceList } from "@millwright/engine/instances/list";
import { forgetInstance, writeRecord } from "@millwright/engine/instances/record";
import type { Plan } from "@millwright/engine/plan";
import { hasChanges } from "@millwright/engine/plan";
import type { RunListener } from "@millwright/engine/ports";
import { dynamicValue, isMarkedDeep, isWhollyKnown, sensitive, type Value } from "@millwright/value/value";
import { progressView } from "../views/progress.ts";
import { sealingOf } from "../terraform/backend/sealing.ts";
import { carryOut, sayInterrupts } from "../terraform/carry-out.ts";
import type { OpenState } from "../terraform/open-state.ts";
import type { RunToRecord } from "../terraform/recording.ts";
import { providersOf, providerVersions } from "../terraform/registry.ts";
import { forgetSettled, recoverInterrupted } from "../terraform/recover.ts";
import type { Session } from "../terraform/session.ts";
import { placeTo } from "./place.ts";
import { named } from "./named-events.ts";
import { type ListVariables, listValues } from "./list-values.ts";
import { storedOutputs } from "./outputs.ts";
import { instancesAtOnce } from "./plan-instances.ts";
import type { Task } from "./tasks.ts";

/** An instance whose plan is to be carried out, with its state held. */
export interface ReadyInstance {
  readonly task: Task;
  readonly session: Session;
  readonly state: OpenState;
  readonly plan: Plan;
  readonly configuration: Configuration;
  readonly given: ReadonlyMap<string, Value>;
  /** The template's files, and what its TypeScript needs to be run again. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly contribution?: string;
}

export interface ApplyInstancesInput {
  readonly session: Session;
  readonly list: InstanceList;
  readonly variables: ListVariables;
  readonly order: Graph<Task>;
  readonly ready: ReadonlyMap<string, ReadyInstance>;
  /** Outputs of instances that are not worked on. */
  readonly given: ReadonlyMap<string, Value>;
  /** Calls to providers at a time, for each instance. */
  readonly parallelism: number;
}

export interface AppliedInstances {
  readonly outcomes: ReadonlyMap<string, Outcome>;
  readonly counts: ApplyResult["counts"];
}

/**
 * Carries out the plans of instances in their order, independent ones side by side. What fails keeps those that depend on it
 * from being tried; all else goes on. Inputs that were unknown when planning are worked out anew from the outputs that came
 * of it; the promise of each plan holds for them as for anything else that was unknown.
 */
export async function applyInstances(input: ApplyInstancesInput): Promise<AppliedInstances> {
  const run = new ApplyingRun(input);
  const slots = new Semaphore(instancesAtOnce);
  const stopSaying = sayInterrupts(input.session);
  try {
    const { signal } = input.session.io;
    const outcomes = await walkGraph(input.order, (task) => slots.run(() => run.apply(task.name)), signal);
    return { outcomes, counts: run.counts };
  } finally {
    stopSaying();
  }
}

const nothingDone = { imported: 0, added: 0, changed: 0, destroyed: 0 };

class ApplyingRun {
  readonly counts = { imported: 0, added: 0, changed: 0, destroyed: 0 };
  readonly #input: ApplyInstancesInput;
  readonly #outputs = new Map<string, Value>();

  constructor(input: ApplyInstancesInput) {
    this.#input = input;
    for (const [name, value] of input.given) this.#outputs.set(name, value);
  }

  async apply(name: string): Promise<boolean> {
    const instance = this.#input.ready.get(name);
    // What could not be planned yet has nothing to be carried out; nor is anything that needs it among the plans.
    if (!instance) return true;
    const { session, state, plan } = instance;
    const variables = await this.#inputsNow(instance);
    if (!variables) return false;
    if (!(await this.#remember(instance, variables))) return false;
    if (hasChanges(plan)) {
      if (!(await this.#carryOut({ ...instance, plan: { ...plan, variables } }))) return false;
    } else {
      // What was read again belongs into the state, also where there is nothing else to do.
      await state.kept.write(plan.priorState);
      if (plan.settled.length > 0) await forgetSettled(state, plan.settled);
      if (session.json) session.json.applied(nothingDone, plan.mode, state.kept.current.state.outputs);
    }
    return this.#finished(instance);
  }

  async #carryOut(instance: ReadyInstance): Promise<boolean> {
    const { session, state, plan, configuration, given } = instance;
    const { pending, diagnostics } = await recoverInterrupted(state);
    if (!(await session.report(diagnostics))) return false;
    const events: RunListener = session.json ? session.json.events : named(session, progressView(session, "apply"));
    const { parallelism } = this.#input;
    const done = await carryOut({
      session,
      state,
      plan,
      configuration,
      given,
      pending,
      events,
      parallelism,
      record: await recordOf(instance),
    });
    if (!done) return false;
    const { counts, state: after } = done.result;
    this.counts.imported += counts.imported;
    this.counts.added += counts.added;
    this.counts.changed += counts.changed;
    this.counts.destroyed += counts.destroyed;
    if (session.json && done.ok) session.json.applied(counts, plan.mode, after.outputs);
    return done.ok;
  }

  /** The values of a plan's variables, those that were unknown taken from what has come of other instances. */
  async #inputsNow({ task, plan, session }: ReadyInstance): Promise<ReadonlyMap<string, Value> | undefined> {
    if (!task.listed || task.task === "remove" || task.listed.dependencies.size === 0) return plan.variables;
    const { list, variables } = this.#input;
    const outputs = (other: string) => this.#outputs.get(other) ?? dynamicValue;
    const values = listValues({ session: this.#input.session, list, variables, applying: true, outputs });
    const { value, diagnostics } = evaluateInputs(list, task.listed, values);
    if (hasErrors(diagnostics)) {
      await this.#input.session.report(diagnostics);
      return undefined;
    }
    const now = new Map<string, Value>(plan.variables);
    for (const source of value) {
      const planned = plan.variables.get(source.kind === "file" ? "" : source.name);
      if (source.kind !== "value" || !planned) continue;
      const differs = !isWhollyKnown(source.value) || !fulfils(planned, source.value);
      if (differs) {
        const detail = `The plan was made with another value for "${source.name}" than what the other instances have come to. Nothing of this instance was changed. Make a new plan.`;
        const subject = source.written ? { subject: source.written.range } : {};
        await session.report([errorDiagnostic("Input is not as planned", detail, subject)]);
        return undefined;
      }
      now.set(source.name, source.value);
    }
    return now;
  }

  // Before anything is made, so that what a killed run has made is not forgotten either.
  async #remember(
    { task, session, state, configuration, files, contribution }: ReadyInstance,
    inputs: ReadonlyMap<string, Value>,
  ): Promise<boolean> {
    if (!task.listed || task.task === "remove") return true;
    const sealing = await sealingOf(session, [], "state");
    if (!sealing) return false;
    // Where the state is encrypted, no secret of it is to lie beside it in clear.
    const isSecret = ([name, value]: readonly [string, Value]) =>
      isMarkedDeep(value, sensitive) || configuration.root.variables.get(name)?.sensitive === true;
    const withheld = sealing.sealed ? [...inputs].filter(isSecret).map(([name]) => name) : [];
    const { template, dependencies } = task.listed;
    writeRecord(this.#input.session.folder, task.name, {
      template,
      place: placeTo(this.#input.session.folder, state.kept.place),
      lineage: state.kept.lineage,
      dependencies: [...dependencies],
      outputs: [...configuration.root.outputs.keys()],
      inputs: new Map([...inputs].filter(([name]) => !withheld.includes(name))),
      withheld,
      files,
      ...(contribution === undefined ? {} : { contribution }),
    });
    return true;
  }

  #finished({ task, configuration, state }: ReadyInstance): boolean {
    const { state: now } = state.kept.current;
    if (task.task === "remove") {
      if (now.resources.size === 0) forgetInstance(this.#input.session.folder, task.name);
    } else this.#outputs.set(task.name, storedOutputs(now, configuration.root.outputs.keys()));
    return true;
  }
}

/** What the history of the instance's state keeps of the run. */
async function recordOf({ task, session, plan, files, contribution }: ReadyInstance): Promise<RunToRecord> {
  const providers = providerVersions(plan, (await providersOf(session)).registry);
  const operation = task.task === "remove" ? "destroy" : "apply";
  return { operation, saved: { plan, files, providers, ...(contribution === undefined ? {} : { contribution }) } };
}
