import type { Glob } from "@millwright/text/glob";
import type { FileFault, FilePort } from "./file-port.ts";
import { isFault } from "./file-port.ts";
import { joinPath } from "./go-path.ts";

/** The paths of all files that match; folders that hold no match are not entered. What cannot be listed holds none. */
export function globFiles(files: FilePort, glob: Glob): string[] | FileFault {
  const found: string[] = [];
  const visit = (folder: string): FileFault | undefined => {
    const names = files.list(folder === "" ? "." : folder);
    if (isFault(names)) return names.fault === "other" && names.step === "read" ? names : undefined;
    for (const [name, kind] of names) {
      const path = folder === "/" ? `/${name}` : folder === "" ? name : `${folder}/${name}`;
      if (kind === "file" && glob.matches(path)) found.push(path);
      if (kind !== "folder" || !glob.mayMatchInside(path)) continue;
      const fault = visit(path);
      if (fault) return fault;
    }
    return undefined;
  };
  return visit(fixedFolder(glob.pattern)) ?? found;
}

/** The folder in front of the first part with a wildcard: where the search begins, also when that is outside by `..`. */
function fixedFolder(pattern: string): string {
  const parts = pattern.split("/");
  const wild = parts.findIndex((part) => /[*?[{\\]/.test(part));
  const fixed = parts.slice(0, wild < 0 ? -1 : wild);
  if (pattern.startsWith("/") && fixed.length <= 1) return "/";
  return fixed.length === 0 ? "" : joinPath(fixed.join("/"));
}
