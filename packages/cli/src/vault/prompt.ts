import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import type { CommandIo } from "../io.ts";

/** Asks for a line on standard input; empty where that has ended. What is typed at a terminal is not shown. */
export async function askHidden(io: CommandIo, question: string): Promise<string> {
  await io.stderr(question);
  const unseen = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: io.stdin, output: unseen, terminal: io.isTerminal });
  try {
    const ended = new Promise<string>((resolve) => lines.once("close", () => resolve("")));
    return await Promise.race([lines.question("", { signal: io.signal }), ended]);
  } finally {
    lines.close();
    await io.stderr("\n");
  }
}
