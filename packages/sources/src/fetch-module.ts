import { type ArchiveKind, archiveKindNamed, archiveKindOf } from "@millwright/artifact/archive-kind";
import { checkDigest, findInChecksumFile, parseChecksum } from "@millwright/artifact/checksum";
import { copyFolder } from "@millwright/artifact/copy-folder";
import { UnpackedTree } from "@millwright/artifact/tree";
import { unpack } from "@millwright/artifact/unpack";
import { invariant, OperationalError } from "@millwright/core/errors";
import { compileGlob } from "@millwright/text/glob";
import { createHash } from "node:crypto";
import { createReadStream, existsSync, statSync } from "node:fs";
import { mkdir, readdir, readFile, readlink, realpath, rm } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { copyObjects } from "./bucket.ts";
import { sourceErrors } from "./errors.ts";
import { gcsBucket } from "./gcs.ts";
import { cloneRepository } from "./git.ts";
import { cloneMercurial } from "./hg.ts";
import { refusal, type SourceHttp, wholeOf } from "./http.ts";
import { parseModuleSource, type RemoteSource, shownSource } from "./module-source.ts";
import { s3Bucket } from "./s3.ts";

/** How much a module's package may be. */
const limits = { unpackedBytes: 10_000_000_000, files: 200_000 };
const mostHops = 10;

/**
 * Fetches a module's package into a folder that is not there yet. Returns the part of it that is meant, which an address that
 * leads to another one may have narrowed. Nothing of the package leads outside its folder: no name, no link.
 */
export async function fetchModulePackage(source: RemoteSource, folder: string, http: SourceHttp): Promise<string> {
  let at = source;
  let subfolder = source.subfolder;
  for (let hop = 0; hop < mostHops; hop++) {
    const next = await fetchOnce(at, folder, http);
    if (!next) return folderMeant(folder, subfolder);
    at = next;
    subfolder = [next.subfolder, subfolder].filter((part) => part !== "").join("/");
  }
  throw refused(`its address leads to another one more than ${mostHops} times`);
}

/** The folder within a package, where `*`, `?` and `[…]` stand for names of which one is meant. Throws `notFound`. */
export async function folderMeant(root: string, subfolder: string): Promise<string> {
  const parts = subfolder.split("/").filter((one) => one !== "" && one !== ".");
  if (parts.includes("..")) throw refused(`the part ${subfolder} of the package is outside it`);
  let found: readonly string[] = [root];
  for (const part of parts) found = (await Promise.all(found.map((folder) => foldersNamed(part, folder)))).flat();
  if (found.length === 1) return found[0]!;
  if (found.length > 1) throw missing(`${found.length} folders of the package are ${subfolder}, and one is meant`);
  throw missing(`there is no folder ${subfolder} in the package`);
}

async function foldersNamed(pattern: string, folder: string): Promise<readonly string[]> {
  const glob = /[*?[]/.test(pattern) ? compileGlob(pattern) : undefined;
  if (glob?.ok === false) throw refused(`${pattern} is no pattern of names: ${glob.error}`);
  const isMeant = (name: string) => glob?.glob.matches(name) && (!name.startsWith(".") || pattern.startsWith("."));
  const names = glob ? (await readdir(folder)).filter(isMeant) : [pattern];
  return names.map((name) => join(folder, name)).filter((path) => existsSync(path) && statSync(path).isDirectory());
}

// Resolves with where to look instead, where a server says so.
async function fetchOnce(source: RemoteSource, folder: string, http: SourceHttp): Promise<RemoteSource | undefined> {
  if (source.getter === "git" || source.getter === "hg") {
    await (source.getter === "git" ? cloneRepository : cloneMercurial)(source.address, folder, http);
    await refuseLinksOutside(folder);
    return undefined;
  }
  const packed = packedAt(source.address);
  switch (source.getter) {
    case "file":
      await fetchFile(packed, folder, http);
      return undefined;
    case "http":
      if (!packed.kind) return redirected(packed.url, http);
      await fetchArchive(packed, folder, { http, get: (file) => http.download(packed.url, file, "module package") });
      return undefined;
    case "s3":
    case "gcs": {
      const bucket = (source.getter === "s3" ? s3Bucket : gcsBucket)(packed.url, http);
      if (packed.kind) {
        const get = async (file: string) => http.save(await bucket.open(bucket.key), file);
        await fetchArchive(packed, folder, { http, get });
      } else {
        await mkdir(folder, { recursive: true });
        await copyObjects(bucket, new UnpackedTree(folder, limits), http);
      }
      return undefined;
    }
  }
}

/** What an address says of an archive, and the address without that. */
interface Packed {
  readonly url: URL;
  /** Undefined where it is none. */
  readonly kind: ArchiveKind | undefined;
  readonly checksum: string | undefined;
}

function packedAt(address: string): Packed {
  const url = new URL(address);
  const take = (name: string) => {
    const value = url.searchParams.get(name);
    url.searchParams.delete(name);
    return value ?? undefined;
  };
  const [archive, checksum] = [take("archive"), take("checksum")];
  return { url, checksum, kind: archive === undefined ? archiveKindOf(url.pathname) : archiveKindNamed(archive) };
}

async function fetchFile(packed: Packed, folder: string, http: SourceHttp): Promise<void> {
  const path = decodeURIComponent(packed.url.pathname);
  if (!existsSync(path)) throw missing(`there is no ${path}`);
  if (statSync(path).isDirectory()) return copyTree(path, folder, http.signal);
  if (!packed.kind) throw refused("it is a file, and a module is a folder or an archive of one");
  await unpackChecked(packed, path, folder, http);
}

async function fetchArchive(
  packed: Packed,
  folder: string,
  { get, http }: { readonly get: (file: string) => Promise<void>; readonly http: SourceHttp },
): Promise<void> {
  const file = `${folder}.download`;
  try {
    await get(file);
    await unpackChecked(packed, file, folder, http);
  } finally {
    await rm(file, { force: true });
  }
}

async function unpackChecked({ url, kind, checksum }: Packed, file: string, folder: string, http: SourceHttp) {
  invariant(kind, "what is unpacked is an archive");
  if (checksum !== undefined) await checkFile(file, checksum, url, http);
  if (kind.form === "single") throw refused(`${kind.name} holds a single file, and a module is a folder`);
  await mkdir(folder, { recursive: true });
  await unpack(file, kind, { tree: new UnpackedTree(folder, limits), filename: "", signal: http.signal });
}

// A server that has no archive at this address says in a header, or in a page, where the module is.
async function redirected(url: URL, http: SourceHttp): Promise<RemoteSource> {
  const asked = new URL(url);
  asked.searchParams.set("terraform-get", "1");
  const answer = await http.get(asked);
  if (answer.status !== 200 && answer.status !== 204) throw await refusal(answer, "module package");
  const header = answer.headers["x-terraform-get"];
  const said =
    typeof header === "string"
      ? header
      : metaIn((await wholeOf(answer.body, answer.url, "page about the module")).toString("utf8"));
  answer.body.destroy();
  if (said === undefined)
    throw missing("its server says neither in a header X-Terraform-Get nor in a meta tag where the module is");
  const isWhole = /^([a-z0-9]+::|[a-z][a-z0-9+.-]*:\/\/|[\w.-]+\.[a-z]+\/|git@)/i.test(said);
  const next = parseModuleSource(isWhole ? said : (URL.parse(said, answer.url.href)?.href ?? said));
  if (next.kind === "remote" && next.getter !== "file") return next;
  throw refused(`its server says that the module is at ${shownSource(said)}, which is nothing to be fetched`);
}

function metaIn(page: string): string | undefined {
  const tags = page.match(/<meta\s[^<>]*>/gi) ?? [];
  const tag = tags.find((one) => /\sname\s*=\s*["']?terraform-get\b/i.test(one));
  return (
    tag &&
    /content\s*=\s*(?:"([^"]*)"|'([^']*)')/i
      .exec(tag)
      ?.slice(1)
      .find((text) => text !== undefined)
  );
}

async function checkFile(file: string, wanted: string, url: URL, http: SourceHttp): Promise<void> {
  const parsed = parseChecksum(wanted);
  const name = url.pathname.slice(url.pathname.lastIndexOf("/") + 1);
  const digest =
    parsed.kind === "digest"
      ? parsed
      : findInChecksumFile(await checksumFile(new URL(parsed.source, url), http), name, parsed.source);
  const hash = createHash(digest.algorithm);
  for await (const piece of createReadStream(file)) hash.update(piece as Uint8Array);
  checkDigest(digest, hash.digest("hex"), `${url.host}${url.pathname}`);
}

async function checksumFile(url: URL, http: SourceHttp): Promise<string> {
  const isFile = url.protocol === "file:";
  const bytes = isFile ? await readFile(decodeURIComponent(url.pathname)) : await http.bytes(url, "checksum file");
  return Buffer.from(bytes).toString("utf8");
}

async function copyTree(from: string, to: string, signal: AbortSignal): Promise<void> {
  await mkdir(to, { recursive: true });
  await copyFolder(await realpath(from), new UnpackedTree(to, limits), signal);
}

// A repository may hold any link; one that leads outside would show this machine's files as the module's.
async function refuseLinksOutside(root: string, folder = root): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && entry.name !== ".git" && entry.name !== ".hg") await refuseLinksOutside(root, path);
    if (!entry.isSymbolicLink()) continue;
    // Where it leads over other links only the system knows; one that leads nowhere is taken at its word.
    const end = await realpath(path).catch(async () => resolve(folder, await readlink(path)));
    if (!isWithin(root, end) && !isWithin(await realpath(root), end))
      throw refused(`its link ${relative(root, path)} leads outside the package`);
  }
}

function isWithin(root: string, path: string): boolean {
  const way = relative(root, path);
  return way !== ".." && !way.startsWith("../");
}

function refused(message: string): OperationalError {
  return new OperationalError(sourceErrors.refused, message);
}

function missing(message: string): OperationalError {
  return new OperationalError(sourceErrors.notFound, message);
}
