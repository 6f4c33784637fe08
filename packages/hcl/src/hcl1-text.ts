import type { Character } from "@millwright/text/quote";
import { joinCharacters } from "@millwright/text/quote";
import type { TellFault } from "./hcl1-scanner.ts";

/**
 * What a quoted string of HCL 1 stands for. Escapes are Go's; what stands in `${…}` is kept as it is, as HCL 1 has no
 * expressions and leaves these to the program that reads it.
 */
export function hcl1StringValue(text: string, start: number, end: number, tell: TellFault): string {
  const inner = text.slice(start + 1, end - 1);
  if (!inner.includes("\\") && !inner.includes("\r")) return inner;
  const value: Character[] = [];
  let i = start + 1;
  while (i < end - 1) {
    if (text.startsWith("${", i)) {
      const close = interpolationEnd(text, i + 2, end - 1);
      value.push(text.slice(i, close));
      i = close;
    } else if (text[i] === "\\") {
      const [character, next] = readEscape(text, i, end - 1);
      if (next === undefined) {
        const detail =
          'The escapes are \\n, \\r, \\t, \\a, \\b, \\f, \\v, \\", \\\\, \\123, \\x41, \\u00e9 and \\U0001f600; write \\\\ for a backslash.';
        tell("Invalid escape sequence", detail, i, Math.min(i + 2, end - 1));
      }
      value.push(character);
      i = next ?? i + 1;
    } else value.push(text[i++]!);
  }
  return joinCharacters(value).replaceAll("\r\n", "\n");
}

/**
 * The text of a heredoc token, from `<<` to behind the newline after its closing name. With `<<-` the space before the
 * closing name is taken off all lines, if all have it.
 */
export function hcl1HeredocValue(token: string): string {
  const text = token.replaceAll("\r\n", "\n");
  const body = text.indexOf("\n") + 1;
  const isIndented = text[2] === "-";
  const marker = text.slice(isIndented ? 3 : 2, body - 1);
  const content = text.slice(body, text.lastIndexOf(marker));
  // Without `-` the space before the closing name counts as text.
  if (!isIndented) return content;
  const lines = content.split("\n");
  const indentation = lines.at(-1)!;
  if (!lines.every((line) => line.startsWith(indentation))) return content.replace(/[ \t]+$/, "");
  return lines.map((line) => line.slice(indentation.length)).join("\n");
}

/** The offset behind the brace that closes an interpolation. */
function interpolationEnd(text: string, start: number, end: number): number {
  let braces = 1;
  let i = start;
  for (; i < end && braces > 0; i++) {
    if (text[i] === "{") braces++;
    else if (text[i] === "}") braces--;
  }
  return i;
}

const simpleEscapes: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
  '"': '"',
};

const codedEscape = /\\(?:([0-7]{3})|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))/y;

/** What an escape stands for and the offset behind it; no offset where there is no such escape. */
function readEscape(text: string, start: number, end: number): [character: Character, next: number | undefined] {
  const simple = simpleEscapes[text[start + 1] ?? ""];
  if (simple !== undefined && start + 1 < end) return [simple, start + 2];
  codedEscape.lastIndex = start;
  const found = codedEscape.exec(text);
  const next = codedEscape.lastIndex;
  if (!found || next > end) return ["\\", undefined];
  const [, octal, byte, short, long] = found;
  if (byte !== undefined) return [Number.parseInt(byte, 16), next];
  if (octal !== undefined) return octal > "377" ? ["\\", undefined] : [Number.parseInt(octal, 8), next];
  const code = Number.parseInt((short ?? long)!, 16);
  if (code > 0x10ffff) return ["\\", undefined];
  return [code >= 0xd800 && code <= 0xdfff ? "\ufffd" : String.fromCodePoint(code), next];
}
