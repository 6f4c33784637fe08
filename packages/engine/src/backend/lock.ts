import { readFileSync, rmSync, statSync } from "node:fs";
import { hostname, userInfo } from "node:os";
import { basename, dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { messageOf, OperationalError } from "@millwright/core/errors";
import type { Chance, Clock } from "@millwright/core/ports";
import { backendErrors } from "./errors.ts";
import { removeLeftovers, writePrivateFile } from "./private-file.ts";

/** Who holds a state and since when: Terraform's lock info, kept beside the state for people to read. */
export interface LockInfo {
  readonly ID: string;
  readonly Operation: string;
  readonly Info: string;
  readonly Who: string;
  readonly Version: string;
  readonly Created: string;
  readonly Path: string;
}

export interface StateLock {
  readonly info: LockInfo;
  release(): void;
}

export interface LockRequest {
  /** The state file to hold. */
  readonly path: string;
  /** What it is held for: `OperationTypePlan`, `OperationTypeApply`, … */
  readonly operation: string;
  readonly version: string;
  /** How long to wait for another holder, in milliseconds. */
  readonly timeout: number;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly signal: AbortSignal;
}

/**
 * Takes a state for this process alone. The lock is an exclusive transaction on a small SQLite file beside the state: the
 * kernel's lock, gone with its process however that ends. Rejects with `stateLocked`, which says who holds it and since when.
 */
export async function lockState(request: LockRequest): Promise<StateLock> {
  const { path, clock } = request;
  const deadline = clock.monotonic() + request.timeout;
  for (let wait = 50; ; wait = Math.min(wait * 2, 1000)) {
    const lock = tryLock(request);
    if (lock) return lock;
    if (clock.monotonic() >= deadline) throw lockedError(path);
    await clock.sleep(Math.min(wait, Math.max(1, deadline - clock.monotonic())), request.signal);
  }
}

function tryLock(request: LockRequest): StateLock | undefined {
  const { path, chance, clock, operation, version } = request;
  if (heldByTerraform(path)) return undefined;
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(beside(path, "lock"), { timeout: 0 });
    database.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
  } catch (error) {
    database?.close();
    if (/locked|busy/i.test(messageOf(error))) return undefined;
    throw new OperationalError(
      backendErrors.stateUnwritable,
      `The lock of ${path} cannot be taken: ${messageOf(error)}. Check that ${dirname(path)} is a folder you may write to.`,
      { cause: error },
    );
  }
  const info: LockInfo = {
    ID: chance.uuid(),
    Operation: operation,
    Info: "",
    Who: `${userName()}@${hostname()}`,
    Version: version,
    Created: new Date(clock.now()).toISOString(),
    Path: path,
  };
  const held = database;
  try {
    removeLeftovers(path);
    writePrivateFile(beside(path, "lock.info"), JSON.stringify(info));
  } catch (error) {
    held.close();
    throw new OperationalError(
      backendErrors.stateUnwritable,
      `Who holds ${path} cannot be written beside it: ${messageOf(error)}. Make room, or check that ${dirname(path)} is a folder you may write to. Nothing was changed.`,
      { cause: error },
    );
  }
  return {
    info,
    release: () => {
      rmSync(beside(path, "lock.info"), { force: true });
      held.close();
    },
  };
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? "unknown");
  }
}

function beside(path: string, ending: string): string {
  return join(dirname(path), `.${basename(path)}.${ending}`);
}

function lockedError(path: string): OperationalError {
  const other = heldByTerraform(path);
  if (other !== undefined) {
    return new OperationalError(
      backendErrors.stateLocked,
      `The state ${path} is held by process ${other}, which has locked the file (Terraform or OpenTofu). Wait for it to end, or wait here with -lock-timeout=5m.`,
    );
  }
  let holder = "another process";
  try {
    const info = JSON.parse(readFileSync(beside(path, "lock.info"), "utf8")) as LockInfo;
    holder = `${info.Who} since ${info.Created}

Lock Info:
  ID:        ${info.ID}
  Path:      ${info.Path}
  Operation: ${info.Operation}
  Who:       ${info.Who}
  Version:   ${info.Version}
  Created:   ${info.Created}
`;
  } catch {
    holder = "another process (which left no word of who it is)";
  }
  return new OperationalError(
    backendErrors.stateLocked,
    `The state ${path} is held by ${holder}\nA state can be worked on by one run at a time. Wait for that run to end, or wait here with -lock-timeout=5m.`,
  );
}

// Terraform's own lock on a local state is a POSIX lock on the file itself, which the kernel lists.
function heldByTerraform(path: string): number | undefined {
  let inode: number;
  let locks: string;
  try {
    inode = statSync(path).ino;
    locks = readFileSync("/proc/locks", "utf8");
  } catch {
    return undefined;
  }
  for (const line of locks.split("\n")) {
    const match = /^\d+: POSIX\s+ADVISORY\s+WRITE\s+(\d+)\s+\S+:(\d+)\s/.exec(line);
    if (match && Number(match[2]) === inode && Number(match[1]) !== process.pid) return Number(match[1]);
  }
  return undefined;
}
