import { constants } from "node:fs";
import { type FileHandle, open, readlink, realpath } from "node:fs/promises";
import { join, posix, relative } from "node:path";
import { OperationalError } from "@millwright/core/errors";
import { endpointErrors } from "./errors.ts";

/** An allocation's folder, of which others may see the part that is theirs. */
export interface Visible {
  /** Absolute. */
  readonly folder: string;
  /** Names of its tasks, whose folders are seen beside the shared one. */
  readonly tasks: ReadonlySet<string>;
}

/**
 * Where a path of a client leads: absolute, without links. Rejects with `prohibited` where that is out of the allocation, in a task's
 * secrets or in what the agent keeps for itself, and with `notFound`.
 */
export async function resolveInside(visible: Visible, path: string): Promise<string> {
  const asked = posix.normalize(path.replace(/^\/+/, "") || ".");
  refuseHidden(visible, asked === "." ? "" : asked, path);
  const real = await realpath(join(visible.folder, asked)).catch((error: unknown) => absent(error, path));
  refuseHidden(visible, relative(await realpath(visible.folder), real), path);
  return real;
}

/**
 * Opens a file for reading. What was opened is looked at again: a task may change its folder between. Rejects as
 * {@link resolveInside}, and with `badRequest` for what is no file.
 */
export async function openInside(visible: Visible, path: string): Promise<FileHandle> {
  const file = await openThere(visible, await resolveInside(visible, path), path);
  try {
    const found = await file.stat();
    if (found.isDirectory()) throw refused("badRequest", `The file ${JSON.stringify(path)} is a directory.`);
    if (!found.isFile()) throw refused("badRequest", `${JSON.stringify(path)} is no ordinary file.`);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/**
 * Opens what {@link resolveInside} gave, a file or a folder, and looks again at where it is. `path` is as the client said it. Rejects
 * as {@link resolveInside}.
 */
export async function openThere(visible: Visible, real: string, path: string): Promise<FileHandle> {
  // A FIFO without a writer would keep whoever opens it waiting.
  const flags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;
  const file = await open(real, flags).catch((error: unknown) => absent(error, path));
  try {
    const opened = await readlink(`/proc/self/fd/${file.fd}`).catch(() => real);
    refuseHidden(visible, relative(await realpath(visible.folder), opened), path);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Whether a name in the allocation's own folder is one that others see. */
export function isShown({ tasks }: Visible, name: string): boolean {
  return name === "alloc" || tasks.has(name);
}

function refuseHidden(visible: Visible, inside: string, path: string): void {
  const [first = "", second = ""] = inside.split("/");
  if (first === ".." || inside.startsWith("/"))
    throw refused("prohibited", `Path escapes the alloc directory: ${JSON.stringify(path)}.`);
  if (first === "") return;
  if (!isShown(visible, first)) throw refused("notFound", `There is no ${JSON.stringify(path)} in the allocation.`);
  if (first !== "alloc" && second === "secrets")
    throw refused("prohibited", `Reading secret file prohibited: ${JSON.stringify(path)}.`);
}

function absent(error: unknown, path: string): never {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ENOENT" || code === "ENOTDIR")
    throw refused("notFound", `There is no ${JSON.stringify(path)} in the allocation.`);
  if (code === "ELOOP" || code === "EACCES" || code === "ENXIO")
    throw refused("prohibited", `${JSON.stringify(path)} cannot be read (${code}).`);
  throw error;
}

function refused(kind: keyof typeof endpointErrors, text: string): OperationalError {
  return new OperationalError(endpointErrors[kind], text);
}
