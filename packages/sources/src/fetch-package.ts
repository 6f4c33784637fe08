import { archiveKindNamed } from "@millwright/artifact/archive-kind";
import { artifactErrors } from "@millwright/artifact/errors";
import { UnpackedTree } from "@millwright/artifact/tree";
import { unpack } from "@millwright/artifact/unpack";
import { invariant, messageOf, OperationalError } from "@millwright/core/errors";
import { copyFile, cp, lstat, mkdir, rename, rm, symlink } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { sourceErrors } from "./errors.ts";
import type { SourceHttp } from "./http.ts";
import { hashFolder, matchesAny } from "./package-hash.ts";
import { platformText } from "./platform.ts";
import type { PackageOffer, PackageTrust } from "./provider-origin.ts";
import { providerSourceText } from "./provider-source.ts";
import { unfinishedFor } from "./unfinished.ts";

/** How much a package may be: an archive that unpacks to more is meant to fill a disk. */
const limits = { unpackedBytes: 20_000_000_000, files: 100_000 };

/**
 * Fetches a package, checks it, and puts it in its place: links to a folder, unpacks all else. `noted`: hashes of which it has to
 * have one, none where nothing is noted. What fails leaves nothing behind. Throws `untrusted` and what its origin throws.
 */
export async function placePackage(
  offer: PackageOffer,
  noted: readonly string[],
  place: { readonly path: string; readonly http: SourceHttp },
): Promise<PackageTrust> {
  const what = `the package of ${providerSourceText(offer.source)} ${offer.version}`;
  if (offer.place.kind === "folder") {
    const trust = await offer.check(offer.place.path);
    if (noted.length > 0 && !(await matchesAny(offer.place.path, "folder", noted))) throw notNoted(offer);
    await linkFolder(offer.place.path, place.path);
    return trust;
  }
  const temporary = await unfinishedFor(place.path);
  try {
    const packed = join(temporary, "package.zip");
    const trust = await fetchPackage(offer, packed, place.http);
    if (noted.length > 0 && !(await matchesAny(packed, "packed", noted))) throw notNoted(offer);
    const unpacked = join(temporary, "unpacked");
    await unpackPackage(packed, unpacked, { what, signal: place.http.signal });
    await putInPlace(unpacked, place.path, temporary);
    return trust;
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** How often others may come first with another package for the same place. */
const mostRivals = 10;

// Others may install the same package at the same place, and run what is there: one that is the same stays as it is.
async function putInPlace(unpacked: string, path: string, temporary: string): Promise<void> {
  for (let rivals = 0; ; rivals++) {
    try {
      return await rename(unpacked, path);
    } catch (error) {
      const code = error instanceof Error && "code" in error ? error.code : undefined;
      const isTaken = code === "ENOTEMPTY" || code === "EEXIST" || code === "ENOTDIR";
      if (!isTaken || rivals === mostRivals) throw error;
    }
    const there = await lstat(path).catch(() => undefined);
    if (there?.isDirectory() && (await hashFolder(path).catch(() => undefined)) === (await hashFolder(unpacked)))
      return;
    await rename(path, join(temporary, `before-${rivals}`)).catch(ignoreMissing);
  }
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
}

/** Fetches a packed package to a file, and checks it as its origin says. */
export async function fetchPackage(offer: PackageOffer, path: string, http: SourceHttp): Promise<PackageTrust> {
  const { place } = offer;
  invariant(place.kind !== "folder", "what is fetched is packed");
  const what = `package of ${providerSourceText(offer.source)} ${offer.version} for ${platformText(offer.platform)}`;
  if (place.kind === "file") await copyFile(place.path, path);
  else await http.download(place.url, path, what);
  return offer.check(path);
}

/** Makes `to` stand for the folder `from`: by a link, or by a copy where the file system has none. */
export async function linkFolder(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await rm(to, { recursive: true, force: true });
  const target = resolve(from);
  try {
    await symlink(target, to, "dir");
  } catch {
    // What is wrong beside the lack of links, the copy finds out and tells.
    await cp(target, to, { recursive: true });
  }
}

async function unpackPackage(
  packed: string,
  to: string,
  { what, signal }: { readonly what: string; readonly signal: AbortSignal },
): Promise<void> {
  const zip = archiveKindNamed("zip");
  invariant(zip, "zip is a kind of archive");
  await mkdir(to, { mode: 0o755 });
  try {
    await unpack(packed, zip, { tree: new UnpackedTree(to, limits), filename: "", signal });
  } catch (error) {
    if (!(error instanceof OperationalError)) throw error;
    const isOfMachine = error.kind.code === artifactErrors.machine.code;
    const kind = isOfMachine ? sourceErrors.machine : sourceErrors.untrusted;
    throw new OperationalError(kind, `${what} cannot be unpacked. ${messageOf(error)}`, { cause: error });
  }
}

function notNoted({ source, version, place, platform }: PackageOffer): OperationalError {
  const local = place.kind === "url" ? "the package" : "the local package";
  const message = `${local} for ${providerSourceText(source)} ${version} doesn't match any of the checksums previously recorded in the dependency lock file (this might be because the available checksums are for packages targeting different platforms). If the package is the one you want, add its checksum with: providers lock -platform=${platformText(platform)}`;
  return new OperationalError(sourceErrors.untrusted, message);
}
