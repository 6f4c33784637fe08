import { align } from "./align.ts";
import type { Style } from "./style.ts";

/** What happens to one line: made, gone, changed, or as it was. */
export type Symbol = "+" | "-" | "~" | " " | "-/+" | "+/-" | "./+" | "<=" | ".";

/** What all parts of one object's diff share. */
export interface DiffContext {
  readonly style: Style;
  /** Paths that force a replacement, as `formatPath` prints them. */
  readonly forces: ReadonlySet<string>;
  /** Shows what does not change as well: an object as it is. */
  readonly everything?: true;
}

/** One line of a diff: its depth below the resource, what happens to it, and its text. */
export interface DiffLine {
  readonly depth: number;
  readonly symbol: Symbol;
  readonly text: string;
  /** Set for a closing bracket, which stands under the text of its opening line. */
  readonly closing?: true;
}

/** What becomes of one value: `head` follows its name, `body` are the lines below it, of which the last one closes it. */
export interface Shown {
  readonly symbol: Symbol;
  readonly head: string;
  readonly body: readonly DiffLine[];
}

/** A name with what becomes of its value. */
export interface Entry extends Shown {
  readonly name: string;
}

export const blankLine: DiffLine = { depth: 0, symbol: " ", text: "" };

export function noteLine(depth: number, text: string): DiffLine {
  return { depth, symbol: " ", text: `# ${text}` };
}

/** How many of something were left out, as a line; no line for none. */
export function hiddenLines(depth: number, count: number, noun: string): DiffLine[] {
  return count === 0 ? [] : [noteLine(depth, `(${count} unchanged ${noun}${count === 1 ? "" : "s"} hidden)`)];
}

export function closingLine(depth: number, text: string): DiffLine {
  return { depth, symbol: " ", text, closing: true };
}

/** `text` behind the last line of what is shown. */
export function withTail(shown: Shown, text: string): Shown {
  const last = shown.body.at(-1);
  if (!last) return { ...shown, head: `${shown.head}${text}` };
  return { ...shown, body: [...shown.body.slice(0, -1), { ...last, text: `${last.text}${text}` }] };
}

/** One thing that becomes another: the second stands behind an arrow where the first ends. */
export function arrow(before: Shown, after: Shown, style: Style): Shown {
  const first = withTail(before, ` ${style.yellow("->")} ${after.head}`);
  return { symbol: "~", head: first.head, body: [...first.body, ...after.body] };
}

/** Lines of `name = value`, with the equals signs under each other. */
export function entryLines(entries: readonly Entry[], depth: number): DiffLine[] {
  const names = align(entries.map((entry) => entry.name));
  return entries.flatMap(({ symbol, head, body }, i) => [{ depth, symbol, text: `${names[i]!} = ${head}` }, ...body]);
}

/** A symbol in its colour. */
export function paint(symbol: Symbol, style: Style): string {
  switch (symbol) {
    case "+":
      return style.green("+");
    case "-":
      return style.red("-");
    case "~":
      return style.yellow("~");
    case "-/+":
      return `${style.red("-")}/${style.green("+")}`;
    case "+/-":
      return `${style.green("+")}/${style.red("-")}`;
    case "./+":
      return `./${style.green("+")}`;
    case "<=":
      return style.cyan("<=");
    case " ":
    case ".":
      return symbol;
  }
}

/** A line of a diff with its indentation. */
export function lineText({ depth, symbol, text, closing }: DiffLine, style: Style): string {
  if (text === "" && symbol === " ") return "";
  if (closing) return `${" ".repeat(4 * depth + 4)}${text}`;
  const painted = text.startsWith("# (") && symbol === " " ? style.dim(text) : text;
  return `${" ".repeat(4 * depth + 2)}${paint(symbol, style)} ${painted}`.trimEnd();
}
