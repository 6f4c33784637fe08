import { readFileSync } from "node:fs";
import type { Diagnostic } from "@millwright/core/diagnostics";
import type { SourceRange } from "@millwright/core/source";
import type { View } from "../io.ts";
import { styleOf, wrapText } from "./style.ts";

/** Gives the text of a source file for snippets; undefined where it cannot be had. */
export type SourceText = (filename: string) => string | undefined;

/** Reads sources from disk, each once. `folder` is what relative names are relative to. */
export function sourcesIn(folder: string): SourceText {
  const texts = new Map<string, string | undefined>();
  return (filename) => {
    if (!texts.has(filename))
      texts.set(filename, readText(filename.startsWith("/") ? filename : `${folder}/${filename}`));
    return texts.get(filename);
  };
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/** A diagnostic as a block for people: what, where (with the source line and a mark under the place), why, what to do. */
export function renderDiagnostic(diagnostic: Diagnostic, view: View, sources: SourceText = () => undefined): string {
  const style = styleOf(view);
  const paint = diagnostic.severity === "error" ? style.red : style.yellow;
  const word = diagnostic.severity === "error" ? "Error" : "Warning";
  const lines = [`${paint(style.bold(`${word}: `))}${style.bold(diagnostic.summary)}`, ""];
  const place = placeLines(diagnostic, view, sources);
  if (place.length > 0) lines.push(...place, "");
  if (diagnostic.detail !== "") lines.push(...wrapText(diagnostic.detail, view.width - 2));
  while (lines.at(-1) === "") lines.pop();
  const bar = paint("│");
  return [paint("╷"), ...lines.map((line) => (line === "" ? bar : `${bar} ${line}`)), paint("╵"), ""].join("\n");
}

function placeLines(diagnostic: Diagnostic, view: View, sources: SourceText): string[] {
  const { subject, address } = diagnostic;
  const style = styleOf(view);
  if (!subject) return address === undefined ? [] : [`  with ${style.bold(address)}`];
  const lines = address === undefined ? [] : [`  with ${style.bold(address)},`];
  const text = sources(subject.filename);
  const context = text === undefined ? undefined : headerAround(text, subject);
  lines.push(`  on ${subject.filename} line ${subject.start.line}${context === undefined ? "" : `, in ${context}`}:`);
  if (text !== undefined) lines.push(...snippet(text, subject, view));
  for (const value of diagnostic.expressionValues ?? []) lines.push(`    ${style.dim("├ ")}${value}`);
  return lines;
}

function snippet(text: string, range: SourceRange, view: View): string[] {
  const style = styleOf(view);
  const all = text.split("\n");
  const first = range.start.line;
  const last = Math.min(range.end.line, first + 4, all.length);
  const lines: string[] = [];
  for (let number = first; number <= last; number++) {
    const line = (all[number - 1] ?? "").replace(/\r$/, "");
    const from = number === first ? range.start.column : 1;
    const to = number === range.end.line ? range.end.column : [...line].length + 1;
    const gutter = `${String(number).padStart(4)}: `;
    lines.push(`${gutter}${line}`);
    // The mark stands under the place, tabs kept so that it lines up.
    const before = [...line]
      .slice(0, from - 1)
      .map((c) => (c === "\t" ? "\t" : " "))
      .join("");
    const marks = "^".repeat(Math.max(1, Math.min(to - from, view.width - gutter.length - before.length)));
    if (number === first) lines.push(`${" ".repeat(gutter.length)}${before}${style.red(marks)}`);
  }
  return lines;
}

// The header of the outermost block around a line: the last line before it that begins a block at the left margin.
function headerAround(text: string, range: SourceRange): string | undefined {
  const lines = text.split("\n");
  for (let i = Math.min(range.start.line, lines.length) - 1; i >= 0; i--) {
    const line = lines[i]!;
    if (i < range.start.line - 1 && line.startsWith("}")) return undefined;
    const match = /^([A-Za-z_][\w-]*(?:\s+(?:"[^"]*"|[\w-]+))*)\s*\{/.exec(line);
    if (match) return i === range.start.line - 1 ? undefined : match[1];
  }
  return undefined;
}

/** All diagnostics, warnings first as they came, errors last. `compact` gives warnings a line each. */
export function renderDiagnostics(
  diagnostics: readonly Diagnostic[],
  view: View,
  sources: SourceText,
  compact: boolean,
): string {
  const warnings = diagnostics.filter((d) => d.severity === "warning");
  const errors = diagnostics.filter((d) => d.severity === "error");
  const parts: string[] = [];
  if (compact && warnings.length > 0) {
    const style = styleOf(view);
    parts.push(`${style.yellow(style.bold("Warnings:"))}\n\n`);
    for (const { summary, subject } of warnings) {
      parts.push(`- ${summary}\n${subject ? `  on ${subject.filename} line ${subject.start.line}\n` : ""}`);
    }
    parts.push("\nTo see the full warning notes, run without -compact-warnings.\n\n");
  } else parts.push(...warnings.map((d) => renderDiagnostic(d, view, sources)));
  parts.push(...errors.map((d) => renderDiagnostic(d, view, sources)));
  return parts.join("");
}
