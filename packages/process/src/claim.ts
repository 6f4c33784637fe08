import { link, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { OperationalError } from "@millwright/core/errors";
import { processErrors } from "./errors.ts";
import { formatIdentity, identify, isAlive, parseIdentity, type ProcessIdentity } from "./identity.ts";

/** A folder that one process works on alone. */
export interface Claim {
  /** Lets others have it. */
  release(): Promise<void>;
}

/**
 * Takes a folder for this process, by a file in it with the process's identity: that of a process which has ended, however
 * it ended, does not count. Rejects with `folderInUse` where another process has it, or this one has it already.
 */
export async function claimFolder(folder: string, fileName: string): Promise<Claim> {
  const own = identify(process.pid);
  // Without a table of processes nobody could tell whether the other one still runs.
  if (!own) return { release: () => Promise.resolve() };
  const file = join(folder, fileName);
  const mine = `${file}.${own.pid}`;
  await writeFile(mine, `${formatIdentity(own)}\n`, { mode: 0o600 });
  try {
    if (!(await linked(mine, file))) {
      const holder = await holderOf(file);
      if (holder) throw inUse(folder, holder.pid);
      await rename(mine, file);
      // Another one may have found the same dead holder and come second: the last one has it.
      const last = await holderOf(file);
      if (last && last.pid !== own.pid) throw inUse(folder, last.pid);
    }
  } finally {
    await rm(mine, { force: true });
  }
  return {
    release: async () => {
      if ((await holderOf(file))?.pid === own.pid) await rm(file, { force: true });
    },
  };
}

/** The living process that has claimed a folder; undefined where none has. */
export async function holderOf(file: string): Promise<ProcessIdentity | undefined> {
  const identity = parseIdentity(await readFile(file, "utf8").catch(() => ""));
  return identity && isAlive(identity) ? identity : undefined;
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

function inUse(folder: string, pid: number): OperationalError {
  const text = `The data folder ${folder} is already in use by process ${pid}. Stop that one first, or take another folder with -data-dir.`;
  return new OperationalError(processErrors.folderInUse, text);
}
