/**
 * Who waits for a change of one key, of any key under a prefix, or of any of some topics. A change costs what it wakes,
 * not who waits.
 */
export class Subscriptions {
  readonly #keys = new Map<string, Set<Waiter>>();
  readonly #topics = new Map<string, Set<Waiter>>();
  readonly #prefixes = new Map<string, Set<Waiter>>();
  /** How many prefixes there are of each length: the lengths at which a changed key has to be cut. */
  readonly #lengths = new Map<number, number>();

  /**
   * Resolves at the next change of the subject, or at the signal's abort (it does not reject: whoever waits then answers
   * with what there is).
   */
  next(subject: Subject, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = () => {
        this.#remove(subject, wake);
        signal.removeEventListener("abort", wake);
        resolve();
      };
      signal.addEventListener("abort", wake, { once: true });
      this.#add(subject, wake);
    });
  }

  /** Wakes whoever waits for one of these keys or a prefix of them, or for one of the topics. */
  notify(keys: readonly string[], topics: Iterable<string> = []): void {
    for (const key of keys) {
      wakeAll(this.#keys.get(key));
      for (const length of this.#lengths.keys()) {
        if (length <= key.length) wakeAll(this.#prefixes.get(key.slice(0, length)));
      }
    }
    for (const topic of topics) wakeAll(this.#topics.get(topic));
  }

  notifyAll(): void {
    for (const waiters of this.#all()) wakeAll(waiters);
  }

  /** How many wait. */
  get size(): number {
    // Who waits for several topics is one.
    return new Set(this.#all().flatMap((waiters) => [...waiters])).size;
  }

  #all(): Set<Waiter>[] {
    return [...this.#keys.values(), ...this.#prefixes.values(), ...this.#topics.values()];
  }

  #add(subject: Subject, waiter: Waiter): void {
    for (const { table, text } of this.#placesOf(subject)) {
      const known = table.get(text);
      if (known) {
        known.add(waiter);
        continue;
      }
      table.set(text, new Set([waiter]));
      if (table === this.#prefixes) this.#countLength(text.length, 1);
    }
  }

  #remove(subject: Subject, waiter: Waiter): void {
    for (const { table, text } of this.#placesOf(subject)) {
      const waiters = table.get(text);
      if (!waiters?.delete(waiter) || waiters.size > 0) continue;
      table.delete(text);
      if (table === this.#prefixes) this.#countLength(text.length, -1);
    }
  }

  #placesOf(subject: Subject): { readonly table: Map<string, Set<Waiter>>; readonly text: string }[] {
    switch (subject.kind) {
      case "key":
        return [{ table: this.#keys, text: subject.text }];
      case "prefix":
        return [{ table: this.#prefixes, text: subject.text }];
      case "topics":
        return subject.topics.map((text) => ({ table: this.#topics, text }));
    }
  }

  #countLength(length: number, step: number): void {
    const count = (this.#lengths.get(length) ?? 0) + step;
    if (count === 0) this.#lengths.delete(length);
    else this.#lengths.set(length, count);
  }
}

/** What a query is about. */
export type Subject =
  /** Of the key-value store. */
  | { readonly kind: "key" | "prefix"; readonly text: string }
  | { readonly kind: "topics"; readonly topics: readonly string[] };

type Waiter = () => void;

function wakeAll(waiters: Set<Waiter> | undefined): void {
  if (waiters) for (const wake of [...waiters]) wake();
}
