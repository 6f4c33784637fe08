import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, realpath, stat } from "node:fs/promises";
import { join } from "node:path";
import { openPromise } from "yauzl";
import { OperationalError } from "@millwright/core/errors";
import { sourceErrors } from "./errors.ts";

/**
 * What a provider package's bytes come to, as lock files note it: `h1:` of the files in it, packed or not; `zh:` of the
 * packed file itself. Source: Terraform's documentation of the dependency lock file; `h1:` is Go's checksum of a module.
 */
export type PackageHash = `h1:${string}` | `zh:${string}`;

export function isPackageHash(text: string): text is PackageHash {
  return /^(h1:[A-Za-z0-9+/]{43}=|zh:[0-9a-f]{64})$/.test(text);
}

/** `h1:` of a folder that a package was unpacked to. */
export async function hashFolder(folder: string): Promise<PackageHash> {
  const root = await realpath(folder);
  const names = await filesBelow(root, "");
  const files = names.map(async (name) => ({
    name,
    hex: await hexOf(createReadStream(join(root, name), largePieces)),
  }));
  return listHash(await Promise.all(files));
}

/** `h1:` of what a packed file would unpack to. Throws `untrusted` where it is no zip archive. */
export async function hashZipContents(path: string): Promise<PackageHash> {
  const zip = await openPromise(path, { autoClose: false }).catch((error: unknown) => {
    throw new OperationalError(sourceErrors.untrusted, `${path} is no zip archive.`, { cause: error });
  });
  try {
    const files: HashedFile[] = [];
    for await (const entry of zip.eachEntry())
      files.push({ name: entry.fileName, hex: await hexOf(await zip.openReadStreamPromise(entry)) });
    return listHash(files);
  } finally {
    zip.close();
  }
}

/** `zh:` of a packed file. */
export async function hashPackedFile(path: string): Promise<PackageHash> {
  return `zh:${await hexOf(createReadStream(path, largePieces))}`;
}

/** Whether a package is one of those that were noted; a folder can only be told by its `h1:`. */
export async function matchesAny(path: string, form: "folder" | "packed", noted: readonly string[]): Promise<boolean> {
  if (form === "folder") return noted.includes(await hashFolder(path));
  if (noted.some((hash) => hash.startsWith("zh:")) && noted.includes(await hashPackedFile(path))) return true;
  return noted.some((hash) => hash.startsWith("h1:")) && noted.includes(await hashZipContents(path));
}

/** Programs of providers are hundreds of megabytes. */
const largePieces = { highWaterMark: 1_048_576 };

interface HashedFile {
  readonly name: string;
  readonly hex: string;
}

function listHash(files: readonly HashedFile[]): PackageHash {
  const hash = createHash("sha256");
  const sorted = [...files].sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
  for (const { name, hex } of sorted) hash.update(`${hex}  ${name}\n`);
  return `h1:${hash.digest("base64")}`;
}

async function hexOf(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash("sha256");
  for await (const piece of bytes) hash.update(piece);
  return hash.digest("hex");
}

// Names with slashes. Links are followed to files, as Go does.
async function filesBelow(root: string, folder: string): Promise<string[]> {
  const names: string[] = [];
  for (const entry of await readdir(join(root, folder), { withFileTypes: true })) {
    const name = folder === "" ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) names.push(...(await filesBelow(root, name)));
    else if (entry.isFile() || (await stat(join(root, name))).isFile()) names.push(name);
  }
  return names;
}
