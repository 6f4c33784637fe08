import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { FileHandle } from "node:fs/promises";
import { isKind } from "@millwright/core/errors";
import { endpointErrors } from "./errors.ts";
import { type Position, piecesOf, quiet } from "./follow-file.ts";
import { aliveFrame, type Frame } from "./frames.ts";
import { openInside, type Visible } from "./inside.ts";
import { Waker } from "./waker.ts";

export interface LogReading extends Position {
  readonly visible: Visible;
  readonly task: string;
  readonly type: "stdout" | "stderr";
  /** Go on with what is written later, until the task has ended and all is told. */
  readonly follow: boolean;
  /** Whether the task has ended for good. */
  readonly hasEnded: () => boolean;
  /** Calls back when that may have changed; returns what ends it. */
  readonly onChange: (wake: () => void) => () => void;
  readonly signal: AbortSignal;
}

/** What a task has written, over all of its numbered files, in order and without a gap. */
export async function* readLogs(reading: LogReading): AsyncGenerator<Frame> {
  const { visible, follow, signal } = reading;
  const waker = new Waker(join(visible.folder, logsFolder), (name) => name.startsWith(prefixOf(reading)));
  const stop = reading.onChange(() => waker.wake());
  const place = await startOf(reading);
  let file: FileHandle | undefined;
  // An end is believed when a look after it has found nothing more.
  let isLastLook = false;
  try {
    while (!signal.aborted) {
      waker.rearm();
      const ended = reading.hasEnded();
      // Asked before the file is read: what has a successor grows no more, and is read to its end then.
      const next = (await numbersOf(reading)).find((number) => number > place.number);
      file ??= await openLog(reading, place.number);
      const before = place.at;
      for await (const data of file ? piecesOf(file, place.at) : []) {
        place.at += data.length;
        yield { file: pathOf(reading, place.number), offset: place.at, data, event: "" };
      }
      if (next !== undefined) {
        await file?.close();
        file = undefined;
        Object.assign(place, { number: next, at: 0 });
      } else if (place.at === before) {
        if (!follow || isLastLook) return;
        isLastLook = ended;
        if (!(await waker.wait(ended ? settle : quiet, signal)) && !ended && !signal.aborted) yield aliveFrame;
      }
    }
  } finally {
    stop();
    waker.close();
    await file?.close();
  }
}

/** Whether the task has written anything. */
export async function hasLogs(reading: Pick<LogReading, "visible" | "task" | "type">): Promise<boolean> {
  for (const number of await numbersOf(reading))
    if (((await sizeOf(join(reading.visible.folder, pathOf(reading, number)))) ?? 0) > 0) return true;
  return false;
}

const logsFolder = "alloc/logs";
/** How long an ended task's last words may take to its files, in milliseconds. */
const settle = 300;

function prefixOf({ task, type }: Pick<LogReading, "task" | "type">): string {
  return `${task}.${type}.`;
}

function pathOf(reading: Pick<LogReading, "task" | "type">, number: number): string {
  return `${logsFolder}/${prefixOf(reading)}${number}`;
}

// The oldest may have been removed meanwhile: the reading goes on with what there is.
async function openLog(reading: LogReading, number: number): Promise<FileHandle | undefined> {
  try {
    return await openInside(reading.visible, pathOf(reading, number));
  } catch (error) {
    if (isKind(error, endpointErrors.notFound)) return undefined;
    throw error;
  }
}

async function startOf(reading: LogReading): Promise<{ number: number; at: number }> {
  const numbers = await numbersOf(reading);
  const sizes = await Promise.all(
    numbers.map(async (number) => (await sizeOf(join(reading.visible.folder, pathOf(reading, number)))) ?? 0),
  );
  const total = sizes.reduce((sum, size) => sum + size, 0);
  let at = reading.origin === "start" ? reading.offset : Math.max(0, total - reading.offset);
  for (const [i, number] of numbers.entries()) {
    const size = sizes[i] ?? 0;
    if (at < size || i === numbers.length - 1) return { number, at: Math.min(at, size) };
    at -= size;
  }
  return { number: 0, at: 0 };
}

async function sizeOf(path: string): Promise<number | undefined> {
  return lstat(path).then(
    ({ size }) => size,
    () => undefined,
  );
}

/** The numbers of a task's log files, rising. */
async function numbersOf({ visible, task, type }: Pick<LogReading, "visible" | "task" | "type">): Promise<number[]> {
  const prefix = prefixOf({ task, type });
  const names = await readdir(join(visible.folder, logsFolder)).catch(() => []);
  return names
    .filter((name) => name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length)))
    .map((name) => Number(name.slice(prefix.length)))
    .sort((a, b) => a - b);
}
