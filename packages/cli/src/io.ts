import type { Readable } from "node:stream";

/**
 * What a command may touch of the process around it. Commands write text and return an exit code; they never end the
 * process themselves, so that they can run inside another program and in tests.
 */
export interface CommandIo {
  readonly stdin: Readable;
  /** Writes text as it is, without adding a line end. Resolves when more may be written. */
  stdout(text: string | Uint8Array): Promise<void>;
  stderr(text: string | Uint8Array): Promise<void>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Whether stdout is a terminal: colour and progress are for terminals only. */
  readonly isTerminal: boolean;
  /** Aborts when the user interrupts the command; its reason names the signal. */
  readonly signal: AbortSignal;
}
