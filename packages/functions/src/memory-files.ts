import type { FileFault, FileKind, FilePort } from "./file-port.ts";
import { cleanPath, joinPath } from "./go-path.ts";

/** Files that are only in memory, for tests and previews: the content of each by its path from `/folder`, the working folder. */
export function memoryFiles(contents: Readonly<Record<string, string | Uint8Array>>, home = "/home/someone"): FilePort {
  const files = new Map<string, Uint8Array>();
  const folders = new Set(["/"]);
  for (const [path, content] of Object.entries(contents)) {
    const place = absolute(path);
    files.set(place, typeof content === "string" ? new TextEncoder().encode(content) : content);
    for (let at = place.lastIndexOf("/"); at > 0; at = place.lastIndexOf("/", at - 1)) folders.add(place.slice(0, at));
  }
  const kindAt = (place: string): FileKind | undefined =>
    files.has(place) ? "file" : folders.has(place) ? "folder" : undefined;
  /** Why nothing can be at a place: it lies inside of a file, or is just not there. */
  const absence = (place: string, step: FileFault["step"]): FileFault => {
    const isInFile = [...files.keys()].some((file) => place.startsWith(`${file}/`));
    if (isInFile) return { fault: "other", message: "not a directory", step };
    return { fault: "missing", message: "no such file or directory", step };
  };
  return {
    kind: (path) => kindAt(absolute(path)) ?? absence(absolute(path), "stat"),
    read: (path) => {
      const place = absolute(path);
      if (folders.has(place)) return { fault: "folder", message: "is a directory", step: "read" };
      return files.get(place) ?? absence(place, "open");
    },
    list: (path) => {
      const place = absolute(path);
      if (files.has(place)) return { fault: "other", message: "not a directory", step: "open" };
      if (!folders.has(place)) return absence(place, "open");
      const inside = [...files.keys(), ...folders].filter((each) => each !== "/" && parentOf(each) === place);
      return new Map(inside.map((each) => [each.slice(each.lastIndexOf("/") + 1), kindAt(each)!] as const));
    },
    workingFolder: () => workingFolder,
    homeFolder: () => home,
  };
}

const workingFolder = "/folder";

function absolute(path: string): string {
  return path.startsWith("/") ? cleanPath(path) : joinPath(workingFolder, path);
}

function parentOf(place: string): string {
  const at = place.lastIndexOf("/");
  return at === 0 ? "/" : place.slice(0, at);
}
