import type { KeyRange } from "./contract.ts";

/**
 * Orders two well-formed keys by their UTF-8 bytes, which is the order of their code points: negative, 0 or positive.
 *
 * JavaScript's `<` compares UTF-16 units, where a surrogate pair (U+10000 and above) sorts before U+E000 … U+FFFF.
 */
export function compareKeys(a: string, b: string): number {
  if (a === b) return 0;
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return rank(x) - rank(y);
  }
  return a.length - b.length;
}

// Surrogates above all other units; their order among themselves is that of the code points they begin.
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

/** Whether `key` lies in `[from, to)`. */
export function inRange(key: string, range: KeyRange): boolean {
  return compareKeys(key, range.from) >= 0 && (range.to === undefined || compareKeys(key, range.to) < 0);
}

/** Whether the range is about one key, as `keyRange` makes it. */
export function isOneKey(range: KeyRange): boolean {
  return range.to !== undefined && range.to.length === range.from.length + 1 && range.to === `${range.from}\0`;
}

/** Whether two ranges share a key that could exist. */
export function overlap(a: KeyRange, b: KeyRange): boolean {
  const from = compareKeys(a.from, b.from) >= 0 ? a.from : b.from;
  return inRange(from, a) && inRange(from, b);
}

/** Whether `key` starts with one of the prefixes. */
export function underAny(key: string, prefixes: readonly string[]): boolean {
  return prefixes.some((prefix) => key.startsWith(prefix));
}
