import { readFileSync } from "node:fs";
import type { Diagnostic } from "@millwright/core/diagnostics";
import type { SourceRange } from "@millwright/core/source";
import type { View } from "../io.ts";
import { maskedSource } from "@millwright/sources/module-source";
import { graphemes } from "@millwright/text/graphemes";
import { jsonPathAround } from "./json-path.ts";
import { escapeControls } from "./literal.ts";
import type { Style } from "./style.ts";
import { styleOf, wrapText } from "./style.ts";
import { displayWidth } from "./width.ts";

/** Gives the text of a source file for snippets; undefined where it cannot be had. */
export type SourceText = (filename: string) => string | undefined;

/**
 * Reads sources from disk, each once. `folder` is what relative names are relative to. Logins and keys in the addresses of modules
 * are starred out.
 */
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
    return readFileSync(path, "utf8").replaceAll(/\bsource"?\s*[=:]\s*"[^"\n]*/g, maskedSource);
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
  // What servers and programs say is theirs, and no command to the terminal.
  const detail = diagnostic.detail.split(/\r?\n/).map(escapeControls).join("\n");
  if (detail !== "") lines.push(...wrapText(detail, view.width - 2));
  while (lines.at(-1) === "") lines.pop();
  const bar = paint("│");
  return [paint("╷"), ...lines.map((line) => (line === "" ? bar : `${bar} ${line}`)), paint("╵"), ""].join("\n");
}

function placeLines(diagnostic: Diagnostic, view: View, sources: SourceText): string[] {
  const { subject, address } = diagnostic;
  const style = styleOf(view);
  const values = (diagnostic.expressionValues ?? []).map((value) => `    ${style.dim("├ ")}${escapeControls(value)}`);
  if (!subject) return [...(address === undefined ? [] : [`  with ${style.bold(address)}`]), ...values];
  const lines = address === undefined ? [] : [`  with ${style.bold(address)},`];
  const text = sources(subject.filename);
  // A stack has no blocks with headers.
  const hasHeaders = text !== undefined && !subject.filename.endsWith(".ts");
  const context = hasHeaders ? headerAround(text, subject) : undefined;
  lines.push(`  on ${subject.filename} line ${subject.start.line}${context === undefined ? "" : `, in ${context}`}:`);
  if (text !== undefined) lines.push(...snippetLines(text, subject, view));
  return [...lines, ...values];
}

/** At most this many lines of a long piece of source are shown. */
const mostLines = 5;

function snippetLines(text: string, range: SourceRange, view: View): string[] {
  const style = styleOf(view);
  const all = text.split("\n");
  const first = range.start.line;
  const end = Math.min(Math.max(first, lastLine(range)), all.length);
  const last = Math.min(end, first + mostLines - 1);
  const lines: string[] = [];
  for (let number = first; number <= last; number++) {
    const line = (all[number - 1] ?? "").replace(/\r$/, "");
    const gutter = `${String(number).padStart(4)}: `;
    lines.push(`${gutter}${escapeControls(line)}`);
    if (number === first) lines.push(`${" ".repeat(gutter.length)}${marksUnder(line, range, style)}`);
  }
  if (end > last) lines.push(style.dim(`      ... up to line ${end}`));
  return lines;
}

// A range that ends before the first character of a line ends on the line above it.
function lastLine({ start, end }: SourceRange): number {
  return end.column === 1 && end.line > start.line ? end.line - 1 : end.line;
}

// The marks stand under the place as a terminal shows it: tabs are kept, wide characters count twice.
function marksUnder(line: string, { start, end }: SourceRange, style: Style): string {
  const clusters = graphemes(line);
  const before = clusters.slice(0, start.column - 1).map((c) => (c === "\t" ? c : " ".repeat(displayWidth(c))));
  const marked = clusters.slice(start.column - 1, end.line === start.line ? end.column - 1 : undefined).join("");
  return `${before.join("")}${style.red("^".repeat(Math.max(1, displayWidth(marked.trimEnd()))))}`;
}

/** The header of the outermost block around a place, as it is written, or in JSON the way to it; undefined outside of both. */
export function headerAround(text: string, range: SourceRange): string | undefined {
  if (range.filename.endsWith(".json")) return jsonPathAround(text, range);
  const lines = text.split("\n");
  const own = Math.min(range.start.line, lines.length) - 1;
  for (let i = own; i >= 0; i--) {
    const line = lines[i]!;
    if (i < own && line.startsWith("}")) return undefined;
    const match = /^([A-Za-z_][\w-]*(?:\s+(?:"[^"]*"|[\w-]+))*)\s*\{/.exec(line);
    if (!match) continue;
    // What is wrong with the block as a whole is not inside of it.
    if (i === own) return range.start.column === 1 ? undefined : match[1];
    return line.trimEnd().endsWith("}") ? undefined : match[1];
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
  if (compact && warnings.length > 0) parts.push(compactWarnings(warnings, view));
  else parts.push(...warnings.map((d) => renderDiagnostic(d, view, sources)));
  parts.push(...errors.map((d) => renderDiagnostic(d, view, sources)));
  return parts.join("");
}

function compactWarnings(warnings: readonly Diagnostic[], view: View): string {
  const style = styleOf(view);
  const places = new Map<string, string[]>();
  for (const { summary, subject } of warnings) {
    const known = places.get(summary) ?? [];
    places.set(summary, subject ? [...known, `  on ${subject.filename} line ${subject.start.line}`] : known);
  }
  const items = [...places].map(([summary, on]) => [`- ${summary}`, ...on].map((line) => `${line}\n`).join(""));
  const head = `${style.yellow(style.bold("Warnings:"))}\n\n`;
  return `${head}${items.join("")}\nTo see the full warnings, run this again without -compact-warnings.\n`;
}
