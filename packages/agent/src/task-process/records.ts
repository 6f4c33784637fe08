import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ProcessIdentity, parseIdentity } from "@millwright/process/identity";

/** What the shim has written down of a task's end. */
export interface RecordedExit {
  readonly exitCode: number;
  /** 0 where no signal ended it. */
  readonly signal: number;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** A process that the shim has written down: its own, or the task's. */
export function readRecorded(folder: string, name: "shim" | "task"): ProcessIdentity | undefined {
  return parseIdentity(textOf(join(folder, name)));
}

/** Undefined where the task has not ended, as far as is written. */
export function readExit(folder: string): RecordedExit | undefined {
  const file = join(folder, "exit");
  const found = /^(\d+) (\d+)\n$/.exec(textOf(file));
  if (!found) return undefined;
  return { exitCode: Number(found[1]), signal: Number(found[2]), at: Math.round(statSync(file).mtimeMs) };
}

/** Why a task did not come to be started, in the words of the shell. */
export function readFault(folder: string): string {
  return textOf(join(folder, "fault")).trim() || textOf(join(folder, "notes")).trim();
}

/** The folder of one run of a task, below that of its records. */
export function runFolder(folder: string, run: number): string {
  return join(folder, `run.${run}`);
}

/** The runs that are written down, the oldest first. */
export function runsIn(folder: string): readonly number[] {
  return readdirSync(folder)
    .flatMap((name) => /^run\.(\d+)$/.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
}

export interface RunFiles {
  /** The folders of the cgroup by which its processes will be found. */
  readonly cgroup: readonly string[];
  /** Files by which the task joins cgroups. */
  readonly joins: readonly string[];
  /** Files by which the shim leaves the agent's. */
  readonly keepers: readonly string[];
}

/** Makes a run's folder, before there is a process of it. */
export function beginRun(folder: string, files: RunFiles): void {
  mkdirSync(folder, { mode: 0o700 });
  for (const [name, lines] of Object.entries(files)) {
    writeFileSync(join(folder, name), lines.map((line: string) => `${line}\n`).join(""));
  }
}

/** The folders of a run's cgroup. */
export function readCgroup(folder: string): readonly string[] {
  return textOf(join(folder, "cgroup")).split("\n").slice(0, -1);
}

export function removeRun(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    // Not written yet, or gone with its folder: nothing is known.
    return "";
  }
}
