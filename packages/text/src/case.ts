/**
 * Upper case as Go's `strings.ToUpper` makes it: each character by its simple mapping, so that one stays one (`ß` stays
 * `ß`), whatever the language. Characters that are new in Unicode follow the runtime's Unicode version.
 */
export function toUpper(text: string): string {
  return isAscii(text) ? text.toUpperCase() : mapCharacters(text, upperOf);
}

/** Lower case as Go's `strings.ToLower` makes it, each character for itself (`Σ` becomes `σ` also at the end of a word). */
export function toLower(text: string): string {
  return isAscii(text) ? text.toLowerCase() : mapCharacters(text, lowerOf);
}

/**
 * The first letter of each word in title case, as Go's `strings.Title`: a word begins behind white space, and behind an
 * ASCII character that is no letter, digit or underscore.
 */
export function toTitle(text: string): string {
  let result = "";
  let previous = " ";
  for (const character of text) {
    result += isSeparator(previous) ? titleOf(character) : character;
    previous = character;
  }
  return result;
}

/** `text` without the white space at its ends, by Unicode's property White_Space (Go's `strings.TrimSpace`). */
export function trimSpace(text: string): string {
  let start = 0;
  let end = text.length;
  // Every white space character is one UTF-16 unit.
  while (start < end && isSpace(text[start]!)) start++;
  while (end > start && isSpace(text[end - 1]!)) end--;
  return text.slice(start, end);
}

/** Whether a character has Unicode's property White_Space. */
export function isSpace(character: string): boolean {
  return character === " " || /^\p{White_Space}$/u.test(character);
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
}

function mapCharacters(text: string, map: (character: string) => string): string {
  let result = "";
  for (const character of text) result += map(character);
  return result;
}

function isSeparator(character: string): boolean {
  if (character <= "\x7f") return !/^\w$/.test(character);
  return !/^[\p{L}\p{Nd}]$/u.test(character) && isSpace(character);
}

function upperOf(character: string): string {
  const upper = character.toUpperCase();
  if (upper.length === character.length) return upper;
  return simpleUpper(character);
}

function lowerOf(character: string): string {
  // The one character whose full mapping to lower case is longer than its simple one.
  return character === "\u0130" ? "i" : character.toLowerCase();
}

function titleOf(character: string): string {
  const digraph = digraphs.find((forms) => forms.includes(character));
  if (digraph) return digraph[1]!;
  // Georgian has capitals, but its words do not begin with them.
  return character >= "\u10d0" && character <= "\u10ff" ? character : upperOf(character);
}

/** Letters of two parts, with a form of their own for the beginning of a word: upper, title, lower. */
const digraphs: readonly string[] = ["Ǆǅǆ", "Ǉǈǉ", "Ǌǋǌ", "Ǳǲǳ"];

/**
 * Where the full mapping makes several characters of one: Greek letters with an iota below have a simple one to the letter
 * with the iota beside it; all others stay as they are.
 */
function simpleUpper(character: string): string {
  const code = character.codePointAt(0)!;
  const isVowel = code >= 0x1f80 && code <= 0x1faf;
  if (isVowel) return String.fromCodePoint(code | 0x8);
  const others: Readonly<Record<number, number>> = { 0x1fb3: 0x1fbc, 0x1fc3: 0x1fcc, 0x1ff3: 0x1ffc };
  return String.fromCodePoint(others[code] ?? code);
}
