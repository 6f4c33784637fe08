import { constants } from "node:os";
import type { ProcessExit } from "@millwright/process/process-state";

/** consul-template's exit codes. */
export const exitCodes = { ok: 0, error: 11, interrupted: 12, badFlags: 13, runFailed: 14, badConfig: 15 } as const;

/** The code of a program that ended: its own, or 128 and the number of the signal that ended it, as shells have it. */
export function exitCodeOf(exit: ProcessExit): number {
  return exit.kind === "code" ? exit.code : 128 + constants.signals[exit.signal];
}
