import type { Diagnosed } from "@millwright/core/diagnostics";
import { lockFileName, lockFileText, type Locks, parseLockFile } from "@millwright/sources/lock-file";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** The provider versions that a folder's lock file pins; none where it has no such file. */
export function readLocks(folder: string): Diagnosed<Locks> {
  const path = join(folder, lockFileName);
  return existsSync(path) ? parseLockFile(readFileSync(path)) : { value: new Map(), diagnostics: [] };
}

/** Writes a folder's lock file, whole or not at all. */
export function writeLocks(folder: string, locks: Locks): void {
  const path = join(folder, lockFileName);
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, lockFileText(locks));
  renameSync(temporary, path);
}
