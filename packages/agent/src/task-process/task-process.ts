import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { messageOf, OperationalError } from "@millwright/core/errors";
import { systemClock } from "@millwright/core/ports";
import { formatIdentity, identify, isAlive, type ProcessIdentity, parseIdentity } from "@millwright/process/identity";
import type { TaskExit, TaskOutput, TaskStats } from "../driver/driver.ts";
import { driverErrors } from "../driver/errors.ts";
import { cgroupAt, keeperFiles, makeCgroup } from "./cgroup.ts";
import { watchFolder } from "./folder-watch.ts";
import { beginRun, readCgroup, readExit, readFault, readRecorded, removeRun, runFolder, runsIn } from "./records.ts";
import { sendSignal, TaskProcesses } from "./task-processes.ts";
import type { Tools } from "./tools.ts";

export interface TaskProcessSpec {
  /** The folder of its records, as `recordFolder` has it. */
  readonly folder: string;
  readonly output: TaskOutput;
  /** A program by its path, and its arguments. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly tools: Tools;
  /** What tells it from all others: its cgroup is called like that, or, where it cannot have one, a variable of its environment. */
  readonly name: string;
  /** Files by which it joins cgroups that somebody else made, in place of its own. */
  readonly joinFiles: readonly string[];
  readonly oomScore: number | undefined;
}

/** What finds it again: no secret, and JSON. */
export interface SavedTaskProcess {
  /** Counts the starts. */
  readonly run: number;
  readonly shim: string;
  readonly task: string;
  readonly startedAt: number;
  readonly cgroup: readonly string[];
  /** A variable and its value that only this run's environment has; empty where there is a cgroup. */
  readonly mark: string;
}

/**
 * Starts a process whose parent is a shim, so that it outlives this program; what is left of an earlier run in the same folder
 * is killed first. Rejects with `driverErrors.failed` where it does not come to run.
 */
export async function startTaskProcess(spec: TaskProcessSpec): Promise<TaskProcess> {
  mkdirSync(spec.folder, { recursive: true, mode: 0o700 });
  const run = (await endEarlierRuns(spec)) + 1;
  const folder = runFolder(spec.folder, run);
  const cgroup = makeCgroup(`${spec.name}.${run}`);
  const mark = cgroup ? "" : markOf(spec, run);
  const joins = spec.joinFiles.length > 0 ? spec.joinFiles : (cgroup?.joinFiles ?? []);
  beginRun(folder, { cgroup: cgroup?.folders ?? [], joins, keepers: keeperFiles() });
  const argv = shimArguments(spec, folder);
  const startedAt = systemClock.now();
  const env = { ...spec.env, ...(mark === "" ? {} : { [markName]: mark.slice(markName.length + 1) }) };
  const child = spawn(spec.tools.sh, argv, { cwd: spec.cwd, env, stdio: "ignore", detached: true });
  child.unref();
  try {
    await once(child, "spawn");
  } catch (error) {
    throw failed(`the system refuses (${messageOf(error)})`, error);
  }
  const { shim, task } = await recorded(folder, () => child.exitCode !== null || child.signalCode !== null);
  const [shimText, taskText] = [formatIdentity(shim), formatIdentity(task)];
  const saved = { run, shim: shimText, task: taskText, startedAt, cgroup: cgroup?.folders ?? [], mark };
  return new TaskProcess(folder, saved, shim, task);
}

/** Finds a process again that was started before, also one that has ended; undefined where nothing is known of it any more. */
export function findTaskProcess(records: string, saved: SavedTaskProcess): TaskProcess | undefined {
  const folder = runFolder(records, saved.run);
  const shim = parseIdentity(saved.shim);
  const task = parseIdentity(saved.task);
  if (!shim || !task) return undefined;
  const known = readRecorded(folder, "task");
  if (known ? formatIdentity(known) !== saved.task : !isAlive(task)) return undefined;
  return new TaskProcess(folder, saved, shim, task);
}

/** A process with a shim for its parent. */
export class TaskProcess {
  readonly saved: SavedTaskProcess;
  readonly ended: Promise<TaskExit>;
  readonly #folder: string;
  readonly #shim: ProcessIdentity;
  readonly #task: ProcessIdentity;
  readonly #processes: TaskProcesses;
  #hasEnded = false;

  constructor(folder: string, saved: SavedTaskProcess, shim: ProcessIdentity, task: ProcessIdentity) {
    this.#folder = folder;
    this.saved = saved;
    this.#shim = shim;
    this.#task = task;
    const cgroup = saved.cgroup.length > 0 ? cgroupAt(saved.cgroup) : undefined;
    const mark = saved.mark === "" ? undefined : saved.mark;
    this.#processes = new TaskProcesses(task, { cgroup, mark, shim, startedAt: saved.startedAt });
    this.ended = this.#watch();
  }

  signal(name: NodeJS.Signals): void {
    this.#processes.signalMain(name);
  }

  async stop(signal: NodeJS.Signals, timeoutMilliseconds: number): Promise<TaskExit> {
    this.signal(signal);
    const patience = new AbortController();
    const timeout = systemClock.sleep(timeoutMilliseconds, patience.signal).catch(() => undefined);
    await Promise.race([this.ended, timeout]);
    patience.abort();
    await this.#processes.kill();
    return this.ended;
  }

  stats(): TaskStats | undefined {
    return this.#hasEnded ? undefined : this.#processes.stats();
  }

  /** Ends what still runs of it, the shim too: from then on nobody holds its FIFOs. */
  async destroy(): Promise<void> {
    await this.#processes.kill();
    await this.ended;
    killShim(this.#shim);
    this.#processes.removeCgroup();
  }

  async #watch(): Promise<TaskExit> {
    const folder = watchFolder(this.#folder);
    try {
      for (;;) {
        const exit = this.#look();
        if (exit) {
          // What it left running would hold its ports and its folder.
          await this.#processes.kill();
          this.#hasEnded = true;
          return exit;
        }
        await folder.changed();
      }
    } finally {
      folder.close();
    }
  }

  #look(): TaskExit | undefined {
    // Who runs is asked first: what is written is written before the end.
    const isOver = !isAlive(this.#task) && !isAlive(this.#shim);
    const exit = readExit(this.#folder);
    if (exit) return { ...exit, oomKilled: exit.signal === sigkill && this.#processes.isMemoryShort(), lost: "" };
    if (!isOver) return undefined;
    return { exitCode: 0, signal: 0, oomKilled: false, at: systemClock.now(), lost: this.#whyLost() };
  }

  #whyLost(): string {
    if (!existsSync(this.#folder)) return `its folder ${this.#folder} is gone, and its exit code with it`;
    if (this.#task.boot !== identify(process.pid)?.boot) return "the machine was started anew while it ran";
    return "its shim was killed, which alone knew its exit code";
  }
}

const markName = "MILLWRIGHT_RUN";
const markOf = ({ name }: TaskProcessSpec, run: number) => `${markName}=${name}.${run}`;
const shimFile = fileURLToPath(new URL("./shim.sh", import.meta.url));
const sigkill = 9;
const startMilliseconds = 15_000;
const lookMilliseconds = 5;

function shimArguments({ output, tools, oomScore, argv }: TaskProcessSpec, folder: string): readonly string[] {
  const score = oomScore === undefined ? "" : String(oomScore);
  return [shimFile, folder, output.stdout, output.stderr, tools.mv, tools.sleep, score, tools.setsid, ...argv];
}

// A start that an agent did not live to write down has left a task that nobody knows of. Gives the last run's number.
async function endEarlierRuns(spec: TaskProcessSpec): Promise<number> {
  const { folder: records } = spec;
  const runs = runsIn(records);
  for (const run of runs) {
    const folder = runFolder(records, run);
    const [shim, task] = [readRecorded(folder, "shim"), readRecorded(folder, "task")];
    const cgroup = cgroupAt(readCgroup(folder));
    const mark = cgroup.folders.length > 0 ? undefined : markOf(spec, run);
    // The shim first: before it has started the task, it is all there is.
    if (shim) killShim(shim);
    if (task) await new TaskProcesses(task, { cgroup, mark, shim, startedAt: 0 }).kill();
    else await cgroup.kill();
    cgroup.remove();
    removeRun(folder);
  }
  return runs.at(-1) ?? 0;
}

// With what it runs at that moment; the task has a group of its own.
function killShim(shim: ProcessIdentity): void {
  if (isAlive(shim)) sendSignal(-shim.pid, "SIGKILL");
}

async function recorded(folder: string, hasEnded: () => boolean) {
  const deadline = systemClock.monotonic() + startMilliseconds;
  for (;;) {
    const isLast = hasEnded() || readExit(folder) !== undefined || systemClock.monotonic() >= deadline;
    const [shim, task] = [readRecorded(folder, "shim"), readRecorded(folder, "task")];
    if (shim && task) return { shim, task };
    if (isLast) throw failed(readFault(folder) || "it says nothing");
    await systemClock.sleep(lookMilliseconds);
  }
}

function failed(why: string, cause?: unknown): OperationalError {
  const text = `The task's process did not come to run: ${why}. Check the space on the disk and the permissions of its folder.`;
  return new OperationalError(driverErrors.failed, text, { cause });
}
