import { createInterface } from "node:readline";
import type { CommandIo } from "../io.ts";
import { Refusal } from "./command.ts";

/** Asks a question that is answered by `y`. Where nobody can answer, that is refused with what to do. */
export async function confirm(io: CommandIo, question: string): Promise<boolean> {
  await io.stdout(`${question} `);
  const lines = createInterface({ input: io.stdin, signal: io.signal });
  try {
    for await (const line of lines) return /^y(es)?$/i.test(line.trim());
  } catch (error) {
    if (!io.signal.aborted) throw error;
    return false;
  } finally {
    lines.close();
  }
  throw new Refusal("\nNobody answered: give the whole id, or -yes.");
}
