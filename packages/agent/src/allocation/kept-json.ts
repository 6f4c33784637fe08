import { readFile, rename, writeFile } from "node:fs/promises";
import { messageOf, OperationalError } from "@millwright/core/errors";
import { allocationErrors } from "./errors.ts";

/**
 * A JSON file for the agent's user alone that follows something in memory. It is put in place in one step, so that a reader finds the
 * old or the new one; however many changes come at once, it is written once or twice.
 */
export class KeptJson {
  readonly #path: string;
  readonly #render: () => unknown;
  #writing: Promise<void> | undefined;
  #isDirty = false;

  constructor(path: string, render: () => unknown) {
    this.#path = path;
    this.#render = render;
  }

  /** Resolves when what `render` gives now is in the file. Rejects with `folder`. */
  async write(): Promise<void> {
    this.#isDirty = true;
    while (this.#isDirty || this.#writing) {
      this.#writing ??= this.#writeOnce().finally(() => {
        this.#writing = undefined;
      });
      await this.#writing;
    }
  }

  async #writeOnce(): Promise<void> {
    this.#isDirty = false;
    const fresh = `${this.#path}.new`;
    try {
      // A crash of the machine ends all tasks, and what is written here with them: there is nothing to sync.
      await writeFile(fresh, JSON.stringify(this.#render()), { mode: 0o600 });
      await rename(fresh, this.#path);
    } catch (error) {
      const text = `Cannot write ${this.#path}: ${messageOf(error)}. Check the disk's free space and who owns the folder.`;
      throw new OperationalError(allocationErrors.folder, text, { cause: error });
    }
  }
}

/** What such a file holds; undefined where there is none, or it is damaged. */
export async function readKeptJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, "utf8"));
  } catch (error) {
    if (error instanceof SyntaxError || ["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? ""))
      return undefined;
    throw error;
  }
}
