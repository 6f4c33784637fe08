import { type ArchiveKind, archiveKindNamed, archiveKindOf } from "@millwright/artifact/archive-kind";
import { checkDigest, findInChecksumFile, parseChecksum } from "@millwright/artifact/checksum";
import { copyFolder } from "@millwright/artifact/copy-folder";
import { UnpackedTree } from "@millwright/artifact/tree";
import { unpack } from "@millwright/artifact/unpack";
import { OperationalError } from "@millwright/core/errors";
import { createHash } from "node:crypto";
import { createReadStream, existsSync, statSync } from "node:fs";
import { mkdir, readdir, readlink, realpath, rm } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { sourceErrors } from "./errors.ts";
import { cloneRepository } from "./git.ts";
import { refusal, type SourceHttp, wholeOf } from "./http.ts";
import { parseModuleSource, type RemoteSource, shownSource } from "./module-source.ts";

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

/** The folder within a package, where `*` stands for the one folder that there is. Throws `notFound`. */
export async function folderMeant(root: string, subfolder: string): Promise<string> {
  let at = root;
  for (const part of subfolder.split("/").filter((one) => one !== "" && one !== ".")) {
    if (part === "..") throw refused(`the part ${subfolder} of the package is outside it`);
    const names = part.includes("*") ? (await readdir(at)).filter((name) => globMatches(part, name)) : [part];
    if (names.length !== 1) throw missing(`${names.length} folders of the package are ${part}, and one is meant`);
    at = join(at, names[0]!);
    if (!existsSync(at) || !statSync(at).isDirectory()) throw missing(`there is no folder ${subfolder} in the package`);
  }
  return at;
}

// Resolves with where to look instead, where a server says so.
async function fetchOnce(source: RemoteSource, folder: string, http: SourceHttp): Promise<RemoteSource | undefined> {
  switch (source.getter) {
    case "git":
      await cloneRepository(source.address, folder, http);
      await refuseLinksOutside(folder);
      return undefined;
    case "file": {
      const path = decodeURIComponent(new URL(source.address).pathname);
      if (!existsSync(path)) throw missing(`there is no ${path}`);
      if (statSync(path).isDirectory()) await copyTree(path, folder, http.signal);
      else await unpackTo(path, archiveFor(source.address), folder, http.signal);
      return undefined;
    }
    case "http":
      return fetchHttp(source, folder, http);
  }
}

async function fetchHttp(source: RemoteSource, folder: string, http: SourceHttp): Promise<RemoteSource | undefined> {
  const url = new URL(source.address);
  const take = (name: string) => {
    const value = url.searchParams.get(name);
    url.searchParams.delete(name);
    return value ?? undefined;
  };
  const [archive, checksum] = [take("archive"), take("checksum")];
  const kind = archive === undefined ? archiveKindOf(url.pathname) : archiveKindNamed(archive);
  if (!kind) return redirected(url, http);
  const file = `${folder}.download`;
  try {
    await http.download(url, file, "module package");
    if (checksum !== undefined) await checkFile(file, checksum, url, http);
    await unpackTo(file, kind, folder, http.signal);
    return undefined;
  } finally {
    await rm(file, { force: true });
  }
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
  const next = parseModuleSource(isWhole ? said : new URL(said, answer.url).href);
  if (next.kind === "remote" && next.getter !== "file") return next;
  throw refused(`its server says that the module is at ${shownSource(said)}, which is nothing to be fetched`);
}

function metaIn(page: string): string | undefined {
  const tag = /<meta\s[^>]*name\s*=\s*["']?terraform-get["']?[^>]*>/i.exec(page)?.[0];
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
      : findInChecksumFile(
          Buffer.from(await http.bytes(new URL(parsed.source, url), "checksum file")).toString("utf8"),
          name,
          parsed.source,
        );
  const hash = createHash(digest.algorithm);
  for await (const piece of createReadStream(file)) hash.update(piece as Uint8Array);
  checkDigest(digest, hash.digest("hex"), `${url.host}${url.pathname}`);
}

function archiveFor(address: string): ArchiveKind {
  const kind = archiveKindOf(new URL(address).pathname);
  if (kind && kind.form !== "single") return kind;
  throw refused("it is a file, and a module is a folder or an archive of one");
}

async function unpackTo(file: string, kind: ArchiveKind, folder: string, signal: AbortSignal): Promise<void> {
  if (kind.form === "single") throw refused(`${kind.name} holds a single file, and a module is a folder`);
  await mkdir(folder, { recursive: true });
  await unpack(file, kind, { tree: new UnpackedTree(folder, limits), filename: "", signal });
}

async function copyTree(from: string, to: string, signal: AbortSignal): Promise<void> {
  await mkdir(to, { recursive: true });
  await copyFolder(await realpath(from), new UnpackedTree(to, limits), signal);
}

// A repository may hold any link; one that leads outside would show this machine's files as the module's.
async function refuseLinksOutside(root: string, folder = root): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && entry.name !== ".git") await refuseLinksOutside(root, path);
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

function globMatches(pattern: string, name: string): boolean {
  const escaped = pattern.replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", "[^/]*");
  return new RegExp(`^${escaped}$`).test(name) && !name.startsWith(".");
}

function refused(message: string): OperationalError {
  return new OperationalError(sourceErrors.refused, message);
}

function missing(message: string): OperationalError {
  return new OperationalError(sourceErrors.notFound, message);
}
