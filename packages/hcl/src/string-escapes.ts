import type { Cursor } from "./cursor.ts";

/**
 * What a `quotedText` token stands for: its escapes resolved (native syntax specification, "Quoted and Heredoc
 * Templates"). A bad escape is said at its place and stays in the text as it is.
 */
export function quotedValue(cursor: Cursor, start: number, end: number): string {
  const { text } = cursor.file;
  const first = text.charCodeAt(start);
  if (first === 0x24 || first === 0x25) return templateTextValue(text.slice(start, end));
  const raw = text.slice(start, end);
  let backslash = raw.indexOf("\\");
  if (backslash < 0) return raw;
  let value = "";
  let from = 0;
  while (backslash >= 0) {
    value += raw.slice(from, backslash);
    const escape = readEscape(cursor, start + backslash, end);
    value += escape.value;
    from = escape.end - start;
    backslash = raw.indexOf("\\", from);
  }
  return value + raw.slice(from);
}

/** What a `templateText` token stands for: `$${` and `%%{` are the escapes of `${` and `%{`; a backslash is itself. */
export function templateTextValue(text: string): string {
  return text.startsWith("$${") || text.startsWith("%%{") ? text.slice(1) : text;
}

interface Escape {
  readonly value: string;
  readonly end: number;
}

function readEscape(cursor: Cursor, start: number, tokenEnd: number): Escape {
  const { text } = cursor.file;
  const selector = String.fromCodePoint(text.codePointAt(start + 1)!);
  const end = start + 1 + selector.length;
  switch (selector) {
    case "n":
      return { value: "\n", end };
    case "r":
      return { value: "\r", end };
    case "t":
      return { value: "\t", end };
    case '"':
    case "\\":
      return { value: selector, end };
    case "u":
      return readUnicode(cursor, start, tokenEnd, 4);
    case "U":
      return readUnicode(cursor, start, tokenEnd, 8);
    default: {
      const detail = `There is no escape \\${selector}. The escapes are \\n, \\r, \\t, \\", \\\\, \\uNNNN and \\UNNNNNNNN; write \\\\ for a backslash.`;
      cursor.error("Invalid escape sequence", detail, { start, end });
      return { value: selector, end };
    }
  }
}

function readUnicode(cursor: Cursor, start: number, tokenEnd: number, digits: 4 | 8): Escape {
  const { text } = cursor.file;
  let end = start + 2;
  while (end < tokenEnd && end < start + 2 + digits && isHexDigit(text.charCodeAt(end))) end++;
  const written = text.slice(start, end);
  if (end < start + 2 + digits) {
    const count = digits === 4 ? "four" : "eight";
    const detail = `The escape ${written.slice(0, 2)} takes exactly ${count} hexadecimal digits.`;
    cursor.error("Invalid escape sequence", detail, { start, end });
    return { value: written, end };
  }
  const codePoint = Number.parseInt(written.slice(2), 16);
  if (codePoint > 0x10ffff || (codePoint >= 0xd800 && codePoint <= 0xdfff)) {
    const detail = `U+${codePoint.toString(16).padStart(4, "0")} is no character: the escape takes a Unicode code point up to 10ffff that is not a surrogate.`;
    cursor.error("Invalid escape sequence", detail, { start, end });
    return { value: written, end };
  }
  return { value: String.fromCodePoint(codePoint), end };
}

function isHexDigit(c: number): boolean {
  return (c >= 0x30 && c <= 0x39) || (c >= 0x61 && c <= 0x66) || (c >= 0x41 && c <= 0x46);
}
