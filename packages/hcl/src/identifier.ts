const idStart = /\p{ID_Start}/u;
const idContinue = /\p{ID_Continue}/u;

/** Whether a code point may begin an identifier: Unicode's ID_Start (UAX 31) and `_`. */
export function isIdentifierStart(codePoint: number): boolean {
  if (codePoint < 128) return isLetter(codePoint) || codePoint === 0x5f;
  return idStart.test(String.fromCodePoint(codePoint));
}

/** Whether a code point may go on an identifier: Unicode's ID_Continue and `-`. */
export function isIdentifierPart(codePoint: number): boolean {
  if (codePoint < 128) {
    return isLetter(codePoint) || (codePoint >= 0x30 && codePoint <= 0x39) || codePoint === 0x5f || codePoint === 0x2d;
  }
  return idContinue.test(String.fromCodePoint(codePoint));
}

/** Whether a text can be written as an identifier: an attribute name, a block type, a variable. */
export function isIdentifier(text: string): boolean {
  let first = true;
  for (const character of text) {
    const codePoint = character.codePointAt(0)!;
    if (first ? !isIdentifierStart(codePoint) : !isIdentifierPart(codePoint)) return false;
    first = false;
  }
  return !first;
}

function isLetter(c: number): boolean {
  return (c >= 0x61 && c <= 0x7a) || (c >= 0x41 && c <= 0x5a);
}
