import { readFileSync, rmSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { messageOf, OperationalError } from "@millwright/core/errors";
import { backendErrors } from "./errors.ts";
import type { LockInfo } from "./lock-info.ts";
import { parseLockInfo } from "./lock-info.ts";
import { removeLeftovers, writePrivateFile } from "./private-file.ts";
import type { LockTry } from "./storage.ts";

/**
 * Takes a state file for this process alone, where nobody else has it. The lock is an exclusive transaction on a small SQLite
 * file beside the state: the kernel's lock, gone with its process however that ends. A file that Terraform or OpenTofu has
 * locked is held too.
 */
export function lockFile(path: string, info: LockInfo): LockTry {
  const other = heldByTerraform(path);
  if (other !== undefined)
    return {
      kind: "busy",
      holder: undefined,
      why: `process ${other}, which has locked the file (Terraform or OpenTofu)`,
    };
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(beside(path, "lock"), { timeout: 0 });
    database.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
  } catch (error) {
    database?.close();
    if (/locked|busy/i.test(messageOf(error))) return { kind: "busy", holder: holderOf(path) };
    throw new OperationalError(
      backendErrors.stateUnwritable,
      `The lock of ${path} cannot be taken: ${messageOf(error)}. Check that ${dirname(path)} is a folder you may write to.`,
      { cause: error },
    );
  }
  const held = database;
  try {
    removeLeftovers(path);
    writePrivateFile(beside(path, "lock.info"), JSON.stringify({ ...info, Path: path }));
  } catch (error) {
    held.close();
    throw new OperationalError(
      backendErrors.stateUnwritable,
      `Who holds ${path} cannot be written beside it: ${messageOf(error)}. Make room, or check that ${dirname(path)} is a folder you may write to. Nothing was changed.`,
      { cause: error },
    );
  }
  const release = async () => {
    rmSync(beside(path, "lock.info"), { force: true });
    held.close();
  };
  return { kind: "held", lock: { info: { ...info, Path: path }, release } };
}

function beside(path: string, ending: string): string {
  return join(dirname(path), `.${basename(path)}.${ending}`);
}

function holderOf(path: string): LockInfo | undefined {
  try {
    return parseLockInfo(readFileSync(beside(path, "lock.info")));
  } catch {
    return undefined; // It ended in this moment, or left no word.
  }
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
