import type { Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import { asSentence } from "@millwright/core/sentence";
import type { BuildFailure, Message } from "esbuild";

/** What esbuild says of a user's file, at its line. What it only warns of (a reassigned constant) is an error too. */
export function compileDiagnostic(summary: string, { text, location, notes }: Message): Diagnostic {
  const detail = [text, ...notes.map((note) => note.text).filter(isForUsers)].map(asSentence).join(" ");
  if (!location) return errorDiagnostic(summary, detail);
  const { file, line, column, length, lineText } = location;
  const before = Buffer.from(lineText).subarray(0, column).toString("utf8");
  const start = { line, column: [...before].length + 1, byte: column };
  const end = { line, column: start.column + Math.max(1, length), byte: column + length };
  return errorDiagnostic(summary, detail, { subject: { filename: file, start, end } });
}

// What is said of esbuild's own options is of no use to those who do not call it.
function isForUsers(note: string): boolean {
  return !note.includes("exclude it from the bundle");
}

/** Whether esbuild threw because of what it read. */
export function isCompileFailure(error: unknown): error is BuildFailure {
  return error instanceof Error && "errors" in error && Array.isArray(error.errors);
}
