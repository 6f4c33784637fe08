import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { messageOf, OperationalError } from "@millwright/core/errors";
import { backendErrors } from "../backend/errors.ts";
import { writePrivateFile } from "../backend/private-file.ts";
import type { RunWaves } from "../history/record.ts";

/** How far an apply over instances in waves had come when it was killed. */
export interface KilledInWaves {
  /** RFC 3339. */
  readonly started: string;
  readonly waves: RunWaves;
}

/**
 * How far an apply over instances in waves has come, in a file below the list's folder that is there while it is under way: one
 * that is still there is of a run that was killed. Runs over other instances of the list have files of their own. Each instance's
 * state has its own lock, so that only one run at a time is over the same ones.
 */
export class WavesJournal {
  readonly #path: string;
  readonly #started: string;

  /** `chosen` are the instances that were named, in any order; none of them means all. */
  constructor(listFolder: string, chosen: readonly string[], started: Date) {
    this.#path = join(listFolder, ".millwright", "waves", `${nameOf(chosen)}.json`);
    this.#started = started.toISOString();
  }

  /** A run over the same instances that did not come to its end. Throws `stateUnreadable` where its file is damaged. */
  killed(): KilledInWaves | undefined {
    if (!existsSync(this.#path)) return undefined;
    try {
      const { started, waves } = JSON.parse(readFileSync(this.#path, "utf8")) as KilledInWaves;
      const { sizes, count, begun } = waves;
      return { started, waves: { sizes, count, begun } };
    } catch (error) {
      const text = `${this.#path}, which says how far a killed apply in waves had come, cannot be read: ${messageOf(error)}. Remove it to begin anew.`;
      throw new OperationalError(backendErrors.stateUnreadable, text, { cause: error });
    }
  }

  /** Keeps that a further wave begins. Rejects with `stateUnwritable`; then it must not begin. */
  async wave(waves: RunWaves): Promise<void> {
    try {
      mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 });
      writePrivateFile(this.#path, `${JSON.stringify({ started: this.#started, waves })}\n`);
    } catch (error) {
      const text = `How far the apply has come cannot be written to ${this.#path}: ${messageOf(error)}.`;
      throw new OperationalError(backendErrors.stateUnwritable, text, { cause: error });
    }
  }

  /** The run has come to its end, whichever it was. */
  end(): void {
    rmSync(this.#path, { force: true });
  }
}

// Names of instances may be many and long; a file's name is neither.
function nameOf(chosen: readonly string[]): string {
  if (chosen.length === 0) return "all";
  const names = [...new Set(chosen)].sort();
  return createHash("sha256").update(JSON.stringify(names)).digest("hex").slice(0, 16);
}
