import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * An expression and what `terraform console` answers to it. `answer` are the lines it prints, or, for an error, lines that
 * begin with `! `: the summary, then the detail with its line breaks made spaces. Where ours answers something else on
 * purpose, that is `ours` (with `…` for what is left to us), and a comment before the case says why.
 */
export interface ConsoleCase {
  readonly expression: string;
  readonly answer: readonly string[];
  readonly ours?: readonly string[];
  /** The line of the expression in its file, from 1. */
  readonly line: number;
}

/** A file of cases: comments and blank lines are kept, so that the file can be written again with other answers. */
export interface CaseFile {
  readonly path: string;
  readonly name: string;
  /** Comments and cases in source order. */
  readonly items: readonly (ConsoleCase | { readonly comment: string })[];
}

/** The case files (`*.txt`) of a folder, by name. */
export function caseFilesIn(folder: string): CaseFile[] {
  const names = readdirSync(folder).filter((name) => name.endsWith(".txt"));
  return names.sort().map((name) => {
    const path = join(folder, name);
    return { path, name: name.replace(/\.txt$/, ""), items: parseCases(readFileSync(path, "utf8")) };
  });
}

export function casesOf(file: CaseFile): ConsoleCase[] {
  return file.items.filter((item) => "expression" in item);
}

/**
 * Reads cases: `> ` begins an expression, the lines behind it are its answer, those with `~ ` before them are what ours
 * answers instead, `# ` at the start of a line begins a comment. Blank lines at the end of an answer do not belong to it.
 */
export function parseCases(text: string): CaseFile["items"] {
  const items: (ConsoleCase | { comment: string })[] = [];
  let current: { expression: string; answer: string[]; ours?: string[]; line: number } | undefined;
  const finish = () => {
    while (current && current.answer.at(-1) === "") current.answer.pop();
    current = undefined;
  };
  for (const [index, line] of text.split("\n").entries()) {
    if (line.startsWith("> ")) {
      finish();
      current = { expression: line.slice(2), answer: [], line: index + 1 };
      items.push(current);
    } else if (line.startsWith("# ")) {
      finish();
      items.push({ comment: line });
    } else if (current && line.startsWith("~ ")) {
      current.ours ??= [];
      current.ours.push(line.slice(2));
    } else if (current) current.answer.push(line);
    else if (line !== "") throw new Error(`line ${index + 1} stands before any expression: ${line}`);
  }
  finish();
  return items;
}

/** The text of a case file; `parseCases` gives the same items again. */
export function formatCases(items: CaseFile["items"]): string {
  const blocks = items.map((item) => {
    if ("comment" in item) return `${item.comment}\n`;
    for (const line of item.answer) {
      if (/^[>#~] /.test(line)) throw new Error(`an answer must not hold the line ${line}`);
    }
    const ours = (item.ours ?? []).map((line) => `~ ${line}`);
    return `${[`> ${item.expression}`, ...item.answer, ...ours].join("\n")}\n`;
  });
  return blocks.join("\n");
}

export function writeCases(file: CaseFile): void {
  writeFileSync(file.path, formatCases(file.items));
}

/** Whether an answer is as wanted; a wanted line that ends in `…` stands for every line that begins so. */
export function answersAs(answer: readonly string[], wanted: readonly string[]): boolean {
  return (
    answer.length === wanted.length &&
    answer.every((line, i) => {
      const want = wanted[i]!;
      return want.endsWith("…") ? line.startsWith(want.slice(0, -1)) : line === want;
    })
  );
}

/** The lines of an answer that is a value. A carriage return is shown as `␍`: no tool is to take it for a line break. */
export function valueAnswer(text: string): string[] {
  return text.replaceAll("\r", "␍").split("\n");
}

/** The lines of an answer that is an error. */
export function errorAnswer(summary: string, detail: string): string[] {
  const lines = [`! ${oneLine(summary)}`];
  if (detail !== "") lines.push(`! ${oneLine(detail)}`);
  return lines;
}

/** A text whose line breaks depend on the width of a terminal, made comparable. */
export function oneLine(text: string): string {
  return text.trim().split(/\s+/).join(" ");
}
