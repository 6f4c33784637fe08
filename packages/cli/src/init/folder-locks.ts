import type { Diagnosed } from "@millwright/core/diagnostics";
import { lockFileName, lockFileText, type Locks, parseLockFile } from "@millwright/sources/lock-file";
import { defaultRegistry, providerSourceText, tofuRegistry } from "@millwright/sources/provider-source";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * The provider versions that a folder's lock file pins; none where it has no such file. What OpenTofu has pinned there pins the same
 * version of the default registry, whose packages have other checksums.
 */
export function readLocks(folder: string): Diagnosed<Locks> {
  const path = join(folder, lockFileName);
  if (!existsSync(path)) return { value: new Map(), diagnostics: [] };
  const { value, diagnostics } = parseLockFile(readFileSync(path));
  const locks = new Map(value);
  for (const lock of value.values()) {
    const source = { ...lock.source, host: defaultRegistry };
    const text = providerSourceText(source);
    if (lock.source.host === tofuRegistry && !locks.has(text)) locks.set(text, { ...lock, source, hashes: [] });
  }
  return { value: locks, diagnostics };
}

/** Writes a folder's lock file, whole or not at all. */
export function writeLocks(folder: string, locks: Locks): void {
  const path = join(folder, lockFileName);
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, lockFileText(locks));
  renameSync(temporary, path);
}
