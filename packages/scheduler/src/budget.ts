/**
 * How much a placement may still write: each allocation that is placed, changed or stopped is one, and so is each node on which
 * something is placed; what is lost, and what proves itself anew, is one more. Where many nodes are compared for each, it is fewer: an answer shall not take long
 * either.
 */
export class Budget {
  #left: number;
  #isSpent = false;

  constructor(most: number) {
    this.#left = most;
  }

  /** Whether there is room for so much; where there is not, what is left out waits for the next time. */
  has(cost: number): boolean {
    if (cost <= this.#left) return true;
    this.#isSpent = true;
    return false;
  }

  spend(cost: number): void {
    this.#left -= cost;
  }

  /** As many of these as there is room for, from the first on. */
  some<T>(items: readonly T[], costOf: (item: T) => number): readonly T[] {
    const end = items.findIndex((item) => {
      const cost = costOf(item);
      if (!this.has(cost)) return true;
      this.spend(cost);
      return false;
    });
    return end < 0 ? items : items.slice(0, end);
  }

  /** Whether something was left out. */
  get isSpent(): boolean {
    return this.#isSpent;
  }
}
