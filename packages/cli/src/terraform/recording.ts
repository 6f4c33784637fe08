import { hostname } from "node:os";
import type { Diagnostic } from "@millwright/core/diagnostics";
import { warningDiagnostic } from "@millwright/core/diagnostics";
import { messageOf, OperationalError } from "@millwright/core/errors";
import type { ApplyResult } from "@millwright/engine/apply-run";
import { userName } from "@millwright/engine/backend/lock-info";
import type { History } from "@millwright/engine/history";
import { endedRun, type RunRecord, type RunWaves, startedRun } from "@millwright/engine/history/record";
import { planBytes, type SavedPlan, withoutStates } from "@millwright/engine/plan-file";
import { productVersion } from "../product.ts";
import type { OpenState } from "./open-state.ts";
import type { Session } from "./session.ts";

/** What the history keeps of a run beside what came of it. */
export interface RunToRecord {
  /** `apply`, `destroy`, `revert to 3`. */
  readonly operation: string;
  /** The plan with the configuration that it was made from. */
  readonly saved: SavedPlan;
}

/** A run that the history keeps, from before its first change to its end. */
export class Recording {
  readonly #history: History;
  #record: RunRecord | undefined;

  private constructor(history: History, record: RunRecord | undefined) {
    this.#history = history;
    this.#record = record;
  }

  /**
   * Keeps what is about to be done; with MILLWRIGHT_HISTORY=off nothing is kept. Rejects where it cannot be kept, and then
   * nothing may be changed.
   */
  static async begin(run: {
    readonly session: Session;
    readonly state: OpenState;
    readonly record?: RunToRecord;
  }): Promise<Recording> {
    const { session, state, record: what } = run;
    const { history } = state;
    if (!what || session.io.env.MILLWRIGHT_HISTORY === "off") return new Recording(history, undefined);
    const start = {
      operation: what.operation,
      who: `${userName()}@${hostname()}`,
      version: productVersion,
      at: new Date(),
    };
    try {
      const make = (number: number) => startedRun(number, what.saved.plan, start);
      return new Recording(history, await history.begin(make, planBytes(withoutStates(what.saved))));
    } catch (error) {
      if (!(error instanceof OperationalError)) throw error;
      const advice =
        "Nothing was changed: every run is recorded before it begins. MILLWRIGHT_HISTORY=off does without.";
      throw new OperationalError(error.kind, `${error.message}\n\n${advice}`, { cause: error });
    }
  }

  /** Keeps that a further wave has begun, so that a killed run can be gone on with there. */
  async wave(waves: RunWaves): Promise<void> {
    if (!this.#record) return;
    this.#record = { ...this.#record, waves };
    await this.#history.update(this.#record);
  }

  /** Keeps what came of it; that it cannot is a warning, since all is done. */
  async end(result: ApplyResult): Promise<readonly Diagnostic[]> {
    if (!this.#record) return [];
    try {
      await this.#history.update(endedRun(this.#record, result, result.state, new Date()));
      return [];
    } catch (error) {
      if (!(error instanceof OperationalError)) throw error;
      const detail = `What came of run ${this.#record.number} could not be added to the history: ${messageOf(error)}`;
      return [warningDiagnostic("Run not recorded", detail)];
    }
  }
}
