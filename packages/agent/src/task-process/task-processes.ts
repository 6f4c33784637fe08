import { readFileSync } from "node:fs";
import { systemClock } from "@millwright/core/ports";
import { identify, isAlive, type ProcessIdentity } from "@millwright/process/identity";
import { listProcesses, type ProcessEntry } from "@millwright/process/process-table";
import { ProcessTree } from "@millwright/process/tree";
import type { TaskStats } from "../driver/driver.ts";
import type { Cgroup } from "./cgroup.ts";

export interface TaskProcessesOptions {
  readonly cgroup: Cgroup | undefined;
  /** A variable and its value that the environment of them all has, where there is no cgroup to find them by. */
  readonly mark: string | undefined;
  /** It and what it runs itself, in its group, have the same environment, and are none of them. */
  readonly shim: ProcessIdentity | undefined;
  readonly startedAt: number;
}

/** All processes of a task: its main one, and whatever that has started. */
export class TaskProcesses {
  readonly #main: ProcessIdentity;
  readonly #cgroup: Cgroup | undefined;
  readonly #mark: string | undefined;
  readonly #shim: ProcessIdentity | undefined;
  readonly #tree: ProcessTree | undefined;
  #last: { readonly at: number; readonly cpu: number };

  /**
   * Without a cgroup, one that left both its session and its parent is found by its environment, unless it runs as another
   * user or has made itself a new one.
   */
  constructor(main: ProcessIdentity, { cgroup, mark, shim, startedAt }: TaskProcessesOptions) {
    this.#main = main;
    this.#cgroup = cgroup;
    this.#mark = mark;
    this.#shim = shim;
    this.#tree = mayBeThere(main) ? new ProcessTree(main.pid, "group") : undefined;
    this.#last = { at: startedAt, cpu: 0 };
  }

  signalMain(name: NodeJS.Signals): void {
    if (isAlive(this.#main)) sendSignal(this.#main.pid, name);
  }

  /** Kills everything, and whatever that starts meanwhile. */
  async kill(): Promise<void> {
    await this.#cgroup?.kill();
    const deadline = systemClock.monotonic() + killMilliseconds;
    for (;;) {
      const isTreeLeft = this.#tree?.signal("SIGKILL") ?? false;
      const marked = this.#marked();
      for (const pid of marked) sendSignal(pid, "SIGKILL");
      if ((!isTreeLeft && marked.length === 0) || systemClock.monotonic() >= deadline) return;
      await systemClock.sleep(lookMilliseconds);
    }
  }

  isMemoryShort(): boolean {
    return (this.#cgroup?.oomKills() ?? 0) > 0;
  }

  stats(): TaskStats {
    const pids = this.#pids();
    const cpu = this.#cgroup?.cpu() ?? pids.reduce((sum, pid) => sum + cpuOf(pid), 0);
    const memory = this.#cgroup?.memory() ?? pids.reduce((sum, pid) => sum + residentOf(pid), 0);
    const at = systemClock.now();
    const nanoseconds = Math.max(1, at - this.#last.at) * 1e6;
    // What ended meanwhile may take its share with it.
    const cpuPercent = (Math.max(0, cpu - this.#last.cpu) / nanoseconds) * 100;
    this.#last = { at, cpu };
    return { memory, cpuPercent, cpuTotal: cpu, pids, at };
  }

  #pids(): readonly number[] {
    const all = [...(this.#cgroup?.pids() ?? []), ...(this.#tree?.look() ?? []), ...this.#marked()];
    return [...new Set(all)].sort((a, b) => a - b);
  }

  #marked(): readonly number[] {
    return markedWith(this.#mark)
      .filter(({ group }) => group !== this.#shim?.pid)
      .map(({ pid }) => pid);
  }

  removeCgroup(): void {
    this.#cgroup?.remove();
  }
}

// Its pid may be somebody else's by now, who is not to be killed: after a start of the machine, or when all were used once.
function mayBeThere(main: ProcessIdentity): boolean {
  const now = identify(main.pid);
  return now ? isAlive(main) : main.boot === identify(process.pid)?.boot;
}

const killMilliseconds = 5_000;
const lookMilliseconds = 10;
/** Linux tells processor time in hundredths of a second, and memory in pages. */
const tickNanoseconds = 1e7;
const pageBytes = 4_096;

// Only those of this program's own user can be read, or of any, as root.
function markedWith(mark: string | undefined): readonly ProcessEntry[] {
  if (mark === undefined) return [];
  return listProcesses().filter(({ pid, isZombie }) => {
    return !isZombie && textOf(`/proc/${pid}/environ`).split("\0").includes(mark);
  });
}

/** To a process, or, with a minus, to a group; one that has ended since it was found needs none. */
export function sendSignal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

// User and system time, with that of the children that were waited for. Source: proc_pid_stat(5), fields 14 to 17.
function cpuOf(pid: number): number {
  const text = textOf(`/proc/${pid}/stat`);
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return fields.slice(11, 15).reduce((sum, field) => sum + Number(field || 0), 0) * tickNanoseconds;
}

// Source: proc_pid_statm(5), field 2.
function residentOf(pid: number): number {
  return Number(textOf(`/proc/${pid}/statm`).split(" ")[1] ?? 0) * pageBytes;
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    // It has ended since it was found.
    return "";
  }
}
