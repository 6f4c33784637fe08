import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path/posix";
import { messageOf, OperationalError } from "@millwright/core/errors";
import type { SFTPWrapper } from "ssh2";
import { provisionerErrors } from "./errors.ts";

/** Writes a file of a machine; a folder of that name takes it under `name`. */
export async function putFile(files: SFTPWrapper, path: string, content: Uint8Array, name?: string): Promise<void> {
  const isInside = name !== undefined && (path.endsWith("/") || (await isFolder(files, path)));
  const target = isInside ? join(path, name) : path;
  await new Promise<void>((resolve, reject) => {
    files.writeFile(target, Buffer.from(content), (error) => (error ? reject(named(error, target)) : resolve()));
  });
}

/** Copies what lies in a folder of this machine; with a slash at its end what is in it, else the folder itself. */
export async function putFolder(files: SFTPWrapper, source: string, destination: string): Promise<void> {
  const target = source.endsWith("/") ? destination : join(destination, basename(source));
  await makeFolder(files, target);
  for (const entry of readdirSync(source, { withFileTypes: true })) {
    const from = `${source.replace(/\/$/, "")}/${entry.name}`;
    if (statSync(from).isDirectory()) await putFolder(files, `${from}/`, join(target, entry.name));
    else await putFile(files, join(target, entry.name), readFileSync(from));
  }
}

/** Writes a program that its owner alone may read and run, in place of what is there and never through a link. */
export async function putScript(files: SFTPWrapper, path: string, content: Uint8Array): Promise<void> {
  await removeFile(files, path);
  await new Promise<void>((resolve, reject) => {
    const options = { flag: "wx", mode: 0o700 } as const;
    files.writeFile(path, Buffer.from(content), options, (error) => (error ? reject(named(error, path)) : resolve()));
  });
}

/** Takes a file away; that there is none is no error. */
export async function removeFile(files: SFTPWrapper, path: string): Promise<void> {
  await new Promise<void>((resolve) => files.unlink(path, () => resolve()));
}

function isFolder(files: SFTPWrapper, path: string): Promise<boolean> {
  return new Promise((resolve) => files.stat(path, (error, stats) => resolve(!error && stats.isDirectory())));
}

async function makeFolder(files: SFTPWrapper, path: string): Promise<void> {
  if (await isFolder(files, path)) return;
  await new Promise<void>((resolve, reject) => {
    files.mkdir(path, (error) => (error ? reject(named(error, path)) : resolve()));
  });
}

function named(error: Error, path: string): OperationalError {
  return new OperationalError(provisionerErrors.failed, `${path} on the machine: ${messageOf(error)}`, {
    cause: error,
  });
}
