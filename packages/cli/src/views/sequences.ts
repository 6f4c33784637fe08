/** A place in two sequences: in both (the same, or changed), only in the old one, or only in the new one. */
export interface Aligned {
  readonly from?: number;
  readonly to?: number;
}

/**
 * Lays two sequences beside each other along a longest common subsequence. What stands between two common elements is paired
 * up in order where `pairChanged`, so that a changed element is one change and not a removal and an addition.
 */
export function alignSequences<T>(
  old: readonly T[],
  next: readonly T[],
  same: (a: T, b: T) => boolean,
  pairChanged: boolean,
): Aligned[] {
  let start = 0;
  while (start < old.length && start < next.length && same(old[start]!, next[start]!)) start++;
  let oldEnd = old.length;
  let nextEnd = next.length;
  while (oldEnd > start && nextEnd > start && same(old[oldEnd - 1]!, next[nextEnd - 1]!)) {
    oldEnd--;
    nextEnd--;
  }
  const result: Aligned[] = range(0, start).map((i) => ({ from: i, to: i }));
  let [from, to] = [start, start];
  for (const [i, j] of [...common(old, next, start, oldEnd, nextEnd, same), [oldEnd, nextEnd] as const]) {
    result.push(...between(from, i, to, j, pairChanged));
    if (i < oldEnd) result.push({ from: i, to: j });
    [from, to] = [i + 1, j + 1];
  }
  return [...result, ...range(oldEnd, old.length).map((i) => ({ from: i, to: i - oldEnd + nextEnd }))];
}

function between(from: number, fromEnd: number, to: number, toEnd: number, pairChanged: boolean): Aligned[] {
  const paired = pairChanged ? Math.min(fromEnd - from, toEnd - to) : 0;
  return [
    ...range(0, paired).map((i) => ({ from: from + i, to: to + i })),
    ...range(from + paired, fromEnd).map((i) => ({ from: i })),
    ...range(to + paired, toEnd).map((i) => ({ to: i })),
  ];
}

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);
}

// The table is quadratic: beyond this many cells the middle is shown as removed and added.
const most = 4_000_000;

function common<T>(
  old: readonly T[],
  next: readonly T[],
  start: number,
  oldEnd: number,
  nextEnd: number,
  same: (a: T, b: T) => boolean,
): (readonly [number, number])[] {
  const rows = oldEnd - start;
  const columns = nextEnd - start;
  if (rows === 0 || columns === 0 || rows * columns > most) return [];
  const width = columns + 1;
  const lengths = new Uint32Array((rows + 1) * width);
  for (let i = rows - 1; i >= 0; i--) {
    for (let j = columns - 1; j >= 0; j--) {
      lengths[i * width + j] = same(old[start + i]!, next[start + j]!)
        ? lengths[(i + 1) * width + j + 1]! + 1
        : Math.max(lengths[(i + 1) * width + j]!, lengths[i * width + j + 1]!);
    }
  }
  const pairs: (readonly [number, number])[] = [];
  for (let i = 0, j = 0; i < rows && j < columns; ) {
    if (same(old[start + i]!, next[start + j]!)) pairs.push([start + i++, start + j++]);
    else if (lengths[(i + 1) * width + j]! >= lengths[i * width + j + 1]!) i++;
    else j++;
  }
  return pairs;
}
