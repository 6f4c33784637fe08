/** Whether Go shows the character as it is in a quoted string: letters, marks, numbers, punctuation, symbols and the ASCII space. */
export function isPrintable(character: string): boolean {
  return character === " " || /^[\p{L}\p{M}\p{N}\p{P}\p{S}]$/u.test(character);
}

/** `text` as a Go string literal in double quotes (Go's `strconv.Quote`). */
export function quote(text: string): string {
  return `"${escape(text, '"', isPrintable)}"`;
}

/** As {@link quote}, with everything outside ASCII escaped (Go's `strconv.QuoteToASCII`). */
export function quoteToAscii(text: string): string {
  return `"${escape(text, '"', isPrintableAscii)}"`;
}

/** One character as a Go rune literal in single quotes (Go's `strconv.QuoteRune`). */
export function quoteCharacter(character: string): string {
  return `'${escape(character, "'", isPrintable)}'`;
}

/** As {@link quoteCharacter}, with everything outside ASCII escaped. */
export function quoteCharacterToAscii(character: string): string {
  return `'${escape(character, "'", isPrintableAscii)}'`;
}

/** Whether a Go raw string literal in backquotes can hold `text` (Go's `strconv.CanBackquote`). */
export function canBackquote(text: string): boolean {
  return !/[\u0000-\u0008\u000a-\u001f`\u007f\ufeff]|\p{Surrogate}/u.test(text);
}

/** In quotes as Go's package time has them: bytes outside printable ASCII in hexadecimal. */
export function quoteBytes(text: string): string {
  let result = "";
  for (const character of text) {
    if (character === '"' || character === "\\") result += `\\${character}`;
    else if (character >= " " && character <= "~") result += character;
    else for (const byte of new TextEncoder().encode(character)) result += `\\x${byte.toString(16).padStart(2, "0")}`;
  }
  return `"${result}"`;
}

/**
 * The text that a Go string or character literal stands for (Go's `strconv.Unquote`): `"…"`, `` `…` ``, or one character
 * in single quotes. Undefined where it is no such literal (Go says `invalid syntax`). Bytes written as `\xff` that make no
 * UTF-8 become U+FFFD, as a JavaScript string cannot hold them.
 */
export function unquote(literal: string): string | undefined {
  const delimiter = literal[0];
  if (literal.length < 2 || delimiter !== literal.at(-1)) return undefined;
  const inner = literal.slice(1, -1);
  if (delimiter === "`") return inner.includes("`") ? undefined : inner.replaceAll("\r", "");
  if (delimiter !== '"' && delimiter !== "'") return undefined;
  const characters = unescape(inner, delimiter);
  // Go takes two single quotes with nothing between as the empty string.
  if (characters === undefined || (delimiter === "'" && characters.length > 1)) return undefined;
  return joinCharacters(characters);
}

/**
 * `text` between the quotes of an HCL string, so that it is read as exactly this text: escapes as the reference writes
 * them, and template sequences doubled (`$${`, `%%{`).
 */
export function escapeHcl(text: string): string {
  return text.replace(/[$%]\{|[\\"]|[^ \p{L}\p{M}\p{N}\p{P}\p{S}]/gu, (found) => {
    if (found.length === 2 && found[1] === "{") return found[0] + found;
    return hclEscapes.get(found) ?? escapeByCode(found);
  });
}

/** `text` as a quoted HCL string literal, with {@link escapeHcl}. */
export function quoteHcl(text: string): string {
  return `"${escapeHcl(text)}"`;
}

const hclEscapes: ReadonlyMap<string, string> = new Map([
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
  ['"', '\\"'],
  ["\\", "\\\\"],
]);

const goEscapes: ReadonlyMap<string, string> = new Map([
  ["\x07", "\\a"],
  ["\b", "\\b"],
  ["\f", "\\f"],
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
  ["\v", "\\v"],
  ["\\", "\\\\"],
]);

function isPrintableAscii(character: string): boolean {
  return character >= " " && character <= "~";
}

function escape(text: string, delimiter: string, isShown: (character: string) => boolean): string {
  let result = "";
  for (const character of text) {
    if (character === delimiter) result += `\\${delimiter}`;
    else result += goEscapes.get(character) ?? (isShown(character) ? character : escapeGoByCode(character));
  }
  return result;
}

function escapeGoByCode(character: string): string {
  const code = character.codePointAt(0)!;
  return code < 0x20 || code === 0x7f ? `\\x${hex(code, 2)}` : escapeByCode(character);
}

function escapeByCode(character: string): string {
  const code = character.codePointAt(0)!;
  if (code >= 0xd800 && code <= 0xdfff) return "\\ufffd";
  return code < 0x10000 ? `\\u${hex(code, 4)}` : `\\U${hex(code, 8)}`;
}

function hex(code: number, width: number): string {
  return code.toString(16).padStart(width, "0");
}

/** A character, or a byte that only makes one together with its neighbours. */
export type Character = string | number;

const simpleEscapes: ReadonlyMap<string, string> = new Map(
  [...goEscapes].map(([character, escaped]) => [escaped[1]!, character]),
);

const escapeForm = /\\(?:([0-7]{3})|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([abfnrtv\\'"]))/y;

function unescape(inner: string, delimiter: string): Character[] | undefined {
  const characters: Character[] = [];
  for (let i = 0; i < inner.length; ) {
    const plain = String.fromCodePoint(inner.codePointAt(i)!);
    if (plain === delimiter || plain === "\n") return undefined;
    if (plain !== "\\") {
      characters.push(plain);
      i += plain.length;
      continue;
    }
    escapeForm.lastIndex = i;
    const found = escapeForm.exec(inner);
    const character = found && escaped(found, delimiter);
    if (!found || character === undefined || character === null) return undefined;
    characters.push(character);
    i += found[0].length;
  }
  return characters;
}

function escaped(found: RegExpExecArray, delimiter: string): Character | undefined {
  const [, octal, hexByte, short, long, simple] = found;
  if (octal !== undefined) return Number.parseInt(octal, 8) > 255 ? undefined : Number.parseInt(octal, 8);
  if (hexByte !== undefined) return Number.parseInt(hexByte, 16);
  if (simple !== undefined)
    return simple === '"' || simple === "'" ? (simple === delimiter ? simple : undefined) : simpleEscapes.get(simple);
  const code = Number.parseInt((short ?? long)!, 16);
  return code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff) ? undefined : String.fromCodePoint(code);
}

/** The text of characters and UTF-8 bytes; U+FFFD for bytes that make no character. */
export function joinCharacters(characters: readonly Character[]): string {
  if (!characters.some((c) => typeof c === "number")) return characters.join("");
  const encoder = new TextEncoder();
  const bytes = characters.flatMap((c) => (typeof c === "number" ? [c] : [...encoder.encode(c)]));
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(new Uint8Array(bytes));
}
