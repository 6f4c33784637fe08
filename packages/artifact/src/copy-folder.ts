import { createReadStream } from "node:fs";
import { lstat, readdir, readlink } from "node:fs/promises";
import { join } from "node:path";
import type { UnpackedTree } from "./tree.ts";

/** Copies what a folder holds into a tree, which refuses links that lead out of it. Throws `refused`, or the signal's reason. */
export async function copyFolder(from: string, tree: UnpackedTree, signal: AbortSignal): Promise<void> {
  const copy = async (name: string): Promise<void> => {
    for (const child of await readdir(join(from, name))) {
      signal.throwIfAborted();
      const path = join(name, child);
      const found = await lstat(join(from, path));
      if (found.isDirectory()) {
        await tree.folder(path, found.mode);
        await copy(path);
      } else if (found.isSymbolicLink()) await tree.symlink(path, await readlink(join(from, path)));
      else if (found.isFile()) await tree.file(path, found.mode, createReadStream(join(from, path)));
      else tree.refuse(path, "device or named pipe");
    }
  };
  await copy("");
}
