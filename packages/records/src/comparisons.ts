import { type Comparison, type KeyRange, keyRange } from "@millwright/store/contract";
import { compareKeys } from "@millwright/store/keys";

/** Whether a store key is as its revision `modified` left it; 0 where it must not exist. */
export function isAt(storeKey: string, modified: number): Comparison {
  return { range: keyRange(storeKey), is: "modified", op: "=", revision: modified };
}

/** Whether nothing that is in the range was written after `revision`. What was deleted is in no range. */
export function unchangedSince(range: KeyRange, revision: number): Comparison {
  return { range, is: "modified", op: "<", revision: revision + 1 };
}

/**
 * Joins the first ranges pair by pair until there are few enough; what lies between is then compared too, which is stricter
 * and never wrong.
 */
export function atMost(count: number, ranges: readonly KeyRange[]): KeyRange[] {
  const sorted = [...ranges].sort((a, b) => compareKeys(a.from, b.from));
  while (sorted.length > count) {
    const excess = Math.min(sorted.length - count, sorted.length >> 1);
    const joined: KeyRange[] = [];
    for (let i = 0; i < 2 * excess; i += 2) joined.push(join(sorted[i]!, sorted[i + 1]!));
    sorted.splice(0, 2 * excess, ...joined);
  }
  return sorted;
}

function join(a: KeyRange, b: KeyRange): KeyRange {
  if (a.to === undefined || b.to === undefined) return { from: a.from };
  return { from: a.from, to: compareKeys(a.to, b.to) >= 0 ? a.to : b.to };
}
