import { createInterface } from "node:readline";
import type { Module } from "@millwright/engine/configuration";
import type { VariableSource } from "@millwright/engine/variables";
import type { CommandIo } from "../io.ts";
import type { Session } from "./session.ts";

/** Asks for the required variables that nothing gives a value to, where there is somebody to ask. */
export async function askForVariables(
  session: Session,
  root: Module,
  sources: readonly VariableSource[],
  interactive: boolean,
): Promise<VariableSource[]> {
  if (!interactive || !isInteractive(session.io)) return [];
  const given = new Set(
    sources.flatMap((source) => (source.kind === "file" ? [...source.attributes.keys()] : [source.name])),
  );
  const asked: VariableSource[] = [];
  for (const variable of root.variables.values()) {
    if (variable.default || given.has(variable.name)) continue;
    const description = variable.description === undefined ? "" : `  ${variable.description}\n\n`;
    const text = await ask(session.io, `var.${variable.name}\n${description}  Enter a value: `);
    if (text === undefined) return asked;
    asked.push({ kind: "prompt", name: variable.name, text });
    await session.io.stdout("\n");
  }
  return asked;
}

/** Whether a question would reach somebody. */
export function isInteractive(io: CommandIo): boolean {
  return io.isTerminal && "isTTY" in io.stdin && io.stdin.isTTY === true;
}

/** Asks one question and reads a line; undefined at the end of the input, or when the command is interrupted. */
export async function ask(io: CommandIo, question: string): Promise<string | undefined> {
  await io.stdout(question);
  const lines = createInterface({ input: io.stdin, signal: io.signal });
  try {
    for await (const line of lines) return line;
    return undefined;
  } catch (error) {
    if (io.signal.aborted) return undefined;
    throw error;
  } finally {
    lines.close();
  }
}
