/** Locks by name: whoever asks for several gets them all, one after another in one order, so that nobody waits for ever. */
export class Stripes {
  readonly #tails = new Map<string, Promise<void>>();

  async run<T>(names: readonly string[], task: () => Promise<T>): Promise<T> {
    const releases: (() => void)[] = [];
    try {
      for (const name of [...new Set(names)].sort()) releases.push(await this.#lock(name));
      return await task();
    } finally {
      for (const release of releases) release();
    }
  }

  async #lock(name: string): Promise<() => void> {
    const before = this.#tails.get(name);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#tails.set(name, promise);
    await before;
    return () => {
      if (this.#tails.get(name) === promise) this.#tails.delete(name);
      resolve();
    };
  }
}
