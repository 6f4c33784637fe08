import { chmod, chown, mkdir, readdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { messageOf, OperationalError } from "@millwright/core/errors";
import type { TaskFolders } from "../driver/driver.ts";
import { allocationErrors } from "./errors.ts";
import { openMemoryFolder, removeMemoryFolder } from "./memory-folder.ts";
import type { Owner } from "./owner.ts";

/** Where allocations are, below an agent's data folder. */
export function allocationsFolder(dataFolder: string): string {
  return join(dataFolder, "alloc");
}

/** Of an allocation with its own folder. `private` is the agent's memory of its tasks' credentials, and no task's. */
export function allocationFolders(root: string) {
  const shared = join(root, "alloc");
  return { root, shared, logs: join(shared, "logs"), private: join(root, "private"), state: join(root, "state.json") };
}

export function taskFolders(root: string, task: string): TaskFolders {
  const folder = join(root, task);
  const { shared } = allocationFolders(root);
  return { allocation: root, shared, task: folder, local: join(folder, "local"), secrets: join(folder, "secrets") };
}

/** Makes an allocation's own folders; those that are there stay as they are. Rejects with `folder`. */
export function makeAllocationFolders(root: string): Promise<void> {
  return made(root, async () => {
    const folders = allocationFolders(root);
    // Tasks of any user find their way; nobody sees which others there are.
    await makeFolder(dirname(root), 0o711, undefined);
    await makeFolder(root, 0o711, undefined);
    // Tasks of several users share them.
    for (const name of ["data", "logs", "tmp"]) await makeFolder(join(folders.shared, name), 0o777, undefined);
    await openMemoryFolder(folders.private, privateMegabytes);
  });
}

export interface TaskFolderOptions {
  readonly owner: Owner | undefined;
  /** Whether it sees its folders alone, by other paths, and as whatever user its image says. */
  readonly hasOwnImage: boolean;
  /** 0 for the usual size. */
  readonly secretsMegabytes: number;
}

/** Makes a task's folders, for its owner. Resolves to where its secrets are. Rejects with `folder`. */
export function makeTaskFolders(folders: TaskFolders, options: TaskFolderOptions): Promise<"memory" | "disk"> {
  const { owner, hasOwnImage, secretsMegabytes } = options;
  return made(folders.task, async () => {
    // On the node nobody comes by into those of an image; in there its users do.
    await makeFolder(folders.task, hasOwnImage ? 0o700 : 0o711, owner);
    await makeFolder(folders.local, hasOwnImage ? 0o777 : 0o755, owner);
    await makeFolder(join(folders.task, "tmp"), 0o777, owner);
    const kind = await openMemoryFolder(folders.secrets, secretsMegabytes || defaultSecretsMegabytes);
    if (owner) await chown(folders.secrets, owner.uid, owner.gid);
    else if (hasOwnImage) await chmod(folders.secrets, 0o755);
    return kind;
  });
}

/** Removes an allocation's secrets and keeps the rest. */
export async function removeSecrets(root: string, tasks: readonly string[]): Promise<void> {
  for (const task of tasks) await removeMemoryFolder(taskFolders(root, task).secrets);
  await removeMemoryFolder(allocationFolders(root).private);
}

/** Removes an allocation's folder with all that is in it. */
export async function removeAllocationFolder(root: string): Promise<void> {
  for (const entry of await entriesOf(root)) await removeMemoryFolder(join(root, entry, "secrets"));
  await removeMemoryFolder(allocationFolders(root).private);
  await rm(root, { recursive: true, force: true });
}

/** Bounds of what grows only as it is filled. */
const privateMegabytes = 4;
const defaultSecretsMegabytes = 16;

// The mode that a folder is made with is cut by this program's mask.
async function makeFolder(path: string, mode: number, owner: Owner | undefined): Promise<void> {
  const first = await mkdir(path, { recursive: true });
  if (first === undefined) return;
  await chmod(path, mode);
  if (owner) await chown(path, owner.uid, owner.gid);
}

async function made<T>(path: string, make: () => Promise<T>): Promise<T> {
  try {
    return await make();
  } catch (error) {
    if (error instanceof OperationalError) throw error;
    const text = `Cannot make folders in ${path}: ${messageOf(error)}. Check the disk's free space and who owns the agent's data folder.`;
    throw new OperationalError(allocationErrors.folder, text, { cause: error });
  }
}

/** The names in a folder; none where it is not there. */
export async function entriesOf(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
