import { type FileHandle, open, stat } from "node:fs/promises";
import { join } from "node:path";
import { type FolderWatch, watchFolder } from "../task-process/folder-watch.ts";
import { numbersOf } from "./rotating-file.ts";

export interface TaskLogPlace {
  /** Where the log files are: `<allocation>/alloc/logs`. */
  readonly folder: string;
  readonly task: string;
  readonly type: "stdout" | "stderr";
}

export interface TaskLogOptions extends TaskLogPlace {
  readonly origin: "start" | "end";
  /** Bytes from there, over all the files; more than there are is as many as there are. */
  readonly offset: number;
  /** Whether to go on, when all is read, with what comes. */
  readonly follow: boolean;
  readonly signal: AbortSignal;
}

/** A piece of a log. */
export interface TaskLogPiece {
  /** The file's name, without its folder. */
  readonly file: string;
  /** In that file, behind the data. */
  readonly offset: number;
  /** At most 64 KiB; empty where there is only an event. */
  readonly data: Uint8Array;
  readonly fileEvent?: "file truncated" | "file deleted";
}

/** A log's files that are there, the oldest first; none where there is no such log. */
export async function taskLogFiles(place: TaskLogPlace): Promise<readonly { file: string; bytes: number }[]> {
  const files = numbersThere(place).map(async (number) => {
    const file = fileName(place, number);
    return { file, bytes: await bytesOf(join(place.folder, file)) };
  });
  return Promise.all(files);
}

/**
 * Reads a task's log over its rotated files. Ends when all is read, or, following, when the files are gone or the signal
 * aborts; a file that is removed before it was read is passed over. Source: what Nomad's `/v1/client/fs/logs` gives.
 */
export async function* openTaskLog(options: TaskLogOptions): AsyncGenerator<TaskLogPiece, void, undefined> {
  const { signal, follow } = options;
  const watch = follow ? watchFolder(options.folder) : undefined;
  try {
    let at: Position | undefined = await startOf(options);
    while (at && !signal.aborted) at = yield* readFile(options, at, watch);
  } finally {
    watch?.close();
  }
}

interface Position {
  readonly number: number;
  readonly offset: number;
}

const mostBytes = 64 * 1024;
const nothing = new Uint8Array();

async function startOf(options: TaskLogOptions): Promise<Position> {
  const numbers = numbersThere(options);
  const sizes = await Promise.all(numbers.map((number) => bytesOf(join(options.folder, fileName(options, number)))));
  const all = sizes.reduce((sum, size) => sum + size, 0);
  let left = Math.min(all, Math.max(0, options.origin === "start" ? options.offset : all - options.offset));
  for (const [i, number] of numbers.entries()) {
    const size = sizes[i] ?? 0;
    if (left < size || i === numbers.length - 1) return { number, offset: left };
    left -= size;
  }
  return { number: 0, offset: 0 };
}

// Reads one file to its end, which is where another one has begun; gives the place to go on at.
async function* readFile(
  options: TaskLogOptions,
  { number, offset: from }: Position,
  watch: FolderWatch | undefined,
): AsyncGenerator<TaskLogPiece, Position | undefined, undefined> {
  const { folder, signal } = options;
  const file = fileName(options, number);
  const handle = await open(join(folder, file)).catch(() => undefined);
  try {
    let offset = from;
    for (;;) {
      // Asked before the read: whoever has begun the next file writes to this one no more.
      const next = numbersThere(options).find((other) => other > number);
      for await (const data of piecesOf(handle, offset)) {
        offset += data.length;
        yield { file, offset, data };
        if (signal.aborted) return undefined;
      }
      if (next !== undefined) return { number: next, offset: 0 };
      if (!watch) return undefined;
      const bytes = (await handle?.stat())?.size ?? 0;
      if (bytes < offset) {
        offset = 0;
        yield { file, offset, data: nothing, fileEvent: "file truncated" };
      } else if (numbersThere(options).length === 0 && handle) {
        yield { file, offset, data: nothing, fileEvent: "file deleted" };
        return undefined;
      }
      await watch.changed(signal);
      if (signal.aborted) return undefined;
      if (!handle) return { number, offset };
    }
  } finally {
    await handle?.close();
  }
}

async function* piecesOf(handle: FileHandle | undefined, from: number): AsyncGenerator<Uint8Array, void, undefined> {
  let offset = from;
  while (handle) {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(mostBytes), 0, mostBytes, offset);
    if (bytesRead === 0) return;
    offset += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

function fileName({ task, type }: TaskLogPlace, number: number): string {
  return `${task}.${type}.${number}`;
}

function numbersThere({ folder, task, type }: TaskLogPlace): readonly number[] {
  try {
    return numbersOf(folder, `${task}.${type}`);
  } catch {
    // The folder is gone, and the log with it.
    return [];
  }
}

async function bytesOf(path: string): Promise<number> {
  // One that is removed just now holds nothing.
  return (await stat(path).catch(() => undefined))?.size ?? 0;
}
