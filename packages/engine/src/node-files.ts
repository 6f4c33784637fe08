import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { compareKeys } from "@millwright/value/types";
import type { Files } from "./ports.ts";

/** The files below a folder of this machine, by path relative to it. */
export function filesBelow(folder: string): Files {
  const absolute = (path: string) => (path.startsWith("/") ? path : join(folder, path));
  return {
    read: (path) => unlessMissing(() => new Uint8Array(readFileSync(absolute(path)))),
    list: (path) => unlessMissing(() => readdirSync(absolute(path)).sort(compareKeys)),
  };
}

function unlessMissing<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOENT" || code === "ENOTDIR" || code === "EISDIR") return undefined;
    throw error;
  }
}

/** Files that remember what was read through them, for a saved plan. */
export class RecordingFiles implements Files {
  readonly #files: Files;
  readonly #seen = new Map<string, Uint8Array>();

  constructor(files: Files) {
    this.#files = files;
  }

  read(path: string): Uint8Array | undefined {
    const bytes = this.#files.read(path);
    if (bytes) this.#seen.set(path, bytes);
    return bytes;
  }

  list(folder: string): readonly string[] | undefined {
    return this.#files.list(folder);
  }

  /** Everything that was read, by path. */
  get snapshot(): ReadonlyMap<string, Uint8Array> {
    return this.#seen;
  }
}

/** Files out of a saved plan: just those, and their folders. */
export function filesOf(snapshot: ReadonlyMap<string, Uint8Array>): Files {
  return {
    read: (path) => snapshot.get(path),
    list: (folder) => {
      const prefix = folder === "." ? "" : `${folder}/`;
      const names = [...snapshot.keys()]
        .filter((path) => path.startsWith(prefix))
        .map((path) => path.slice(prefix.length));
      const here = names.map((name) => name.split("/", 1)[0]!);
      return here.length === 0 && folder !== "." ? undefined : [...new Set(here)].sort(compareKeys);
    },
  };
}
