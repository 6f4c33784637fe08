import type { CommandIo } from "../io.ts";

/** The exit code of a command that the user interrupted, as a shell gives it for the signal. */
export function interruptedCode(io: CommandIo): number {
  return io.signal.reason === "SIGTERM" ? 143 : 130;
}
