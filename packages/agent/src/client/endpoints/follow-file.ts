import type { FileHandle } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { aliveFrame, type Frame } from "./frames.ts";
import { openInside, type Visible } from "./inside.ts";
import { Waker } from "./waker.ts";

/** Where a reader begins: so many bytes behind the start, or before the end. */
export interface Position {
  readonly origin: "start" | "end";
  readonly offset: number;
}

/** A file piece by piece, from a position on; where `follow` also what is written later, until it is deleted or the signal aborts. */
export async function* readFrames(
  visible: Visible,
  path: string,
  { follow, signal, ...position }: Position & { readonly follow: boolean; readonly signal: AbortSignal },
): AsyncGenerator<Frame> {
  const file = await openInside(visible, path);
  const waker = new Waker(dirname(join(visible.folder, path)), (name) => name === basename(path));
  try {
    let at = await startOf(file, position);
    while (!signal.aborted) {
      waker.rearm();
      for await (const data of piecesOf(file, at)) {
        at += data.length;
        yield { file: path, offset: at, data, event: "" };
      }
      if (!follow) return;
      const { size, nlink } = await file.stat();
      if (nlink === 0) return void (yield { file: path, offset: at, data: nothing, event: "file deleted" });
      if (size < at) {
        at = 0;
        yield { file: path, offset: 0, data: nothing, event: "file truncated" };
      } else if (size === at && !(await waker.wait(quiet, signal)) && !signal.aborted) yield aliveFrame;
    }
  } finally {
    waker.close();
    await file.close();
  }
}

/** How long nothing is said to somebody who follows, in milliseconds. */
export const quiet = 1_000;

const nothing = new Uint8Array();
const mostInPiece = 64 * 1024;

/** What a file holds from a place on, in pieces that are the reader's own; to an end, where there is one. */
export async function* piecesOf(file: FileHandle, from: number, to = Number.POSITIVE_INFINITY): AsyncGenerator<Buffer> {
  for (let at = from; at < to; ) {
    const buffer = Buffer.allocUnsafe(Math.min(mostInPiece, to - at));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, at);
    if (bytesRead === 0) return;
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

async function startOf(file: FileHandle, { origin, offset }: Position): Promise<number> {
  const { size } = await file.stat();
  return origin === "start" ? offset : Math.max(0, size - offset);
}
