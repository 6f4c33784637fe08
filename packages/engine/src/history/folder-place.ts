import { mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { type ErrorKind, messageOf, OperationalError } from "@millwright/core/errors";
import { backendErrors } from "../backend/errors.ts";
import { writePrivateFile } from "../backend/private-file.ts";
import type { HistoryPlace } from "./history.ts";

/**
 * A history in a folder on this machine, which its owner alone may enter. It is made with the first entry, inside `home`,
 * which must be there: where a state's own folder has gone, none is made in its place.
 */
export function folderPlace(home: string, name: string): HistoryPlace {
  const folder = join(home, name);
  return {
    place: folder,
    names: () =>
      attempt(backendErrors.stateUnreadable, `The history in ${folder} cannot be read`, () => namesIn(folder)),
    read: (name) =>
      attempt(backendErrors.stateUnreadable, `The history in ${folder} cannot be read`, () => readIn(folder, name)),
    write: (name, bytes) =>
      attempt(backendErrors.stateUnwritable, `The history in ${folder} cannot be written`, () => {
        statSync(home);
        mkdirSync(folder, { recursive: true, mode: 0o700 });
        writePrivateFile(join(folder, name), bytes);
      }),
    remove: (name) =>
      attempt(backendErrors.stateUnwritable, `The history in ${folder} cannot be written`, () =>
        rmSync(join(folder, name), { force: true }),
      ),
  };
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

function readIn(folder: string, name: string): Uint8Array | undefined {
  try {
    return readFileSync(join(folder, name));
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return (error as { readonly code?: unknown }).code === "ENOENT";
}

async function attempt<T>(kind: ErrorKind, what: string, work: () => T): Promise<T> {
  try {
    return work();
  } catch (error) {
    throw new OperationalError(kind, `${what}: ${messageOf(error)}.`, { cause: error });
  }
}
