import { OperationalError } from "@millwright/core/errors";
import { chmod, link, mkdir, open, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { artifactErrors } from "./errors.ts";
import type { UnpackLimits } from "./limits.ts";
import { shownBytes } from "./limits.ts";

/**
 * A new folder that is filled from a list somebody else wrote. Nothing of it gets outside: names are taken apart and put
 * together again, no name leads through a link, and a link's target goes up only at its beginning and never above the
 * folder. (Each link then starts at a real folder within, goes up over real folders within, and down again, where the next
 * link does the same: so none ends outside, whatever is added later.)
 */
export class UnpackedTree {
  readonly #root: string;
  readonly #subfolder: readonly string[];
  readonly #limits: UnpackLimits;
  readonly #kinds = new Map<string, "folder" | "file" | "link">();
  #entries = 0;
  #bytes = 0;

  /** `subfolder`: the only part of the list that is taken, and what its names are relative to. */
  constructor(root: string, limits: UnpackLimits, subfolder = "") {
    this.#root = root;
    this.#limits = limits;
    this.#subfolder = subfolder.split("/").filter((part) => part !== "");
  }

  /** Whether anything was taken. */
  get isEmpty(): boolean {
    return this.#kinds.size === 0;
  }

  async folder(name: string, mode: number): Promise<void> {
    this.#count();
    const parts = this.#within(name);
    if (!parts || parts.length === 0) return;
    await this.#folders(parts, name);
    await chmod(join(this.#root, ...parts), permissions(mode, 0o755) | 0o700);
  }

  /** Takes all of `bytes`, also where the file is not wanted. */
  async file(name: string, mode: number, bytes: AsyncIterable<Uint8Array>): Promise<void> {
    this.#count();
    const parts = this.#within(name);
    if (!parts) return this.#passOver(bytes);
    if (parts.length === 0) throw refused(`The archive has a file where a folder was expected: ${shown(name)}.`);
    const path = await this.#place(parts, name);
    const file = await open(path, "wx", 0o600);
    try {
      for await (const piece of bytes) {
        this.#weigh(piece.length);
        await file.writeFile(piece);
      }
      await file.chmod(permissions(mode, 0o644));
    } finally {
      await file.close();
    }
    this.#kinds.set(parts.join("/"), "file");
  }

  async symlink(name: string, target: string): Promise<void> {
    this.#count();
    const parts = this.#within(name);
    if (!parts) return;
    const path = await this.#place(parts, name);
    const steps = target.split("/").filter((part) => part !== "" && part !== ".");
    const ups = steps.findIndex((part) => part !== "..");
    const down = ups < 0 ? [] : steps.slice(ups);
    const isInside =
      !target.startsWith("/") &&
      !target.includes("\0") &&
      target !== "" &&
      (ups < 0 ? steps.length : ups) <= parts.length - 1 &&
      !down.includes("..");
    if (!isInside) throw outside(`the link ${shown(name)} to ${shown(target)}`);
    await symlink(target, path);
    this.#kinds.set(parts.join("/"), "link");
  }

  /** A second name of a file that is already there. */
  async hardLink(name: string, target: string): Promise<void> {
    this.#count();
    const parts = this.#within(name);
    if (!parts) return;
    const to = this.#within(target);
    if (!to || this.#kinds.get(to.join("/")) !== "file")
      throw outside(`the hard link ${shown(name)} to ${shown(target)}`);
    const path = await this.#place(parts, name);
    await link(join(this.#root, ...to), path);
    this.#kinds.set(parts.join("/"), "file");
  }

  /** Devices and pipes: a download has no business to make them. */
  refuse(name: string, what: string): never {
    throw refused(`The archive holds ${shown(name)}, which is a ${what}. Pack it without.`);
  }

  // The parts of a name below the subfolder; undefined where it is not in there.
  #within(name: string): readonly string[] | undefined {
    const parts = name.split("/").filter((part) => part !== "" && part !== ".");
    if (name.startsWith("/") || name.includes("\0") || parts.includes("..")) throw outside(shown(name));
    const isIn = this.#subfolder.every((part, i) => parts[i] === part);
    return isIn ? parts.slice(this.#subfolder.length) : undefined;
  }

  async #folders(parts: readonly string[], name: string): Promise<void> {
    for (let depth = 1; depth <= parts.length; depth++) {
      const key = parts.slice(0, depth).join("/");
      const kind = this.#kinds.get(key);
      if (kind === "folder") continue;
      if (kind) throw outside(`${shown(name)}, whose folder ${shown(key)} is a ${kind}`);
      await mkdir(join(this.#root, key), 0o755);
      this.#kinds.set(key, "folder");
    }
  }

  // Where an entry that is no folder goes; of two entries of one name the later one stays.
  async #place(parts: readonly string[], name: string): Promise<string> {
    if (parts.length === 0) throw outside(shown(name));
    await this.#folders(parts.slice(0, -1), name);
    const path = join(this.#root, ...parts);
    const before = this.#kinds.get(parts.join("/"));
    if (before === "folder") throw refused(`The archive holds ${shown(name)} twice, once as a folder.`);
    if (before) await rm(path);
    return path;
  }

  async #passOver(bytes: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const piece of bytes) this.#weigh(piece.length);
  }

  #count(): void {
    if (++this.#entries > this.#limits.files)
      throw refused(
        `The archive holds more than ${this.#limits.files} files. ${this.#limits.advice?.files ?? ""}`.trimEnd(),
      );
  }

  #weigh(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes > this.#limits.unpackedBytes)
      throw refused(
        `The archive holds more than ${shownBytes(this.#limits.unpackedBytes)}. ${this.#limits.advice?.unpackedBytes ?? ""}`.trimEnd(),
      );
  }
}

// Set-user-ID, set-group-ID and sticky are left out. A mode of zero is one that nobody wrote down (zip).
function permissions(mode: number, fallback: number): number {
  return mode & 0o777 || fallback;
}

function outside(what: string): OperationalError {
  return refused(`The archive reaches outside its folder: ${what}. Nothing of it was kept.`);
}

function shown(name: string): string {
  return JSON.stringify(name.length > 100 ? `${name.slice(0, 100)}…` : name);
}

function refused(message: string): OperationalError {
  return new OperationalError(artifactErrors.refused, message);
}
