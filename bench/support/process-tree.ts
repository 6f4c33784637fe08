import { readdirSync, readFileSync } from "node:fs";

/** A process that runs now, and what it holds of the machine. */
export interface Measured {
  readonly pid: number;
  readonly commandLine: string;
  /** Its share of memory, in megabytes: what n processes have in common counts as an nth. */
  readonly pss: number;
  /** All memory that it sees, in megabytes. */
  readonly rss: number;
  /** Processor time so far, in milliseconds. */
  readonly cpu: number;
}

/** A process and all that descend from it, parents first; those that end meanwhile are left out. */
export function processTree(pid: number): readonly Measured[] {
  const one = measured(pid);
  return one ? [one, ...childrenOf(pid).flatMap(processTree)] : [];
}

function childrenOf(pid: number): readonly number[] {
  const lists = orWhenGone([], () =>
    readdirSync(`/proc/${pid}/task`).map((thread) => readFileSync(`/proc/${pid}/task/${thread}/children`, "utf8")),
  );
  return lists.flatMap((list) => list.split(" ").filter(Boolean).map(Number));
}

function measured(pid: number): Measured | undefined {
  return orWhenGone(undefined, () => {
    const memory = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
    const megabytes = (name: string) => Number(new RegExp(`^${name}: +(\\d+)`, "m").exec(memory)?.[1]) / 1_024;
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // Behind the program's name, which may hold spaces; a tick is 10 ms.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const cpu = (Number(fields[11]) + Number(fields[12])) * 10;
    const commandLine = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
    return { pid, commandLine, pss: megabytes("Pss"), rss: megabytes("Rss"), cpu };
  });
}

function orWhenGone<T>(otherwise: T, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof Error && "code" in error && ["ENOENT", "ESRCH"].includes(String(error.code))) return otherwise;
    throw error;
  }
}
