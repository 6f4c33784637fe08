import { warningDiagnostic } from "@millwright/core/diagnostics";
import { applyPlan } from "@millwright/engine/apply";
import type { ApplyResult } from "@millwright/engine/apply-run";
import type { PendingCreate } from "@millwright/engine/backend/journal";
import { processStart } from "@millwright/engine/backend/journal";
import type { Configuration } from "@millwright/engine/configuration";
import { type InstanceChange, isWhole, movesObjects, type Plan } from "@millwright/engine/plan";
import type { RunListener } from "@millwright/engine/ports";
import type { ProviderPool } from "@millwright/engine/provider-pool";
import { collectVariables } from "@millwright/engine/variables";
import type { Value } from "@millwright/value/value";
import { valuesOf } from "./apply-variables.ts";
import type { OpenState } from "./open-state.ts";
import type { WaveRun } from "../waves/wave-run.ts";
import { sayInterrupts } from "./interrupts.ts";
import { evaluatorContext, newPool, runPorts } from "./run-context.ts";
import { Recording, type RunToRecord } from "./recording.ts";
import { saveAtTheEnd, SaverOnTheWay } from "./save-state.ts";
import type { Session } from "./session.ts";

export interface CarryOutInput {
  readonly session: Session;
  readonly state: OpenState;
  readonly plan: Plan;
  readonly configuration: Configuration;
  /** Values of the plan's ephemeral variables, by name. */
  readonly given: ReadonlyMap<string, Value>;
  /** Creates of earlier runs that were under way when these were killed. */
  readonly pending: readonly PendingCreate[];
  /** The providers that the plan was made with, where it was made just now; they are not ended here. */
  readonly pool?: ProviderPool;
  readonly events: RunListener;
  readonly parallelism: number;
  /** What the history keeps of it; nothing where not given. */
  readonly record?: RunToRecord;
  /** Where given, it goes in waves. */
  readonly waves?: WaveRun<InstanceChange>;
}

/** What an apply came to; undefined where it could not begin, which was reported. */
export interface CarriedOut {
  readonly ok: boolean;
  /** Whether the state has it all; where not, it was said where it is. */
  readonly saved: boolean;
  readonly result: ApplyResult;
}

/** Does what a plan says, keeps the journal, and saves the state. All that goes wrong is reported. */
export async function carryOut(input: CarryOutInput): Promise<CarriedOut | undefined> {
  const { session, state, plan, configuration, pending, events, parallelism } = input;
  const { kept } = state;
  const variables = collectVariables(configuration.root, valuesOf(new Map([...plan.variables, ...input.given])));
  if (!(await session.report(variables.diagnostics.filter((d) => d.severity === "error")))) return undefined;
  const header = {
    lineage: kept.lineage,
    serial: plan.serial,
    pid: process.pid,
    processStart: processStart(process.pid) ?? "",
    started: new Date().toISOString(),
  };
  const open = pending.filter((entry) => !plan.settled.includes(entry.address));
  // What was taken over is in the state before the journal forgets it, and what was moved before the journal tells of it by its new address.
  if (plan.settled.length > 0 || movesObjects(plan)) await kept.write(plan.priorState);
  if (!(await isRemembered(input))) return undefined;
  kept.makeRunFolder();
  const recording = await Recording.begin(input);
  const journal = await kept.journal.begin(header, open);
  const saver = new SaverOnTheWay(state, session.io.env);
  const pool = input.pool ?? (await newPool(session));
  // Several instances are carried out side by side; for those it is said once.
  const stopSaying = session.instance ? () => undefined : sayInterrupts(session);
  let result: ApplyResult;
  try {
    const context = evaluatorContext(session, {
      configuration,
      variables: variables.value.final,
      applying: true,
      timestamp: plan.timestamp,
    });
    // Without its lock nothing more is begun: another run may be at work on the same.
    const stop = AbortSignal.any([session.io.signal, ...(state.lost ? [state.lost] : [])]);
    const ports = { ...runPorts(session, events), stop };
    const onState = saver.offer;
    const waves = await input.waves?.begin(stop, recording);
    await pool.watchProcesses((one) => journal.process(one));
    const what = { plan, context, pool, ports, recorder: journal, parallelism, onState };
    result = await applyPlan({ ...what, ...(waves ? { waves } : {}) });
    await saver.settled();
  } catch (error) {
    journal.leave();
    throw error;
  } finally {
    stopSaying();
    input.waves?.end();
    if (!input.pool) await pool.close();
  }
  const failure = await saveAtTheEnd({ state, result, journal, header, pending: [...open, ...result.unanswered] });
  const unrecorded = await recording.end(result);
  const unplanned = isWhole(plan) ? [] : [mayBeIncomplete];
  const ok = await session.report([...unplanned, ...result.diagnostics, ...failure, ...unrecorded]);
  if (session.instance && plan.mode === "destroy" && failure.length === 0)
    (await import("../instances/remember.ts")).forgetIfGone(session, state);
  return { ok: ok && result.complete, saved: failure.length === 0, result };
}

const mayBeIncomplete = warningDiagnostic(
  "Applied changes may be incomplete",
  "The plan was about what -target or -exclude left of the configuration, so not all that it asks for was done. Run plan without these flags to see what is left.",
);

// What an instance of a template is made by is needed to take it down when nobody lists it any more.
async function isRemembered({ session, state, configuration, record }: CarryOutInput): Promise<boolean> {
  if (!session.instance || !record) return true;
  const { rememberInstance } = await import("../instances/remember.ts");
  return rememberInstance(session, { saved: record.saved, configuration, state });
}
