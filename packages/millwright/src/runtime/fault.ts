import type { Frames, StackFault } from "./expression.ts";

/** Thrown where a stack does something that cannot be planned; also kept, so that catching it hides nothing. */
export class Fault extends Error {
  override readonly name = "StackFault";
}

export const faults: StackFault[] = [];

/** Refuses what the program is doing, at the place where it does it. */
export function refuse(summary: string, detail: string, at: Frames = here()): never {
  if (!faults.some((known) => known.detail === detail && String(known.at[0]) === String(at[0]))) {
    faults.push({ summary, detail, at });
  }
  throw new Fault(`${summary}: ${detail}`);
}

/** The name under which the stack's program runs, as stack traces show it. */
const programFrame = /\bstack\.js:(\d+):(\d+)\)?$/;

/** The places in the stack's program that led here, innermost first. */
export function here(): Frames {
  return framesOf(new Error().stack ?? "");
}

export function framesOf(trace: string): Frames {
  const frames: [number, number][] = [];
  for (const line of trace.split("\n")) {
    const match = programFrame.exec(line);
    if (match) frames.push([Number(match[1]), Number(match[2])]);
  }
  return frames;
}
