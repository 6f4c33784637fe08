import { Readable } from "node:stream";
import type { CommandIo } from "../src/io.ts";

/** What a command did. */
export interface CommandOutcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface CommandSetting {
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string | Uint8Array;
  readonly cwd?: string;
  readonly signal?: AbortSignal;
  /** Told of each piece of standard output as it comes. */
  readonly onOutput?: (text: string) => void;
}

/** Runs a command with everything around it made up, and collects what it wrote. */
export async function outcomeOf(
  run: (io: CommandIo) => Promise<number>,
  { env = {}, stdin = "", cwd = "/", signal = new AbortController().signal, onOutput }: CommandSetting = {},
): Promise<CommandOutcome> {
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  const code = await run({
    stdin: Readable.from([Buffer.from(stdin)]),
    stdout: async (text) => {
      out.push(Buffer.from(text));
      onOutput?.(Buffer.from(text).toString());
    },
    stderr: async (text) => void err.push(Buffer.from(text)),
    env,
    cwd,
    isTerminal: false,
    view: { width: 80, colour: false },
    signal,
  });
  return { code, out: Buffer.concat(out).toString(), err: Buffer.concat(err).toString() };
}
