import type { Dirent, Stats } from "node:fs";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { homedir } from "node:os";
import type { FileFault, FileKind, FilePort } from "./file-port.ts";
import { isFault } from "./file-port.ts";

/** The files of this machine. Relative paths start from `folder`, which is the process's working folder unless given. */
export function nodeFiles(folder: string = process.cwd()): FilePort {
  const absolute = (path: string) => (path.startsWith("/") ? path : `${folder}/${path}`);
  return {
    kind: (path) => attempt("stat", () => kindOf(statSync(absolute(path)))),
    read: (path) => attempt("open", () => new Uint8Array(readFileSync(absolute(path)))),
    list: (path) =>
      attempt("open", () => {
        const place = absolute(path);
        const entries = readdirSync(place, { withFileTypes: true });
        return new Map(entries.map((entry) => [entry.name, entryKind(entry, place)] as const));
      }),
    workingFolder: () => folder,
    homeFolder: () => process.env.HOME ?? homedir(),
  };
}

/** Of a link, what it leads to. */
function entryKind(entry: Dirent, folder: string): FileKind | "missing" {
  if (!entry.isSymbolicLink()) return kindOf(entry);
  const kind = attempt("stat", () => kindOf(statSync(`${folder}/${entry.name}`)));
  if (!isFault(kind)) return kind;
  return kind.fault === "missing" ? "missing" : "other";
}

function kindOf(stats: Stats | Dirent): FileKind {
  if (stats.isFile()) return "file";
  if (stats.isDirectory()) return "folder";
  if (stats.isBlockDevice() || stats.isCharacterDevice()) return "device";
  if (stats.isFIFO()) return "pipe";
  return stats.isSocket() ? "socket" : "other";
}

function attempt<T>(step: FileFault["step"], act: () => T): T | FileFault {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof Error) || !("code" in error) || !("syscall" in error)) throw error;
    const message = error.message.replace(/^[A-Z0-9]+: /, "").replace(/, .*$/s, "");
    switch (error.code) {
      case "ENOENT":
        return { fault: "missing", message: "no such file or directory", step };
      case "EISDIR":
        return { fault: "folder", message: "is a directory", step: "read" };
      case "ENOTDIR":
        return { fault: "other", message: "not a directory", step };
      case "EACCES":
        return { fault: "other", message: "permission denied", step };
      default:
        return { fault: "other", message, step };
    }
  }
}
