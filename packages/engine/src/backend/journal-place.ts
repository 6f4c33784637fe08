import { existsSync, readFileSync } from "node:fs";
import type { JournalHeader, JournalRecord, PendingCreate } from "./journal.ts";
import { JournalWriter, journalPath, keepPending, readJournal } from "./journal.ts";
import { clearLines, journalLinesOf, newJournalLines } from "./journal-lines.ts";
import type { Sealing } from "./sealing.ts";

/** The journal that goes with a state, whether there is one or not. It is sealed as the state is. */
export class Journal {
  readonly #runPath: string;
  readonly #sealing: Sealing;

  /** It lies beside `runPath`. */
  constructor(runPath: string, sealing: Sealing) {
    this.#runPath = runPath;
    this.#sealing = sealing;
  }

  get path(): string {
    return journalPath(this.#runPath);
  }

  /** What a run that was killed left; undefined where nothing was. Rejects with `sealUnopened`. */
  async read(): Promise<JournalRecord | undefined> {
    return readJournal(this.#runPath, await this.#lines());
  }

  /** Leaves only creates that are still open; none at all where there are none. */
  async keepPending(header: JournalHeader, pending: readonly PendingCreate[]): Promise<void> {
    keepPending(this.#runPath, header, pending, pending.length === 0 ? clearLines : await this.#newLines());
  }

  async begin(header: JournalHeader, pending: readonly PendingCreate[]): Promise<JournalWriter> {
    return new JournalWriter(this.#runPath, header, pending, await this.#newLines());
  }

  async #lines() {
    return existsSync(this.path) ? journalLinesOf(readFileSync(this.path, "utf8"), this.#sealing) : clearLines;
  }

  #newLines() {
    return newJournalLines(this.#sealing);
  }
}
