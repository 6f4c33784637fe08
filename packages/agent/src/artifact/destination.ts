import { OperationalError } from "@millwright/core/errors";
import { lstat, mkdir, readdir, realpath, rename, rm } from "node:fs/promises";
import { dirname, isAbsolute, join, relative, resolve } from "node:path";
import { artifactErrors } from "@millwright/artifact/errors";

/** Absolute paths of the folders that an artifact may go to. */
export interface DestinationFolders {
  readonly task: string;
  /** The allocation's, which holds the task's; the task's alone where not given. */
  readonly allocation?: string;
}

/**
 * Where an artifact goes: relative to the task's folder, in there or elsewhere in its allocation's. `/alloc`, `/local` and
 * `/secrets` are these folders as tasks in containers see them. Throws `refused` for a place outside.
 */
export function resolveDestination(destination: string, folders: DestinationFolders): string {
  const allocation = folders.allocation ?? folders.task;
  const wanted = isWithin(destination, allocation) ? destination : asSeenInside(destination, folders);
  const path = resolve(folders.task, wanted);
  if (isWithin(path, allocation) && !destination.includes("\0")) return path;
  throw outside(destination);
}

/**
 * Makes the folder and checks that no link on the way leads out of the allocation's folder; the task's `secrets` may be
 * such a link, which the agent has made itself.
 */
export async function makeFolder(path: string, folders: DestinationFolders): Promise<void> {
  const roots = [folders.allocation ?? folders.task, join(folders.task, "secrets")];
  const real = await Promise.all(roots.map((root) => realpath(root).catch(() => root)));
  const above = await realOfDeepest(path);
  if (!real.some((root) => isWithin(above, root))) throw outside(path);
  await mkdir(path, { recursive: true, mode: 0o755 });
}

/** Moves what a folder holds into another one, over what is there already. Both are on one file system. */
export async function moveInto(from: string, to: string): Promise<void> {
  for (const name of await readdir(from)) await moveOver(join(from, name), join(to, name));
}

/** Moves a file or a folder; folders are merged. */
export async function moveOver(from: string, to: string): Promise<void> {
  const [moved, there] = await Promise.all([lstat(from), lstat(to).catch(() => undefined)]);
  if (moved.isDirectory() && there?.isDirectory()) return moveInto(from, to);
  if (there && moved.isDirectory() !== there.isDirectory()) await rm(to, { recursive: true });
  try {
    await rename(from, to);
  } catch (error) {
    // Another artifact of the task, fetched at the same time, has made that folder meanwhile.
    const isMade = error instanceof Error && "code" in error && error.code === "ENOTEMPTY";
    if (!isMade) throw error;
    await moveInto(from, to);
  }
}

function asSeenInside(destination: string, folders: DestinationFolders): string {
  if (!isAbsolute(destination)) return destination;
  const inAlloc = /^\/alloc(?=\/|$)(.*)$/s.exec(destination);
  return join(inAlloc ? join(folders.allocation ?? folders.task, "alloc") : folders.task, inAlloc?.[1] ?? destination);
}

async function realOfDeepest(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    const isMissing = error instanceof Error && "code" in error && error.code === "ENOENT";
    // A link that leads nowhere may be made to lead anywhere.
    if (!isMissing || (await lstat(path).catch(() => undefined))?.isSymbolicLink()) throw outside(path);
    return realOfDeepest(dirname(path));
  }
}

function isWithin(path: string, root: string): boolean {
  const way = relative(root, path);
  return isAbsolute(path) && way !== ".." && !way.startsWith("../");
}

function outside(destination: string): OperationalError {
  return new OperationalError(
    artifactErrors.refused,
    `The artifact's destination ${JSON.stringify(destination)} is outside the task's folders. Write a path below local/.`,
  );
}
