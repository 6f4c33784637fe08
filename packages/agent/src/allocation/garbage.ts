import type { GarbageLimits } from "./host.ts";

/** An allocation that has ended, and whose folder is kept for its logs. */
export interface Ended {
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly endedAt: number;
  /** Whether the servers still speak of it. */
  readonly isListed: boolean;
}

export const defaultGarbageLimits: GarbageLimits = { mostAllocations: 50, age: 4 * 3_600_000 };

/**
 * Which folders go: the oldest of more than are kept, and of those that the servers have forgotten whatever is older than the age.
 * Where the disk is nearly full, all that the servers have forgotten.
 */
export function chooseGarbage(
  ended: readonly Ended[],
  { mostAllocations, age }: GarbageLimits,
  { now, isDiskFull }: { readonly now: number; readonly isDiskFull: boolean },
): readonly string[] {
  const oldestFirst = ended.toSorted((a, b) => a.endedAt - b.endedAt);
  const tooMany = oldestFirst.slice(0, Math.max(0, ended.length - mostAllocations));
  const forgotten = oldestFirst.filter(({ isListed, endedAt }) => !isListed && (isDiskFull || endedAt + age <= now));
  return [...new Set([...tooMany, ...forgotten])].map(({ id }) => id);
}
