import type { Semaphore } from "@millwright/core/concurrency";
import type { Diagnostic } from "@millwright/core/diagnostics";
import type { Resource } from "../configuration.ts";
import type { Evaluator } from "../evaluator.ts";
import type { CheckResult, InstanceChange, Plan } from "../plan/plan.ts";
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
  readonly diagnostics: Diagnostic[];
  readonly counts: { added: number; changed: number; destroyed: number };
  readonly validating: false;
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

/** A recorder for tests and for runs whose work can be done again at no cost. */
export const noRecorder: ApplyRecorder = { before: () => Promise.resolve(), after: () => Promise.resolve() };

/** One change with what it needs to be carried out. */
export interface ApplyTarget {
  readonly change: InstanceChange;
  /** Its configuration; a destroy has none. */
  readonly resource: Resource | undefined;
  readonly nodeId: string;
}

export interface ApplyResult {
  readonly state: State;
  readonly diagnostics: readonly Diagnostic[];
  readonly counts: { readonly added: number; readonly changed: number; readonly destroyed: number };
  /** Whether all was carried out. */
  readonly complete: boolean;
  readonly checks: readonly CheckResult[];
}
