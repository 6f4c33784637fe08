import { readFileSync } from "node:fs";
import { readProcess } from "./process-table.ts";

/**
 * What names one process for good: pids are used again, a pid with its start time is not while the machine is up, and
 * `boot` tells one start of the machine from the next. Made to be written into a file and found again by another program.
 */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks since boot, as `/proc/PID/stat` gives them. */
  readonly startTime: string;
  /** The kernel's id of this start of the machine. */
  readonly boot: string;
}

/** The identity of the process that has this pid now; undefined where none has, or it has ended. */
export function identify(pid: number): ProcessIdentity | undefined {
  const entry = readProcess(pid);
  return entry && !entry.isZombie ? { pid, startTime: entry.startTime, boot: bootId() } : undefined;
}

/** Whether that very process still runs. */
export function isAlive(identity: ProcessIdentity): boolean {
  const now = identify(identity.pid);
  return now !== undefined && now.startTime === identity.startTime && now.boot === identity.boot;
}

/** One line of text for a pid file: `PID START BOOT`. */
export function formatIdentity({ pid, startTime, boot }: ProcessIdentity): string {
  return `${pid} ${startTime} ${boot}`;
}

/** Reads {@link formatIdentity}'s line; undefined for anything else. */
export function parseIdentity(text: string): ProcessIdentity | undefined {
  const found = /^(\d+) (\d+) ([0-9a-f-]*)$/.exec(text.trim());
  return found ? { pid: Number(found[1]), startTime: found[2]!, boot: found[3]! } : undefined;
}

let knownBoot: string | undefined;

function bootId(): string {
  knownBoot ??= readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  return knownBoot;
}
