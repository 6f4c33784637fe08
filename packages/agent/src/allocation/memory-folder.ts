import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { access, constants, lstat, mkdir, readlink, rm, stat, symlink } from "node:fs/promises";
import { basename, dirname, isAbsolute, join } from "node:path";
import { promisify } from "node:util";
import { messageOf, OperationalError } from "@millwright/core/errors";
import { allocationErrors } from "./errors.ts";

const run = promisify(execFile);

/**
 * Makes a folder whose files are in memory alone, for the agent's user: a small file system of its own where this program may mount
 * one, else a link to a folder in `/dev/shm` or `XDG_RUNTIME_DIR`. One that is there stays as it is. Where there is no memory to be
 * had it is an ordinary folder, and the result says so.
 */
export async function openMemoryFolder(path: string, megabytes: number): Promise<"memory" | "disk"> {
  try {
    return await open(path, megabytes);
  } catch (error) {
    const text = `Cannot make the folder ${path}: ${messageOf(error)}. Check the disk's free space and who owns the folder above it.`;
    throw new OperationalError(allocationErrors.folder, text, { cause: error });
  }
}

/** Removes such a folder with everything in it. Of one that is not there: nothing. */
export async function removeMemoryFolder(path: string): Promise<void> {
  const found = await lstatOf(path);
  if (!found) return;
  if (found.isSymbolicLink()) {
    const target = await readlink(path);
    if (isOwnTarget(path, target)) await rm(dirname(target), { recursive: true, force: true });
    await rm(path, { force: true });
    return;
  }
  // Lazily: a process of the task's that is just ending may still have a file open in there.
  if (await isMounted(path)) await run("umount", ["--lazy", path]);
  await rm(path, { recursive: true, force: true });
}

async function open(path: string, megabytes: number): Promise<"memory" | "disk"> {
  const found = await lstatOf(path);
  if (found?.isSymbolicLink()) {
    const target = await readlink(path);
    if (!isOwnTarget(path, target)) throw new Error("in its place is a link that this program has not made");
    await makeInOwn(target);
    return "memory";
  }
  if (found && (await isMounted(path))) return "memory";
  if (process.getuid?.() === 0) {
    await mkdir(path, { recursive: true, mode: 0o700 });
    if (await mounts(path, megabytes)) return "memory";
    await rm(path, { recursive: true });
  }
  const memory = await sharedMemory();
  if (memory === undefined) {
    await mkdir(path, { recursive: true, mode: 0o700 });
    return "disk";
  }
  const target = join(memory, ownName(path), "files");
  await makeInOwn(target);
  await symlink(target, path);
  return "memory";
}

function ownName(path: string): string {
  const name = createHash("sha256").update(path).digest("hex").slice(0, 20);
  return `millwright-${process.getuid?.() ?? 0}-${name}`;
}

// A task may put a link of its own where it can write: what that leads to is neither to be used nor to be removed.
function isOwnTarget(path: string, target: string): boolean {
  return isAbsolute(target) && basename(target) === "files" && basename(dirname(target)) === ownName(path);
}

// In a folder that is this user's alone: whoever may read what is in here has to come by the task's own folder.
async function makeInOwn(target: string): Promise<void> {
  await makeOwn(dirname(target));
  await mkdir(target, { recursive: true, mode: 0o700 });
}

// Everybody may make folders there: one that is somebody else's is not to be trusted with a secret.
async function makeOwn(folder: string): Promise<void> {
  try {
    await mkdir(folder, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    const { uid, mode } = await lstat(folder);
    if (uid !== process.getuid?.() || (mode & 0o077) !== 0)
      throw new Error(`${folder} is there already, and not this user's own`);
  }
}

async function mounts(path: string, megabytes: number): Promise<boolean> {
  try {
    const options = `size=${megabytes}m,mode=0700,noexec,nosuid,nodev`;
    await run("mount", ["-t", "tmpfs", "-o", options, "tmpfs", path]);
    return true;
  } catch {
    // In a container root may well not mount.
    return false;
  }
}

async function sharedMemory(): Promise<string | undefined> {
  for (const folder of ["/dev/shm", process.env["XDG_RUNTIME_DIR"]]) {
    if (!folder) continue;
    try {
      await access(folder, constants.W_OK | constants.X_OK);
      return folder;
    } catch {
      // The next one may do.
    }
  }
  return undefined;
}

async function isMounted(path: string): Promise<boolean> {
  return (await stat(path)).dev !== (await stat(dirname(path))).dev;
}

async function lstatOf(path: string) {
  try {
    return await lstat(path);
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw error;
  }
}
