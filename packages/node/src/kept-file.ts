import { open, readFile, rename } from "node:fs/promises";
import { coalesced } from "@millwright/core/concurrency";
import { messageOf, OperationalError } from "@millwright/core/errors";
import type { Clock } from "@millwright/core/ports";
import { nodeErrors } from "./errors.ts";

/**
 * A file that follows something in memory: written whole, for this user alone, and put in place in one step, so that a
 * reader sees the old or the new one. However many changes come at once, it is written once or twice.
 */
export class KeptFile {
  /** Resolves when what `render` gives now is on disk. Rejects where it cannot be written. */
  readonly write: () => Promise<void>;
  readonly #clock: Clock;
  #isDue = false;

  /** `render` gives what the file is to hold now, to be written as JSON. */
  constructor(path: string, clock: Clock, render: () => unknown) {
    this.write = coalesced(() => put(path, render()));
    this.#clock = clock;
  }

  /** Writes within `milliseconds`, for changes that need not outlive a crash in between. */
  writeSoon(milliseconds: number, signal: AbortSignal): void {
    if (this.#isDue || signal.aborted) return;
    this.#isDue = true;
    const write = async () => {
      this.#isDue = false;
      await this.write().catch(() => undefined);
    };
    void this.#clock.sleep(milliseconds, signal).then(write, () => undefined);
  }
}

async function put(path: string, value: unknown): Promise<void> {
  const fresh = `${path}.new`;
  try {
    const file = await open(fresh, "w", 0o600);
    try {
      await file.writeFile(`${JSON.stringify(value)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(fresh, path);
  } catch (error) {
    const text = `Cannot write ${path}: ${messageOf(error)}. What was asked for holds until the agent ends, and is not kept. Check the disk's free space and the folder's permissions.`;
    throw new OperationalError(nodeErrors.badConfiguration, text, { cause: error });
  }
}

/** The JSON content of such a file; undefined where there is none. Rejects with `badConfiguration` where it is damaged. */
export async function readKept(path: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw damaged(path, error);
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw damaged(path, error);
  }
}

/** The error for a kept file that does not hold what was written. */
export function damaged(path: string, cause: unknown): OperationalError {
  const text = `Cannot read ${path}: ${messageOf(cause)}. Restore the file, or remove it: what it kept is then lost and has to be registered again.`;
  return new OperationalError(nodeErrors.badConfiguration, text, { cause });
}
