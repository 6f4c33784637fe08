import type { Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import { isKind, messageOf, OperationalError } from "@millwright/core/errors";
import type { ApplyResult } from "@millwright/engine/apply-run";
import { backendErrors } from "@millwright/engine/backend/errors";
import type { JournalHeader, JournalWriter, PendingCreate } from "@millwright/engine/backend/journal";
import type { StateBuilder } from "@millwright/engine/state";
import type { OpenState } from "./open-state.ts";

/** Saves the state of a long run on the way, so that others see where it is; what is not saved yet is in the journal. */
export class SaverOnTheWay {
  readonly #state: OpenState;
  readonly #every: number;
  #savedAt = performance.now();
  #saving: Promise<void> | undefined;

  constructor(state: OpenState, env: Readonly<Record<string, string | undefined>>) {
    this.#state = state;
    this.#every = persistInterval(env);
  }

  /** Saves, where it is time and no save is under way. */
  readonly offer = (builder: StateBuilder): void => {
    const { kept, lost } = this.#state;
    if (this.#saving || lost?.aborted || performance.now() - this.#savedAt < this.#every) return;
    this.#saving = kept
      .write(builder.snapshot())
      // The journal has it all; the end of the run saves again and says so when it cannot.
      .catch(ignoreUnwritable)
      .finally(() => {
        this.#saving = undefined;
        this.#savedAt = performance.now();
      });
  };

  /** Resolves when no save is under way any more. */
  async settled(): Promise<void> {
    await this.#saving;
  }
}

function ignoreUnwritable(error: unknown): void {
  if (!(error instanceof OperationalError)) throw error;
}

/** How often the state is saved on the way, in milliseconds: every 20 s, or what TF_STATE_PERSIST_INTERVAL says in seconds. */
function persistInterval(env: Readonly<Record<string, string | undefined>>): number {
  const seconds = Number(env.TF_STATE_PERSIST_INTERVAL);
  return 1000 * (Number.isFinite(seconds) && seconds > 0 ? seconds : 20);
}

interface Ended {
  readonly state: OpenState;
  readonly result: ApplyResult;
  readonly journal: JournalWriter;
  readonly header: JournalHeader;
  /** Creates of which it is not known what came of them. */
  readonly pending: readonly PendingCreate[];
}

/** Saves what a run came to and puts its journal away. Where the state cannot be written, all of it is kept elsewhere. */
export async function saveAtTheEnd({ state, result, journal, header, pending }: Ended): Promise<Diagnostic[]> {
  const { kept, lost } = state;
  try {
    if (lost?.aborted) throw lockLost(kept.place, lost.reason);
    await kept.write(result.state);
    journal.finish(pending, header);
    return [];
  } catch (error) {
    journal.leave();
    if (!isKind(error, backendErrors.stateUnwritable) && !isKind(error, backendErrors.lockLost)) throw error;
    return [await saveElsewhere(state, result, error)];
  }
}

function lockLost(place: string, reason: unknown): OperationalError {
  return new OperationalError(
    backendErrors.lockLost,
    `The lock on ${place} was lost while this run was at work: ${messageOf(reason)}. Somebody else may be working on the state, so it was not written.`,
  );
}

async function saveElsewhere({ kept }: OpenState, result: ApplyResult, error: unknown): Promise<Diagnostic> {
  const summary = "Failed to save state";
  try {
    const path = await kept.writeErrored(result.state);
    return errorDiagnostic(
      summary,
      `${messageOf(error)}\n\nThe state after this run has been written to ${path}. Make the state writable again; the next run in this folder takes the changes in from its journal (${kept.journal.path}). To do it by hand: state push errored.tfstate`,
    );
  } catch (second) {
    return errorDiagnostic(
      summary,
      `${messageOf(error)}\n\nNor could errored.tfstate be written (${messageOf(second)}). The journal ${kept.journal.path} has every change of this run: make room, leave it where it is, and run plan, which takes it in.`,
    );
  }
}
