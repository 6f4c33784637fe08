/** Tells who waits for it that an allocation has changed. */
export class Changes {
  readonly #listeners = new Map<string, Set<() => void>>();

  /** Returns what ends it. */
  listen(allocation: string, changed: () => void): () => void {
    const those = this.#listeners.get(allocation) ?? new Set();
    this.#listeners.set(allocation, those.add(changed));
    return () => {
      those.delete(changed);
      if (those.size === 0 && this.#listeners.get(allocation) === those) this.#listeners.delete(allocation);
    };
  }

  tell(allocation: string): void {
    for (const changed of [...(this.#listeners.get(allocation) ?? [])]) changed();
  }
}
