import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./commands.ts";

/** A fenced block of commands in a page. */
export interface CommandBlock {
  /** Such as `README.md:12`, the line of its fence. */
  readonly place: string;
  /** Whether it is carried out as it stands (```sh run). */
  readonly runs: boolean;
  readonly lines: readonly string[];
}

/** What is carried out at once, and what it has to print, if the page says so. */
export interface Step {
  readonly text: string;
  readonly output?: readonly string[];
}

export interface Page {
  /** From the root. */
  readonly path: string;
  readonly blocks: readonly CommandBlock[];
  /** Commands of the program that the prose names. */
  readonly named: readonly string[];
}

/** README.md, and every page below docs and examples and beside it. */
export function readPages(): readonly Page[] {
  const below = ["docs", "examples", "bench"].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).map((name) => join(folder, name)),
  );
  return ["README.md", "CONTRIBUTING.md", ...below].filter((path) => path.endsWith(".md")).map(readPage);
}

function readPage(path: string): Page {
  const blocks: { place: string; runs: boolean; lines: string[] }[] = [];
  let [open, isCommands, prose] = [false, false, ""];
  for (const [at, line] of readFileSync(join(root, path), "utf8").split("\n").entries()) {
    const fence = /^```(.*)$/.exec(line);
    if (fence) {
      open = !open;
      isCommands = open && /^(sh|console)\b/.test(fence[1]!);
      if (isCommands) blocks.push({ place: `${path}:${at + 1}`, runs: /^sh run\b/.test(fence[1]!), lines: [] });
    } else if (isCommands) blocks.at(-1)!.lines.push(line);
    else if (!open) prose += `${line}\n`;
  }
  const named = [...prose.matchAll(/`(millwright [^`]+)`/g)].map(([, text]) => text!);
  return { path, blocks, named };
}

/** The block as steps: one a line that begins with `$`, with what it prints below it; else the whole block is one. */
export function stepsOf({ lines }: CommandBlock): readonly Step[] {
  if (!lines.some((line) => line.startsWith("$ "))) return [{ text: lines.join("\n") }];
  const steps: { text: string; output: string[] }[] = [];
  for (const line of lines)
    if (line.startsWith("$ ")) steps.push({ text: line.slice(2), output: [] });
    else steps.at(-1)?.output.push(line);
  return steps;
}

/** Whether a text is what a page shows: `...` (or `…`) stands for anything, alone on a line for any lines. */
export function isAsShown(text: string, shown: readonly string[]): boolean {
  const line = (one: string) =>
    one
      .trimEnd()
      .split(/\.\.\.|…/)
      .map(literally)
      .join(".*");
  const pattern = shown.map((one) => (/^\s*(\.\.\.|…)\s*$/.test(one) ? "(?:.*\n)*?" : `${line(one)}[ \t]*\n`)).join("");
  return new RegExp(`^\\s*${pattern}\\s*$`).test(`${text.trim()}\n`);
}

function literally(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}

/** A command line of the program: its words, and the names of its flags. */
export interface CommandLine {
  readonly program: string;
  readonly words: readonly string[];
  readonly flags: readonly string[];
}

/** The command lines of `programs` in a shell's text; comments, assignments, redirections and here-documents are left out. */
export function commandLines(text: string, programs: readonly string[]): readonly CommandLine[] {
  const plain = text.replace(/<<-?\s*(['"]?)(\w+)\1[^\n]*\n[^]*?\n\2(?=\n|$)/g, "").replace(/\\\n/g, " ");
  return plain.split(/\n|&&|\|\||[|;&]/).flatMap((part) => {
    const words = (part.replace(/(^|\s)#.*$/, "").match(/(?:[^\s"']|"[^"]*"|'[^']*')+/g) ?? []).filter(
      (word, at, all) => word !== "$" && !/^[<>]|^…$|^\.\.\.$/.test(word) && !/^[<>]+$/.test(all[at - 1] ?? ""),
    );
    while (words[0] !== undefined && /^\w+=/.test(words[0])) words.shift();
    const [program, ...rest] = words;
    if (program === undefined || !programs.includes(program)) return [];
    const flags = rest
      .filter((word) => /^--?[a-z]/.test(word))
      .map((word) => word.replace(/^-+/, "").replace(/=.*$/s, ""));
    return [{ program, words: rest.filter((word) => !word.startsWith("-")), flags }];
  });
}
