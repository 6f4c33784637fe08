import { messageOf, OperationalError } from "@millwright/core/errors";
import type { Clock } from "@millwright/core/ports";
import { systemClock } from "@millwright/core/ports";
import type { Artifact } from "@millwright/jobs/task";
import { createHash, randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { chmod, lchown, lstat, mkdir, open, readdir, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { checkDigest, type Digest, findInChecksumFile } from "@millwright/artifact/checksum";
import { type DestinationFolders, makeFolder, moveInto, moveOver, resolveDestination } from "./destination.ts";
import { copyFolder } from "@millwright/artifact/copy-folder";
import { type Download, download } from "./download.ts";
import { artifactErrors } from "@millwright/artifact/errors";
import { shownBytes } from "@millwright/artifact/limits";
import { type ArtifactLimits, artifactLimits } from "./limits.ts";
import { checkSourcePath } from "./source-path.ts";
import { type ArtifactSource, type Location, parseSource, shownLocation } from "./source.ts";
import { UnpackedTree } from "@millwright/artifact/tree";
import { unpack } from "@millwright/artifact/unpack";

/** What a job asks for, interpolated. */
export type ArtifactRequest = Pick<
  Artifact,
  "source" | "options" | "headers" | "mode" | "insecure" | "destination" | "chown"
>;

export interface ArtifactContext {
  /** Absolute; `destination` is relative to it. */
  readonly taskFolder: string;
  /** The folder that holds the task's and the shared one; a destination may be in there too. */
  readonly allocationFolder?: string;
  /** The agent's own folder, with other allocations' secrets in it: no `file://` source is taken from there. */
  readonly agentFolder?: string;
  /** Where proxies are looked for; the program's own environment where not given. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** The operator's stand-ins: an address that begins with a name is asked for with the value in its place. */
  readonly mirrors?: Readonly<Record<string, string>>;
  readonly limits?: Partial<ArtifactLimits>;
  /** Whom the files belong to where the job says `chown`. */
  readonly owner?: { readonly uid: number; readonly gid: number };
  readonly clock?: Clock;
  readonly signal: AbortSignal;
  /** Told what a long one is at, less and less often. */
  readonly progress: (text: string) => void;
}

/**
 * Fetches an artifact into a task's folder: downloaded to a temporary folder beside its place, compared with its checksum,
 * unpacked there, and only then moved. What fails leaves nothing behind. Throws an operational error of `artifactErrors`
 * that says what, where and what to do, and holds neither a login nor a query; or the signal's reason.
 */
export async function fetchArtifact(artifact: ArtifactRequest, context: ArtifactContext): Promise<void> {
  const limits = { ...artifactLimits, ...context.limits };
  const late = AbortSignal.timeout(limits.milliseconds);
  const signal = AbortSignal.any([context.signal, late]);
  const source = parseSource(artifact.source, artifact.options);
  const shown = shownLocation(source.location);
  const folders = { task: context.taskFolder, allocation: context.allocationFolder };
  try {
    await new Fetching(artifact, source, { ...context, signal }, limits).run(asFolders(folders));
  } catch (error) {
    context.signal.throwIfAborted();
    if (late.aborted) throw new OperationalError(artifactErrors.late, lateness(shown, limits));
    throw named(error, shown);
  }
}

class Fetching {
  readonly #artifact: ArtifactRequest;
  readonly #source: ArtifactSource;
  readonly #context: ArtifactContext;
  readonly #limits: ArtifactLimits;
  readonly #shown: string;

  constructor(artifact: ArtifactRequest, source: ArtifactSource, context: ArtifactContext, limits: ArtifactLimits) {
    this.#artifact = artifact;
    this.#source = source;
    this.#context = context;
    this.#limits = limits;
    this.#shown = shownLocation(source.location);
  }

  async run(folders: DestinationFolders): Promise<void> {
    const { mode } = this.#artifact;
    if (!["any", "file", "dir", ""].includes(mode))
      throw refused(`There is no artifact mode ${JSON.stringify(mode)}. Write any, file or dir.`);
    const destination = resolveDestination(this.#artifact.destination, folders);
    // In mode `file` the destination is the file itself, unless it is a folder that is there.
    const isFile = mode === "file" && !(await stat(destination).catch(() => undefined))?.isDirectory();
    const parent = isFile ? dirname(destination) : destination;
    await makeFolder(parent, folders);
    await removeAbandoned(parent);
    const temporary = join(parent, `${temporaryPrefix}${process.pid}-${randomBytes(6).toString("hex")}`);
    await mkdir(temporary, 0o700);
    try {
      const place = await this.#prepare(temporary);
      if (this.#artifact.chown && this.#context.owner) await giveAll(place.path, this.#context.owner);
      this.#context.signal.throwIfAborted();
      if (place.kind === "folder" && isFile) await moveOver(await onlyFileOf(place.path), destination);
      else if (place.kind === "folder") await moveInto(place.path, parent);
      else await moveOver(place.path, isFile ? destination : join(parent, this.#filename()));
    } finally {
      await rm(temporary, { recursive: true, force: true });
    }
  }

  // Everything is ready to be moved when this resolves.
  async #prepare(temporary: string): Promise<{ readonly kind: "folder" | "file"; readonly path: string }> {
    const { archive, location, subfolder } = this.#source;
    const made = join(temporary, "made");
    if (location.kind === "path" && (await this.#stat(location.path)).isDirectory()) {
      await this.#copyFolder(location.path, made);
      return { kind: "folder", path: made };
    }
    const file = join(temporary, "file");
    const permissions = await this.#download(file);
    if (!archive) {
      if (this.#artifact.mode === "dir")
        throw refused(
          'It is a file, and mode = "dir" wants an archive. Say its format with archive, or write mode = "any".',
        );
      if (subfolder !== "")
        throw refused(`It is no archive and has no part ${subfolder}. Say its format with archive.`);
      await chmod(file, permissions);
      return { kind: "file", path: file };
    }
    this.#context.signal.throwIfAborted();
    await mkdir(made, 0o755);
    const tree = new UnpackedTree(made, this.#limits, subfolder);
    await unpack(file, archive, { tree, filename: this.#filename(), signal: this.#context.signal });
    if (subfolder !== "" && tree.isEmpty) throw refused(`The archive has nothing in ${subfolder}.`);
    return { kind: "folder", path: made };
  }

  // To a file, checked. Resolves with the permissions it is to have.
  async #download(file: string): Promise<number> {
    const digest = await this.#digest();
    const hash = createHash(digest?.algorithm ?? "sha256");
    const { location } = this.#source;
    const permissions = location.kind === "path" ? (await this.#stat(location.path)).mode & 0o777 : 0o644;
    const { bytes, total } = await this.#open(location);
    const tell = this.#teller(total);
    const output = await open(file, "wx", 0o600);
    let received = 0;
    try {
      for await (const piece of bytes) {
        this.#context.signal.throwIfAborted();
        received += piece.length;
        if (received > this.#limits.downloadedBytes)
          throw refused(
            `It is larger than ${shownBytes(this.#limits.downloadedBytes)}. Raise the agent's limit (http_max_size).`,
          );
        hash.update(piece);
        await output.writeFile(piece);
        tell(received);
      }
    } finally {
      await output.close();
    }
    if (digest) checkDigest(digest, hash.digest("hex"), this.#shown);
    return permissions;
  }

  async #open(location: Location): Promise<Download> {
    if (location.kind === "http")
      return download(location.url, {
        headers: this.#artifact.headers,
        insecure: this.#artifact.insecure,
        mirrors: this.#context.mirrors ?? {},
        env: this.#context.env ?? process.env,
        idleMilliseconds: this.#limits.idleMilliseconds,
        signal: this.#context.signal,
      });
    const { size } = await this.#stat(location.path);
    return { bytes: createReadStream(location.path, { highWaterMark: 256 * 1024 }), total: size };
  }

  async #digest(): Promise<Digest | undefined> {
    const { checksum, filename, location } = this.#source;
    if (checksum?.kind !== "file") return checksum;
    const from = parseSource(checksum.source, {}).location;
    const { bytes } = await this.#open(from);
    const pieces: Uint8Array[] = [];
    let length = 0;
    for await (const piece of bytes) {
      length += piece.length;
      if (length > mostChecksumBytes) throw refused(`The checksum file ${shownLocation(from)} is no checksum file.`);
      pieces.push(piece);
    }
    const name = nameIn(location) || filename;
    return findInChecksumFile(Buffer.concat(pieces).toString("utf8"), name, shownLocation(from));
  }

  async #stat(path: string) {
    await checkSourcePath(path, this.#context);
    const found = await stat(path).catch((error: unknown) => {
      throw new OperationalError(
        artifactErrors.notServed,
        `It cannot be read on this node: ${messageOf(error)}. A file:// source has to be on every node that may run the job.`,
      );
    });
    if (!found.isFile() && !found.isDirectory()) throw refused("It is neither a file nor a folder.");
    return found;
  }

  async #copyFolder(from: string, to: string): Promise<void> {
    if (this.#artifact.mode === "file") throw refused('It is a folder, and mode = "file" wants a file.');
    if (this.#source.checksum)
      throw refused("It is a folder, which has no checksum. Pack it, or leave the checksum out.");
    await mkdir(to, 0o755);
    const tree = new UnpackedTree(to, this.#limits, this.#source.subfolder);
    await copyFolder(from, tree, this.#context.signal);
  }

  #filename(): string {
    if (this.#source.filename !== "") return this.#source.filename;
    throw refused("Its address does not end with a name. Say one with the option filename.");
  }

  #teller(total: number | undefined): (received: number) => void {
    const clock = this.#context.clock ?? systemClock;
    const began = clock.monotonic();
    let next = progressMilliseconds;
    return (received) => {
      const passed = clock.monotonic() - began;
      if (passed < next) return;
      next = 2 * passed;
      const part = total ? ` of ${shownBytes(total)} (${Math.floor((100 * received) / total)} %)` : "";
      this.#context.progress(`Downloading ${this.#shown}: ${shownBytes(received)}${part}`);
    };
  }
}

/** When it is first told how far a download is; then after twice that, and so on: few events of a task are kept. */
const progressMilliseconds = 3_000;
const mostChecksumBytes = 1_000_000;
const temporaryPrefix = ".millwright-artifact-";

// Another pid is that of an agent that was killed in the middle: only one agent works on a folder.
async function removeAbandoned(folder: string): Promise<void> {
  const own = `${temporaryPrefix}${process.pid}-`;
  for (const name of await readdir(folder))
    if (name.startsWith(temporaryPrefix) && !name.startsWith(own))
      await rm(join(folder, name), { recursive: true, force: true });
}

async function onlyFileOf(folder: string): Promise<string> {
  const names = await readdir(folder);
  const only = names.length === 1 ? join(folder, names[0]!) : undefined;
  if (only && (await lstat(only)).isFile()) return only;
  throw refused(`The archive holds ${names.length} files and folders, and mode = "file" wants one file.`);
}

async function giveAll(path: string, owner: { readonly uid: number; readonly gid: number }): Promise<void> {
  await lchown(path, owner.uid, owner.gid);
  if (!(await lstat(path)).isDirectory()) return;
  for (const name of await readdir(path)) await giveAll(join(path, name), owner);
}

function nameIn(location: Location): string {
  const path = location.kind === "http" ? decodeURIComponent(location.url.pathname) : location.path;
  return path.slice(path.lastIndexOf("/") + 1);
}

function asFolders(folders: { readonly task: string; readonly allocation: string | undefined }): DestinationFolders {
  return folders.allocation === undefined
    ? { task: folders.task }
    : { task: folders.task, allocation: folders.allocation };
}

function lateness(shown: string, limits: ArtifactLimits): string {
  return `${shown} was not there after ${Math.round(limits.milliseconds / 1000)} s. Look at its server, or raise the agent's limit (http_read_timeout).`;
}

// Messages of those who do not know the source begin with "It" or "The archive".
function named(error: unknown, shown: string): unknown {
  if (error instanceof OperationalError) {
    const message = error.message.includes(shown) ? error.message : `Artifact ${shown}: ${error.message}`;
    return new OperationalError(error.kind, message, { cause: error.cause });
  }
  if (!(error instanceof Error && "syscall" in error)) return error;
  return new OperationalError(
    artifactErrors.machine,
    `Artifact ${shown} cannot be kept on this node: ${error.message}.`,
    { cause: error },
  );
}

function refused(message: string): OperationalError {
  return new OperationalError(artifactErrors.refused, message);
}
