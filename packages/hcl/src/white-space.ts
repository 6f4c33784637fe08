/** Whether a UTF-16 unit is white space as Unicode's property White_Space has it (which JavaScript's `\s` differs from). */
export function isWhiteSpace(c: number): boolean {
  if (c < 0x80) return c === 0x20 || (c >= 0x09 && c <= 0x0d);
  if (c < 0x2000) return c === 0x85 || c === 0xa0 || c === 0x1680;
  return c <= 0x200a || c === 0x2028 || c === 0x2029 || c === 0x202f || c === 0x205f || c === 0x3000;
}

/** The text without the white space it begins with. */
export function trimStart(text: string): string {
  let i = 0;
  while (i < text.length && isWhiteSpace(text.charCodeAt(i))) i++;
  return i === 0 ? text : text.slice(i);
}

/** The text without the white space it ends with. */
export function trimEnd(text: string): string {
  let i = text.length;
  while (i > 0 && isWhiteSpace(text.charCodeAt(i - 1))) i--;
  return i === text.length ? text : text.slice(0, i);
}
