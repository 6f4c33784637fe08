import type { Chance } from "@millwright/core/ports";

/** A whole number from 0 to `limit` - 1, each as likely as any other. `limit` is at most 2^53. */
export function below(limit: number, chance: Chance): number {
  const bytes = Math.max(1, Math.ceil(Math.log2(limit) / 8));
  const range = 256 ** bytes;
  // What lies above the last whole multiple of the limit would make the first numbers more likely.
  const fair = range - (range % limit);
  for (;;) {
    const drawn = chance.bytes(bytes).reduce((sum, byte) => sum * 256 + byte, 0);
    if (drawn < fair) return drawn % limit;
  }
}

/** The elements in an order of chance. */
export function shuffled<T>(elements: readonly T[], chance: Chance): T[] {
  const order = [...elements];
  for (let i = order.length - 1; i > 0; i--) {
    const j = below(i + 1, chance);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}
