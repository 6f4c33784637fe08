import { clustersOf } from "@millwright/core/clusters";

/**
 * The text cut into grapheme clusters, what a reader takes for one character (Unicode UAX 29, extended clusters). A line
 * break of carriage return and line feed is one.
 *
 * The rules are those of Unicode 15.0, as go-textseg and with it the reference has them: a consonant behind a virama
 * begins a cluster of its own, which it does not since Unicode 15.1.
 */
export function graphemes(text: string): string[] {
  if (isSimple(text)) return text.split("");
  const clusters: string[] = [];
  for (const { segment } of clustersOf(text)) {
    if (segment.length < 3) clusters.push(segment);
    else clusters.push(...segment.split(conjunct));
  }
  return clusters;
}

/** How many grapheme clusters `text` has. */
export function countGraphemes(text: string): number {
  return isSimple(text) ? text.length : graphemes(text).length;
}

/** The clusters from `start` on and before `end`, both counted in clusters and within the text. */
export function sliceGraphemes(text: string, start: number, end: number = Number.POSITIVE_INFINITY): string {
  return isSimple(text) ? text.slice(start, end) : graphemes(text).slice(start, end).join("");
}

/** The clusters in reverse order, each as it is. */
export function reverseGraphemes(text: string): string {
  return graphemes(text).reverse().join("");
}

/** Between a mark (or a joiner) and a letter that is not itself a mark to these rules. */
const conjunct = /(?<=[\p{M}\p{Emoji_Modifier}\u200c\u200d])(?=\p{Lo})(?![\u0e33\u0eb3])/u;

/** Whether every UTF-16 unit is a cluster: ASCII (and Latin-1 letters) without carriage returns. */
function isSimple(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0xff || code === 0x0d || code === 0xa9 || code === 0xad || code === 0xae) return false;
  }
  return true;
}
