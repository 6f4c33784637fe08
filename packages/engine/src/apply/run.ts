import type { Semaphore } from "@millwright/core/concurrency";
import type { Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import { messageOf } from "@millwright/core/errors";
import type { PendingCreate } from "../backend/journal.ts";
import type { OpenEphemerals } from "../ephemeral/open-ephemerals.ts";
import type { Evaluator } from "../evaluator.ts";
import type { CheckResult, Plan } from "../plan/plan.ts";
import type { RunAction, RunPorts } from "../ports.ts";
import type { ProviderPool } from "../provider-pool.ts";
import type { ObjectState, State, StateBuilder } from "../state.ts";

/** Everything that the steps of one apply share. */
export interface ApplyRun {
  readonly plan: Plan;
  readonly evaluator: Evaluator;
  readonly pool: ProviderPool;
  readonly state: StateBuilder;
  readonly ports: RunPorts;
  readonly recorder: ApplyRecorder;
  /** Bounds the changes under way. */
  readonly slots: Semaphore;
  readonly checks: CheckResult[];
  /** Creates that were sent and got no answer, since their provider died: whether there is an object is not known. */
  readonly unanswered: PendingCreate[];
  readonly diagnostics: Diagnostic[];
  readonly counts: { imported: number; added: number; changed: number; destroyed: number };
  /** `configResourceText` of what this run has begun to change, and of what that was made after. */
  readonly touched: { readonly own: Set<string>; readonly below: Set<string> };
  readonly validating: false;
  readonly ephemerals: OpenEphemerals;
}

/**
 * Is told of each change before its call and after it, so that a killed run leaves behind what it was about to do and what
 * came of it. Both resolve when it is on disk; a rejection stops the change before its call is made.
 */
export interface ApplyRecorder {
  before(intent: ChangeIntent): Promise<void>;
  after(result: ChangeResult): Promise<void>;
}

export interface ChangeIntent {
  /** Numbers the changes of a run from 1. */
  readonly sequence: number;
  readonly address: string;
  readonly deposedKey?: string;
  readonly action: RunAction;
  readonly provider: string;
  readonly type: string;
  readonly schemaVersion: number;
  /** What was sent: the planned object, with unknown and sensitive parts left out, as JSON text. Undefined for a delete. */
  readonly sent?: string;
  /** Where the change makes the current object a deposed one first. */
  readonly deposes?: string;
}

export interface ChangeResult {
  readonly sequence: number;
  readonly address: string;
  readonly deposedKey?: string;
  readonly provider: string;
  readonly ok: boolean;
  /** The object as the state now has it; undefined where there is none. */
  readonly object?: ObjectState;
  /** Where the change came to nothing and the deposed object is the current one again. */
  readonly restores?: string;
}

/** Has the recorder told of a change before its call. Where it cannot be, that is an error, and the call must not be made. */
export async function recordBefore(run: ApplyRun, intent: ChangeIntent): Promise<boolean> {
  try {
    await run.recorder.before(intent);
    return true;
  } catch (error) {
    const detail = `The change of ${intent.address} was not begun: ${messageOf(error)}`;
    run.diagnostics.push(errorDiagnostic("Change not begun", detail, { address: intent.address }));
    return false;
  }
}

/** The same after the call: what came of it is in the state already, so the run goes on to its end and no further. */
export async function recordAfter(run: ApplyRun, result: ChangeResult): Promise<boolean> {
  try {
    await run.recorder.after(result);
    return true;
  } catch (error) {
    const detail = `What came of the change of ${result.address} is in the state, and could not be noted before that is saved: ${messageOf(error)}`;
    run.diagnostics.push(errorDiagnostic("Change not recorded", detail, { address: result.address }));
    return false;
  }
}

/** A recorder for tests and for runs whose work can be done again at no cost. */
export const noRecorder: ApplyRecorder = { before: () => Promise.resolve(), after: () => Promise.resolve() };

export interface ApplyResult {
  readonly state: State;
  readonly diagnostics: readonly Diagnostic[];
  readonly counts: {
    readonly imported: number;
    readonly added: number;
    readonly changed: number;
    readonly destroyed: number;
  };
  /** Creates that got no answer; the journal keeps them for the next plan to settle. */
  readonly unanswered: readonly PendingCreate[];
  /** Whether all was carried out. */
  readonly complete: boolean;
  /** What references give after it, for further expressions. */
  readonly evaluator: Evaluator;
  /** Of an apply in waves: how many were begun, of how many. */
  readonly waves?: { readonly begun: number; readonly count: number };
  readonly checks: readonly CheckResult[];
}
