/** Where text in quotes begins, how far its further lines are indented, and behind what column it may be broken. */
export interface Layout {
  readonly column: number;
  readonly indent: number;
  readonly width: number;
}

/**
 * The text in double quotes. Lines are broken at single blanks behind `width`; a further blank at the start of a line is
 * escaped.
 */
export function doubleQuoted(text: string, { column, indent, width }: Layout): string {
  const characters = [...text];
  let result = '"';
  let at = column + 1;
  let behindSpace = false;
  for (const [i, character] of characters.entries()) {
    if (character !== " ") {
      const written = isPlainCharacter(character) ? character : escaped(character);
      result += written;
      at += written.length === character.length ? 1 : written.length;
      behindSpace = false;
      continue;
    }
    const isInside = i > 0 && i < characters.length - 1;
    if (!behindSpace && at > width && isInside) {
      const isKept = characters[i + 1] === " ";
      result += `\n${" ".repeat(indent)}${isKept ? "\\" : ""}`;
      at = indent + (isKept ? 1 : 0);
    } else {
      result += " ";
      at++;
    }
    behindSpace = true;
  }
  return `${result}"`;
}

/**
 * The text as a literal block from its `|` on, without the last line break; undefined where a block cannot hold it: blanks
 * before a line break or at the end, and characters that have to be escaped.
 */
export function literalBlock(text: string, indent: number): string | undefined {
  if (/ $| [\n\u2028\u2029]/.test(text)) return undefined;
  for (const character of text) {
    if (!/[\n\u2028\u2029]/.test(character) && !isPrintable(character)) return undefined;
  }
  const hint = /^[ \n\u2028\u2029]/.test(text) ? "2" : "";
  const chomp = !text.endsWith("\n") ? "-" : /(?:^|[\n\u2028\u2029])\n$/.test(text) ? "+" : "";
  const margin = " ".repeat(indent);
  const lines = text.replace(/(?<=^|[\n\u2028\u2029])(?=[^\n\u2028\u2029])/g, margin);
  return `|${hint}${chomp}\n${lines.replace(/\n$/, "")}`;
}

/** As libyaml has it: nothing beyond the basic plane. */
function isPrintable(character: string): boolean {
  return /^[ -~\u00a0-\ud7ff\ue000-\ufefe\uff00-\ufffd]$/.test(character);
}

function isPlainCharacter(character: string): boolean {
  return isPrintable(character) && !/["\\\u2028\u2029]/.test(character);
}

const escapes: ReadonlyMap<string, string> = new Map([
  ["\0", "\\0"],
  ["\x07", "\\a"],
  ["\b", "\\b"],
  ["\t", "\\t"],
  ["\n", "\\n"],
  ["\v", "\\v"],
  ["\f", "\\f"],
  ["\r", "\\r"],
  ["\x1b", "\\e"],
  ['"', '\\"'],
  ["\\", "\\\\"],
  ["\u0085", "\\N"],
  ["\u00a0", "\\_"],
  ["\u2028", "\\L"],
  ["\u2029", "\\P"],
]);

function escaped(character: string): string {
  const short = escapes.get(character);
  if (short !== undefined) return short;
  const code = character.codePointAt(0)!;
  const hex = code.toString(16).toUpperCase();
  if (code <= 0xff) return `\\x${hex.padStart(2, "0")}`;
  return code <= 0xffff ? `\\u${hex.padStart(4, "0")}` : `\\U${hex.padStart(8, "0")}`;
}
