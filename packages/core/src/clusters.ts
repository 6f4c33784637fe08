/**
 * A text cut into grapheme clusters (Unicode UAX 29), as the running Node has its rules. Cutting a text for the first time loads
 * tables, which takes several milliseconds: look first whether a text has anything to be joined.
 */
export function clustersOf(text: string): Iterable<Intl.SegmentData> {
  segmenter ??= new Intl.Segmenter("en", { granularity: "grapheme" });
  return segmenter.segment(text);
}

let segmenter: Intl.Segmenter | undefined;
