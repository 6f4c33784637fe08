import type { Readable } from "node:stream";
import type { InstanceScope } from "./terraform/instance-scope.ts";

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
  /** How wide text may be, and whether in colour. */
  readonly view: View;
  /** Set where the command works on an instance of a template. */
  readonly instance?: InstanceScope;
  /** Aborts when the user interrupts the command; its reason names the signal. */
  readonly signal: AbortSignal;
}

/** How text is laid out for people: `width` in columns, and whether colours may be used. */
export interface View {
  readonly width: number;
  readonly colour: boolean;
}
