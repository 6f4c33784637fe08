import {
  closeSync,
  fsyncSync,
  openSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";

/**
 * Writes a file that only its owner may read (0600), so that at any kill there is the old one or the new one, whole and on
 * disk. A link is followed; what is no regular file (`/dev/null`, a pipe) is written to as it is and stays what it is. Throws
 * the file system's error, and then the old one is as it was.
 */
export function writePrivateFile(path: string, content: string | Uint8Array): void {
  const bytes = typeof content === "string" ? Buffer.from(content) : content;
  const there = statSync(path, { throwIfNoEntry: false });
  if (there && !there.isFile()) return writeWhole(path, bytes, "as it is");
  replaceFile(there ? realpathSync(path) : path, bytes);
}

function replaceFile(path: string, bytes: Uint8Array): void {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    writeWhole(temporary, bytes, "to disk");
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  const folder = openSync(dirname(path), "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

function writeWhole(path: string, bytes: Uint8Array, how: "to disk" | "as it is"): void {
  const file = openSync(path, "w", 0o600);
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
    if (how === "to disk") fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Removes what was left beside a state by a process that was killed while it wrote the state, or a file that goes with it. */
export function removeLeftovers(path: string): void {
  for (const name of readdirSync(dirname(path))) {
    const isOurs = name.startsWith(basename(path)) || name.startsWith(`.${basename(path)}`);
    if (isOurs && /\.\d+\.tmp$/.test(name)) rmSync(join(dirname(path), name), { force: true });
  }
}
