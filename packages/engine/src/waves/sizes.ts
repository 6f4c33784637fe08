import type { Diagnosed } from "@millwright/core/diagnostics";
import { errorDiagnostic } from "@millwright/core/diagnostics";

/** How large waves are, one after another: a number of changes, or a share of all of them. The last holds for all that follow. */
export type WaveSize =
  | { readonly kind: "count"; readonly count: number }
  | { readonly kind: "share"; readonly percent: number };

/** One change to begin with, then a tenth, a third, the rest. */
export const usualSizes: readonly WaveSize[] = [
  { kind: "count", count: 1 },
  { kind: "share", percent: 10 },
  { kind: "share", percent: 33 },
  { kind: "share", percent: 100 },
];

/** Reads `1,10%,100%`. */
export function readSizes(text: string): Diagnosed<readonly WaveSize[]> {
  const sizes: WaveSize[] = [];
  for (const part of text.split(",")) {
    const [, digits, percent] = /^\s*(\d{1,9})(%?)\s*$/.exec(part) ?? [];
    const number = Number(digits);
    if (!digits || number === 0 || (percent && number > 100))
      return { value: usualSizes, diagnostics: [notSizes(text, part)] };
    sizes.push(percent ? { kind: "share", percent: number } : { kind: "count", count: number });
  }
  return { value: sizes, diagnostics: [] };
}

function notSizes(text: string, part: string) {
  const detail = `In "${text}", "${part}" is not the size of a wave. Give how many changes each wave has, by number or by share of all of them: -waves=1,10%,100%. The last holds for all waves that follow.`;
  return errorDiagnostic("Invalid sizes of waves", detail);
}

/** Sizes as they are written. */
export function sizesText(sizes: readonly WaveSize[]): string {
  return sizes.map((size) => (size.kind === "count" ? String(size.count) : `${size.percent}%`)).join(",");
}

/** How many changes fit the wave of this number (from 0), of `all` changes: one at least. */
export function roomOf(sizes: readonly WaveSize[], wave: number, all: number): number {
  const size = sizes[Math.min(wave, sizes.length - 1)]!;
  return size.kind === "count" ? size.count : Math.max(1, Math.floor((all * size.percent) / 100));
}
