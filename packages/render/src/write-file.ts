import { OperationalError, messageOf } from "@millwright/core/errors";
import { randomBytes } from "node:crypto";
import { type FileHandle, link, mkdir, open, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { renderErrors } from "./errors.ts";
import { findGroup, findUser } from "./users.ts";

export interface FileSpec {
  readonly path: string;
  readonly text: string;
  /** Mode bits; those of the file that is there, or 0644. */
  readonly permissions?: number;
  readonly user?: string;
  readonly group?: string;
  readonly keepsBackup: boolean;
  readonly makesFolders: boolean;
}

/**
 * Puts a file in place whole: written beside it and renamed, so that a reader finds the old text or the new one. Resolves
 * to whether anything had to change. Rejects with `unwritable`, and leaves nothing behind then.
 */
export async function writeFile(spec: FileSpec): Promise<boolean> {
  try {
    return await put(spec);
  } catch (error) {
    if (error instanceof OperationalError) throw error;
    throw new OperationalError(renderErrors.unwritable, `Cannot write ${spec.path}: ${reason(error, spec)}`, {
      cause: error,
    });
  }
}

async function put(spec: FileSpec): Promise<boolean> {
  const { path, text } = spec;
  const owner = {
    uid: spec.user === undefined ? undefined : await findUser(spec.user),
    gid: spec.group === undefined ? undefined : await findGroup(spec.group),
  };
  const there = await statOf(path);
  const bytes = Buffer.from(text);
  const isSameOwner =
    (owner.uid === undefined || owner.uid === there?.uid) && (owner.gid === undefined || owner.gid === there?.gid);
  if (there && isSameOwner && (await readFile(path)).equals(bytes)) return false;
  const folder = dirname(path);
  if (spec.makesFolders) await mkdir(folder, { recursive: true, mode: 0o755 });
  // Until it has its mode, the new file is for its owner alone: it may hold a secret.
  const temporary = join(folder, `.${randomBytes(8).toString("hex")}.tmp`);
  try {
    const file = await open(temporary, "wx", 0o600);
    try {
      await file.writeFile(bytes);
      await file.sync();
      // By the file that is open: where others may write in the folder too, its name may mean another one meanwhile.
      await giveTo(file, owner.uid ?? there?.uid, owner.gid ?? there?.gid, spec);
      await file.chmod(spec.permissions ?? (there ? there.mode & 0o7777 : 0o644));
    } finally {
      await file.close();
    }
    if (spec.keepsBackup && there) await backUp(path);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  return true;
}

async function giveTo(
  file: FileHandle,
  uid: number | undefined,
  gid: number | undefined,
  spec: FileSpec,
): Promise<void> {
  const own = await file.stat();
  if ((uid ?? own.uid) === own.uid && (gid ?? own.gid) === own.gid) return;
  try {
    await file.chown(uid ?? own.uid, gid ?? own.gid);
  } catch (error) {
    // That the old file was somebody else's is no reason to fail; that one is asked for and cannot be had is.
    if (spec.user !== undefined || spec.group !== undefined) throw error;
  }
}

async function backUp(path: string): Promise<void> {
  await rm(`${path}.bak`, { force: true });
  await link(path, `${path}.bak`);
}

async function statOf(path: string) {
  try {
    return await stat(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

function reason(error: unknown, { path }: FileSpec): string {
  const { code } = error as NodeJS.ErrnoException;
  switch (code) {
    case "ENOENT":
      return `there is no folder ${dirname(path)}. Make it, or let create_dest_dirs be true.`;
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return "not allowed. Check who owns the folder, and its permissions.";
    case "EISDIR":
    case "ENOTEMPTY":
      return "there is a folder of that name. Name a file.";
    case "ENOSPC":
      return "the disk is full. The file is as it was.";
    default:
      return messageOf(error);
  }
}
