import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { flushCompileCache } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { messageOf } from "@millwright/core/errors";
import type { Log } from "@millwright/core/ports";
import { holderOf } from "@millwright/process/claim";
import { keepApart } from "../task-process/cgroup.ts";
import { logProcessFiles } from "./protocol.ts";

/**
 * Starts the log process of a folder, which goes on when this program ends. Does nothing where there is one: it may be about
 * to listen.
 */
export async function startLogProcess(folder: string, log: Log): Promise<void> {
  if (await holderOf(join(folder, logProcessFiles.holder))) return;
  await cacheSources();
  const faults = openSync(join(folder, logProcessFiles.faults), "w", 0o600);
  try {
    const child = spawn(process.execPath, [...flags, program, folder], {
      detached: true,
      stdio: ["ignore", "ignore", faults],
      cwd: "/",
      env: environment(),
    });
    const ended = once(child, "exit");
    ended.catch(() => undefined);
    child.unref();
    await once(child, "spawn");
    keepApart(child.pid!);
    // Until it has its folder another one would be one too many.
    while (child.exitCode === null && child.signalCode === null) {
      if (await holderOf(join(folder, logProcessFiles.holder))) return;
      await new Promise((resolve) => setTimeout(resolve, lookMilliseconds));
    }
  } catch (error) {
    log.write("error", `cannot start the log process: ${messageOf(error)}`);
  } finally {
    closeSync(faults);
  }
}

const program = fileURLToPath(new URL("./log-process.mjs", import.meta.url));
const lookMilliseconds = 10;

/** Less memory: no threads that compile or collect, and a small heap. */
const flags = ["--v8-pool-size=0", "--max-semi-space-size=1", "--max-old-space-size=64"];

// To strip types takes memory that stays taken: the process is to find its sources stripped, also the first time.
async function cacheSources(): Promise<void> {
  await import("./log-process.ts");
  flushCompileCache();
}

function environment(): NodeJS.ProcessEnv {
  const names = ["PATH", "TMPDIR", "NODE_COMPILE_CACHE"];
  return Object.fromEntries(
    names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );
}
