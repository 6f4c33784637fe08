import { readFileSync } from "node:fs";
import type { Diagnostic } from "@millwright/core/diagnostics";
import type { SourceRange } from "@millwright/core/source";
import type { Scope } from "../src/scope.ts";
import type { VariableNote } from "./language-scope.ts";
import { scopeOf } from "./language-scope.ts";

/** A file of `testdata/`, parsed. What is in it is trusted to be as the test that reads it says. */
export function golden<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../testdata/${name}`, import.meta.url), "utf8")) as T;
}

/** The scope that all tables of the language share. */
export function goldenScope(): Scope {
  return scopeOf(golden<{ scope: Readonly<Record<string, VariableNote>> }>("expressions.json").scope);
}

/** A diagnostic without its words: summary, subject and context. */
export function placeText({ summary, subject, context }: Diagnostic): string {
  const range = ({ start, end }: SourceRange) => `${start.line},${start.column}-${end.line},${end.column}`;
  return `${summary} (${subject ? range(subject) : "-"}${context ? ` in ${range(context)}` : ""})`;
}
