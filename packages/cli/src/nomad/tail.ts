import type { FileFrame } from "@millwright/clients/nomad-files";
import type { CommandIo } from "../io.ts";

/** Writes each piece of a file as it comes. What became of the file is told on standard error. */
export async function pass(frames: AsyncIterable<FileFrame>, io: CommandIo): Promise<void> {
  for await (const frame of frames) await write(frame, io);
}

async function write({ data, event, file }: FileFrame, io: CommandIo): Promise<void> {
  if (event !== "") await io.stderr(`nomad: ${file}: ${event}\n`);
  if (data.length > 0) await io.stdout(data);
}

export interface Tail {
  readonly lines: number;
  readonly follow: boolean;
  read(part: { readonly follow: boolean; readonly origin: "end"; readonly offset: number }): AsyncIterable<FileFrame>;
  readonly io: CommandIo;
}

const likelyLineLength = 200;
const mostBytes = 64 * 1024 * 1024;

/** The last lines of a file, and with `follow` what is written later. */
export async function lastLines(tail: Tail): Promise<void> {
  if (tail.follow) return followLastLines(tail);
  // More and more of the end, until it holds enough lines or is all there is.
  for (let offset = Math.max(1, tail.lines) * likelyLineLength; ; offset *= 4) {
    const pieces: Uint8Array[] = [];
    for await (const { data } of tail.read({ follow: false, origin: "end", offset })) pieces.push(data);
    const text = Buffer.concat(pieces);
    const isAll = text.length < offset || offset >= mostBytes;
    if (!isAll && lineStart(text, tail.lines + 1) === 0) continue;
    await tail.io.stdout(text.subarray(lineStart(text, tail.lines)));
    return;
  }
}

const quietMilliseconds = 300;

// What is there at the beginning comes at once; when nothing more has come for a while, its last lines are shown.
async function followLastLines({ lines, read, io }: Tail): Promise<void> {
  const frames = read({ follow: true, origin: "end", offset: Math.max(1, lines) * likelyLineLength });
  let held: Buffer | undefined = Buffer.alloc(0);
  const release = async () => {
    if (held === undefined) return;
    const text = held;
    held = undefined;
    if (text.length > 0) await io.stdout(text.subarray(lineStart(text, lines)));
  };
  let timer = setTimeout(() => void release(), quietMilliseconds);
  try {
    for await (const frame of frames) {
      if (held === undefined) await write(frame, io);
      else {
        held = Buffer.concat([held, frame.data]);
        clearTimeout(timer);
        timer = setTimeout(() => void release(), quietMilliseconds);
      }
    }
  } finally {
    clearTimeout(timer);
    await release();
  }
}

/** Where the last so many lines begin; 0 where there are not more. */
function lineStart(text: Uint8Array, lines: number): number {
  if (lines <= 0) return text.length;
  let at = text.length - 1;
  for (let found = 0; found < lines; found++) {
    at = text.lastIndexOf(10, at - 1);
    if (at < 0) return 0;
  }
  return at + 1;
}
