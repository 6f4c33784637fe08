import { readFile, rename, writeFile } from "node:fs/promises";
import { coalesced } from "@millwright/core/concurrency";
import { messageOf, OperationalError } from "@millwright/core/errors";
import { allocationErrors } from "./errors.ts";

/**
 * A JSON file for the agent's user alone that follows something in memory. It is put in place in one step, so that a reader finds the
 * old or the new one; however many changes come at once, it is written once or twice.
 */
export class KeptJson {
  /** Resolves when what `render` gives now is in the file. Rejects with `folder`. */
  readonly write: () => Promise<void>;

  constructor(path: string, render: () => unknown) {
    this.write = coalesced(() => put(path, render()));
  }
}

async function put(path: string, value: unknown): Promise<void> {
  const fresh = `${path}.new`;
  try {
    // A crash of the machine ends all tasks, and what is written here with them: there is nothing to sync.
    await writeFile(fresh, JSON.stringify(value), { mode: 0o600 });
    await rename(fresh, path);
  } catch (error) {
    const text = `Cannot write ${path}: ${messageOf(error)}. Check the disk's free space and who owns the folder.`;
    throw new OperationalError(allocationErrors.folder, text, { cause: error });
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
