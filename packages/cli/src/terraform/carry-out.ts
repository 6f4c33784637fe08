import { basename } from "node:path";
import type { Diagnostic } from "@millwright/core/diagnostics";
import { isKind, messageOf } from "@millwright/core/errors";
import { applyPlan } from "@millwright/engine/apply";
import type { ApplyResult } from "@millwright/engine/apply-run";
import { backendErrors } from "@millwright/engine/backend/errors";
import type { PendingCreate } from "@millwright/engine/backend/journal";
import { JournalWriter, processStart } from "@millwright/engine/backend/journal";
import type { Configuration } from "@millwright/engine/configuration";
import type { Plan } from "@millwright/engine/plan";
import type { RunListener } from "@millwright/engine/ports";
import type { ProviderPool } from "@millwright/engine/provider-pool";
import type { StateBuilder } from "@millwright/engine/state";
import { collectVariables } from "@millwright/engine/variables";
import type { Value } from "@millwright/value/value";
import { valuesOf } from "./apply-variables.ts";
import type { OpenState } from "./open-state.ts";
import { evaluatorContext, newPool, runPorts } from "./run-context.ts";
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
  const { local } = state;
  const variables = collectVariables(configuration.root, valuesOf(new Map([...plan.variables, ...input.given])));
  if (!(await session.report(variables.diagnostics.filter((d) => d.severity === "error")))) return undefined;
  const header = {
    lineage: local.lineage,
    serial: plan.serial,
    pid: process.pid,
    processStart: processStart(process.pid) ?? "",
    started: new Date().toISOString(),
  };
  const open = pending.filter((entry) => !plan.settled.includes(entry.address));
  // What was taken over is in the state before the journal forgets it.
  if (plan.settled.length > 0) local.write(plan.priorState);
  const journal = new JournalWriter(local.path, header, open);
  const pool = input.pool ?? (await newPool(session));
  const stopSaying = sayInterrupts(session);
  let result: ApplyResult;
  try {
    const context = evaluatorContext(session, {
      configuration,
      variables: variables.value.final,
      applying: true,
      timestamp: plan.timestamp,
    });
    const ports = runPorts(session, events);
    const onState = saverOnTheWay(session, state);
    result = await applyPlan({ plan, context, pool, ports, recorder: journal, parallelism, onState });
  } catch (error) {
    journal.leave();
    throw error;
  } finally {
    stopSaying();
    if (!input.pool) await pool.close();
  }
  const failure = save(local, result, journal, [...open, ...result.unanswered], header);
  const ok = await session.report([...result.diagnostics, ...failure]);
  return { ok: ok && result.complete, saved: failure.length === 0, result };
}

function sayInterrupts(session: Session): () => void {
  const { signal } = session.io;
  const say = () =>
    void session.io.stderr(
      "\nInterrupted: what is under way is finished, and nothing more is begun.\nInterrupt again to stop at once; the journal beside the state then keeps what\nwas done, and the next run takes it in.\n",
    );
  signal.addEventListener("abort", say, { once: true });
  return () => signal.removeEventListener("abort", say);
}

// A long run saves on the way, so that others see where it is; what is not saved yet is in the journal.
function saverOnTheWay(session: Session, { local }: OpenState): (builder: StateBuilder) => void {
  const every = persistInterval(session.io.env);
  let savedAt = performance.now();
  return (builder) => {
    if (performance.now() - savedAt < every) return;
    savedAt = performance.now();
    try {
      local.write(builder.snapshot());
    } catch (error) {
      // The journal has it all; the end of the run saves again and says so when it cannot.
      if (!isKind(error, backendErrors.stateUnwritable)) throw error;
    }
  };
}

/** How often the state is saved on the way, in milliseconds: every 20 s, or what TF_STATE_PERSIST_INTERVAL says in seconds. */
function persistInterval(env: Readonly<Record<string, string | undefined>>): number {
  const seconds = Number(env.TF_STATE_PERSIST_INTERVAL);
  return 1000 * (Number.isFinite(seconds) && seconds > 0 ? seconds : 20);
}

function save(
  local: OpenState["local"],
  result: ApplyResult,
  journal: JournalWriter,
  pending: readonly PendingCreate[],
  header: ConstructorParameters<typeof JournalWriter>[1],
): Diagnostic[] {
  try {
    local.write(result.state);
    journal.finish(pending, header);
    return [];
  } catch (error) {
    if (!isKind(error, backendErrors.stateUnwritable)) throw error;
    journal.leave();
    return [saveElsewhere(local, result, error)];
  }
}

function saveElsewhere(local: OpenState["local"], result: ApplyResult, error: unknown): Diagnostic {
  const summary = "Failed to save state";
  try {
    const path = local.writeErrored(result.state);
    return {
      severity: "error",
      summary,
      detail: `${messageOf(error)}\n\nThe state after this run has been written to ${path}. Make the state writable again; the next run takes the changes in from the journal beside it, or put the file in its place: cp errored.tfstate ${basename(local.path)}`,
    };
  } catch (second) {
    return {
      severity: "error",
      summary,
      detail: `${messageOf(error)}\n\nNor could errored.tfstate be written (${messageOf(second)}). The journal beside the state has every change of this run: make room, leave it where it is, and run plan, which takes it in.`,
    };
  }
}
