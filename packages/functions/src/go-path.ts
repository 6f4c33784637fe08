import { posix } from "node:path";

/** The shortest path that leads to the same place, by its text alone (Go's `filepath.Clean`). */
export function cleanPath(path: string): string {
  const normal = posix.normalize(path);
  return normal.length > 1 ? normal.replace(/\/$/, "") : normal;
}

/** The parts that are not empty, joined and cleaned; empty where all are. */
export function joinPath(...parts: readonly string[]): string {
  const joined = parts.filter((part) => part !== "").join("/");
  return joined === "" ? "" : cleanPath(joined);
}

/** The last part; `.` of an empty path, `/` of nothing but slashes (Go's `filepath.Base`). */
export function baseName(path: string): string {
  if (path === "") return ".";
  const trimmed = path.replace(/\/+$/, "");
  return trimmed === "" ? "/" : trimmed.slice(trimmed.lastIndexOf("/") + 1);
}

/** All but the last part, cleaned; `a/b` of `a/b/` (Go's `filepath.Dir`). */
export function folderName(path: string): string {
  return cleanPath(path.slice(0, path.lastIndexOf("/") + 1));
}

export function isAbsolutePath(path: string): boolean {
  return path.startsWith("/");
}

/** The way from one place to another, both absolute or both relative to the same (Go's `filepath.Rel`). */
export function relativePath(from: string, to: string): string {
  const path = posix.relative(anchored(from), anchored(to));
  return path === "" ? "." : path;
}

/** `posix.relative` would ask for the working folder; any common anchor deep enough serves. */
function anchored(path: string): string {
  return isAbsolutePath(path) ? path : posix.join("/a".repeat(64), path);
}
