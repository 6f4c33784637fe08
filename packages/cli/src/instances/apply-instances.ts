import { Semaphore } from "@millwright/core/concurrency";
import { errorDiagnostic, hasErrors } from "@millwright/core/diagnostics";
import type { ApplyResult } from "@millwright/engine/apply-run";
import type { Graph, Outcome } from "@millwright/engine/graph";
import { walkGraph } from "@millwright/engine/graph";
import { evaluateInputs } from "@millwright/engine/instances/evaluate";
import { fulfils } from "@millwright/engine/instances/fulfils";
import type { InstanceList } from "@millwright/engine/instances/list";
import type { CheckResult } from "@millwright/engine/plan";
import { hasChanges } from "@millwright/engine/plan";
import { WaveTurns } from "@millwright/engine/waves/turns";
import { dynamicValue, isWhollyKnown, type Value } from "@millwright/value/value";
import { eventsOf } from "../terraform/apply-call.ts";
import { carryOut } from "../terraform/carry-out.ts";
import { sayInterrupts } from "../terraform/interrupts.ts";
import { forgetSettled, recoverInterrupted } from "../terraform/recover.ts";
import type { Session } from "../terraform/session.ts";
import type { InstanceWaves } from "./instance-waves.ts";
import { type ListVariables, listValues } from "./list-values.ts";
import { storedOutputs } from "./outputs.ts";
import { instancesAtOnce, type ReadyInstance } from "./ready-instance.ts";
import { forgetIfGone, rememberInstance } from "./remember.ts";
import type { Task } from "./tasks.ts";

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
  /** Where given, they go in waves. */
  readonly waves?: InstanceWaves;
}

export interface AppliedInstances {
  readonly outcomes: ReadonlyMap<string, Outcome>;
  readonly counts: ApplyResult["counts"];
  /** Of an apply in waves: how many were begun. */
  readonly begun: number;
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
  const { waves, order } = input;
  try {
    const { signal } = input.session.io;
    const turns = waves && (await turnsOf(run, waves, input, signal));
    const outcomes = await walkGraph(
      order,
      async (task) => {
        if (turns && !(await turns.enter(task))) return "skipped";
        return slots.run(() => run.apply(task.name));
      },
      signal,
      turns && ((task, outcome) => turns.settled(task, outcome)),
    );
    await input.session.report(turns?.faults ?? []);
    return { outcomes, counts: run.counts, begun: turns?.begun ?? 0 };
  } finally {
    stopSaying();
    waves?.run.end();
  }
}

async function turnsOf(
  run: ApplyingRun,
  { run: waveRun, waves, journal }: InstanceWaves,
  { order, ready }: ApplyInstancesInput,
  signal: AbortSignal,
): Promise<WaveTurns<Task, Task>> {
  const { between } = await waveRun.begin(signal, journal);
  // Instances that stay as they are take no room in a wave, and no gate is asked about them.
  const isChanged = ({ name }: Task) => hasChanges(ready.get(name)!.saved.plan);
  const walk = { nodes: order.nodes.values(), stepOf: (task: Task) => task };
  return new WaveTurns(
    waves,
    walk,
    (end) => between({ ...end, changed: end.changed.filter(isChanged), checks: run.checks }),
    signal,
  );
}

const nothingDone = { imported: 0, added: 0, changed: 0, destroyed: 0 };

class ApplyingRun {
  readonly counts = { imported: 0, added: 0, changed: 0, destroyed: 0 };
  /** What came of the conditions of the instances that were done, as they were then. */
  readonly checks: CheckResult[] = [];
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
    const variables = await this.#inputsNow(instance);
    if (!variables) return false;
    const { saved } = instance;
    const ready = { ...instance, saved: { ...saved, plan: { ...saved.plan, variables } } };
    if (!(await (hasChanges(saved.plan) ? this.#carryOut(ready) : this.#keep(ready)))) return false;
    const { task, configuration, state } = instance;
    if (task.task === "make")
      this.#outputs.set(name, storedOutputs(state.kept.current.state, configuration.root.outputs.keys()));
    return true;
  }

  // What was read again belongs into the state, also where there is nothing else to do; and so do inputs that change nothing.
  async #keep({ session, state, saved, configuration }: ReadyInstance): Promise<boolean> {
    const { plan } = saved;
    if (!(await rememberInstance(session, { saved, configuration, state }))) return false;
    await state.kept.write(plan.priorState);
    if (plan.settled.length > 0) await forgetSettled(state, plan.settled);
    session.tellJson((view) => view.applied(nothingDone, plan.mode, state.kept.current.state.outputs));
    if (plan.mode === "destroy") forgetIfGone(session, state);
    this.checks.push(...namedChecks(session, plan.checks));
    return true;
  }

  async #carryOut({ task, session, state, saved, configuration, given }: ReadyInstance): Promise<boolean> {
    const { pending, diagnostics } = await recoverInterrupted(state);
    if (!(await session.report(diagnostics))) return false;
    const done = await carryOut({
      session,
      state,
      plan: saved.plan,
      configuration,
      given,
      pending,
      events: eventsOf({ session }, "apply"),
      parallelism: this.#input.parallelism,
      record: { operation: task.task === "remove" ? "destroy" : "apply", saved },
    });
    if (!done) return false;
    const { counts, state: after, checks } = done.result;
    this.checks.push(...namedChecks(session, checks));
    this.counts.imported += counts.imported;
    this.counts.added += counts.added;
    this.counts.changed += counts.changed;
    this.counts.destroyed += counts.destroyed;
    if (done.ok) session.tellJson((view) => view.applied(counts, saved.plan.mode, after.outputs));
    return done.ok;
  }

  /** The values of a plan's variables, those that were unknown taken from what has come of other instances. */
  async #inputsNow({ task, saved, session }: ReadyInstance): Promise<ReadonlyMap<string, Value> | undefined> {
    const { plan } = saved;
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
}

/** Conditions of an instance, by names that say whose they are. */
export function namedChecks({ instance }: Session, checks: readonly CheckResult[]): CheckResult[] {
  if (!instance) return [...checks];
  return checks.map((check) => ({ ...check, instanceAddress: `${instance.name}: ${check.instanceAddress}` }));
}
