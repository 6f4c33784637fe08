import { realpath } from "node:fs/promises";
import { dirname, isAbsolute, normalize, relative, resolve, sep } from "node:path";
import { OperationalError } from "@millwright/core/errors";
import type { TaskFolders } from "../driver/driver.ts";
import { allocationErrors } from "./errors.ts";

/**
 * The path of a file that a job names, in its task's folder or the one that its allocation shares: `local/app.conf`,
 * `/secrets/env`, `../alloc/data/x`, or with the folder's whole path in front. Rejects with `refused` for one that is anywhere else,
 * also by way of a link.
 */
export async function pathInside(folders: TaskFolders, named: string): Promise<string> {
  const path = located(folders, named);
  const isIn = [folders.task, folders.shared].some((folder) => contains(folder, path));
  const existing = isIn ? await realPathOfNearest(path) : "";
  const roots = isIn ? await Promise.all([folders.task, folders.shared, folders.secrets].map(realPathOfNearest)) : [];
  if (isIn && roots.some((root) => contains(root, existing))) return path;
  const text = `${JSON.stringify(named)} is outside of the task's folder. Write a path in local/, secrets/, or ../alloc/.`;
  throw new OperationalError(allocationErrors.refused, text);
}

function located({ allocation, task, shared }: TaskFolders, named: string): string {
  const path = normalize(named);
  if (isAbsolute(path) && contains(allocation, path)) return path;
  // As tasks with an image of their own see it.
  if (path === "/alloc" || path.startsWith("/alloc/")) return resolve(shared, relative("/alloc", path));
  return resolve(task, isAbsolute(path) ? path.slice(1) : path);
}

function contains(folder: string, path: string): boolean {
  return path === folder || path.startsWith(folder + sep);
}

async function realPathOfNearest(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT" || dirname(path) === path) throw error;
    return resolve(await realPathOfNearest(dirname(path)), relative(dirname(path), path));
  }
}
