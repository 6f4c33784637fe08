import { chmod, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { messageOf, OperationalError } from "@millwright/core/errors";
import type { Chance } from "@millwright/core/ports";
import { daemonErrors } from "./errors.ts";

/** Where a server keeps what must survive it. */
export interface DataFolder {
  readonly path: string;
  /** A UUID, made when the folder was. */
  readonly nodeId: string;
  /** Writes `running.json`, which tells who works on this folder. */
  writeRunning(running: RunningServer): Promise<void>;
  /** Removes `running.json`. */
  removeRunning(): Promise<void>;
}

/** The content of `running.json`: holds no secret. */
export interface RunningServer {
  readonly pid: number;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly version: string;
  /** Each `host:port` or `unix:///path` it listens on. */
  readonly http: readonly string[];
  /** Where other protocols are answered, by their names. */
  readonly vault?: readonly string[];
  readonly nomad?: readonly string[];
  readonly dns?: readonly string[];
}

/** Opens a data folder, and makes it, for this user alone, where it is not there. Rejects with `dataFolder`. */
export async function openDataFolder(path: string, chance: Chance): Promise<DataFolder> {
  try {
    // A folder that exists keeps the permissions its owner gave it.
    const made = await mkdir(path, { recursive: true, mode: 0o700 });
    if (made !== undefined) await chmod(path, 0o700);
    const nodeId = await readOrMakeNodeId(join(path, "node-id"), chance);
    const running = join(path, "running.json");
    return {
      path,
      nodeId,
      writeRunning: async (what) => {
        // Whoever waits for it reads it whole.
        const draft = `${running}.new`;
        await writeFile(draft, `${JSON.stringify(what, null, 2)}\n`, { mode: 0o600 });
        await rename(draft, running);
      },
      removeRunning: () => rm(running, { force: true }),
    };
  } catch (error) {
    const text = `Cannot use the data folder ${path}: ${messageOf(error)}. Check -data-dir and the folder's permissions.`;
    throw new OperationalError(daemonErrors.dataFolder, text, { cause: error });
  }
}

async function readOrMakeNodeId(path: string, chance: Chance): Promise<string> {
  const known = (await readFile(path, "utf8").catch(() => "")).trim();
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(known)) return known.toLowerCase();
  const fresh = chance.uuid();
  await writeFile(path, `${fresh}\n`, { mode: 0o600 });
  return fresh;
}
