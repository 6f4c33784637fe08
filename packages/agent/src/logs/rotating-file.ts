import { closeSync, constants, fstatSync, openSync, readdirSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { messageOf } from "@millwright/core/errors";

export interface RotatingFileOptions {
  readonly folder: string;
  /** The files are `<name>.0`, `<name>.1` … */
  readonly name: string;
  readonly maxFiles: number;
  readonly maxBytes: number;
}

/** How far a write came. */
export interface Written {
  readonly bytes: number;
  /** Why it came no further; the rest is to be tried again. */
  readonly fault?: string;
}

/**
 * A log in numbered files. The next file begins behind a newline within the last 32 KiB that the size allows, or at that size
 * where there is none. Numbers only rise, also over restarts; the oldest files are removed. What was written is with the
 * kernel when `write` returns: nothing is kept here.
 */
export class RotatingFile {
  #options: RotatingFileOptions;
  #number: number;
  #descriptor: number | undefined;
  #size = 0;

  /** Goes on with the newest file that is there. Opens it at once, so that who reads finds one; throws what the file system says. */
  constructor(options: RotatingFileOptions) {
    this.#options = options;
    this.#number = numbersOf(options.folder, options.name).at(-1) ?? 0;
    this.#open();
  }

  /** From now on, other limits. */
  limit({ maxFiles, maxBytes }: Pick<RotatingFileOptions, "maxFiles" | "maxBytes">): void {
    this.#options = { ...this.#options, maxFiles, maxBytes };
  }

  write(bytes: Uint8Array): Written {
    let done = 0;
    try {
      while (done < bytes.length) {
        const descriptor = this.#open();
        const { length, isLast } = cut(bytes.subarray(done), this.#size, this.#options.maxBytes);
        const written = length === 0 ? 0 : writeSync(descriptor, bytes, done, length);
        this.#size += written;
        done += written;
        if (isLast && written === length) this.#next();
      }
      return { bytes: done };
    } catch (error) {
      return { bytes: done, fault: messageOf(error) };
    }
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  #open(): number {
    if (this.#descriptor !== undefined) return this.#descriptor;
    const { folder, name } = this.#options;
    this.#descriptor = openOwn(folder, `${name}.${this.#number}`);
    this.#size = fstatSync(this.#descriptor).size;
    return this.#descriptor;
  }

  #next(): void {
    this.close();
    this.#number++;
    const { folder, name, maxFiles } = this.#options;
    const old = numbersOf(folder, name).filter((number) => number <= this.#number - maxFiles);
    for (const number of old) rmSync(join(folder, `${name}.${number}`), { force: true });
  }
}

const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_DIRECTORY, O_RDONLY } = constants;

// Tasks may write in the folder of their logs, and this program more than they: no link of theirs is followed, neither in the
// file's place nor in the folder's, and nothing but an ordinary file with one name is written to.
function openOwn(folder: string, file: string): number {
  const directory = openSync(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  try {
    const path = `/proc/self/fd/${directory}/${file}`;
    const descriptor = openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o644);
    const found = fstatSync(descriptor);
    if (found.isFile() && found.nlink <= 1) return descriptor;
    closeSync(descriptor);
    throw new Error(`${join(folder, file)} is no log of this program's`);
  } finally {
    closeSync(directory);
  }
}

/** The numbers of a log's files that are there, rising. Throws where the folder cannot be read. */
export function numbersOf(folder: string, name: string): number[] {
  return readdirSync(folder)
    .filter((file) => file.startsWith(`${name}.`))
    .map((file) => file.slice(name.length + 1))
    .filter((rest) => /^(0|[1-9]\d{0,14})$/.test(rest))
    .map(Number)
    .sort((a, b) => a - b);
}

const newline = 0x0a;
const tailBytes = 32 * 1024;

/** How much of a piece a file of this size takes still, and whether it is full then. */
export function cut(piece: Uint8Array, size: number, maxBytes: number): { length: number; isLast: boolean } {
  const tail = Math.min(tailBytes, Math.floor(maxBytes / 2));
  const from = Math.max(0, maxBytes - tail - size);
  const to = Math.min(piece.length, Math.max(0, maxBytes - size));
  if (piece.length <= from) return { length: piece.length, isLast: false };
  const end = to === 0 ? -1 : piece.lastIndexOf(newline, to - 1);
  if (end >= from) return { length: end + 1, isLast: true };
  return { length: to, isLast: size + to >= maxBytes };
}
