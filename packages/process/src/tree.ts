import { invariant } from "@millwright/core/errors";
import type { ProcessEntry } from "./process-table.ts";
import { listProcesses, readProcess } from "./process-table.ts";

/** How a tree's members are found: all of a process group and session, or what descends from one process alone. */
export type TreeScope = "group" | "descendants";

/**
 * The processes that come from one process (the leader): its group and session, and what descends from it, also where a
 * descendant has made a session of its own. Who was a member once stays one, so that a member whose parent has ended is
 * not lost. A daemon that left both its session and its parent before the tree was looked at is a tree of its own.
 */
export class ProcessTree {
  readonly #leader: number;
  readonly #leaderStart: string | undefined;
  readonly #scope: TreeScope;
  /** Start times by pid. */
  readonly #members = new Map<number, string>();

  constructor(leader: number, scope: TreeScope) {
    invariant(leader > 1, "a tree has a process of its own at its head");
    this.#leader = leader;
    this.#leaderStart = readProcess(leader)?.startTime;
    this.#scope = scope;
  }

  /** The members that run now. */
  look(): readonly number[] {
    const entries = listProcesses();
    const byPid = new Map(entries.map((entry) => [entry.pid, entry]));
    // Another process that has got the leader's pid by now heads a group of its own.
    const leader = byPid.get(this.#leader);
    const near = leader && leader.startTime !== this.#leaderStart ? [] : entries.filter((entry) => this.#isNear(entry));
    for (const entry of near) this.#members.set(entry.pid, entry.startTime);
    let grew = true;
    while (grew) {
      grew = false;
      for (const entry of entries) {
        if (this.#members.has(entry.pid) || !this.#members.has(entry.parent)) continue;
        this.#members.set(entry.pid, entry.startTime);
        grew = true;
      }
    }
    for (const [pid, startTime] of this.#members) {
      if (byPid.get(pid)?.startTime !== startTime) this.#members.delete(pid);
    }
    return [...this.#members.keys()].filter((pid) => byPid.get(pid)?.isZombie === false);
  }

  /** Sends a signal to each member; false where there was none left. */
  signal(name: NodeJS.Signals): boolean {
    const members = this.look();
    // The kernel reaches all of a group at once, also one that is being born just now.
    if (this.#scope === "group" && members.length > 0) send(-this.#leader, name);
    for (const pid of members) if (this.#scope !== "group" || !this.#isInGroup(pid)) send(pid, name);
    return members.length > 0;
  }

  #isNear(entry: ProcessEntry): boolean {
    if (entry.pid === this.#leader) return true;
    return this.#scope === "group" && (entry.group === this.#leader || entry.session === this.#leader);
  }

  #isInGroup(pid: number): boolean {
    return readProcess(pid)?.group === this.#leader;
  }
}

// A process that ended meanwhile needs no signal; one that runs as another user by now cannot get one.
function send(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ESRCH" && code !== "EPERM") throw error;
  }
}
