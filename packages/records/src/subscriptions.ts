/** An answer takes some 50 microseconds to make and send. */
const wokenPerTurn = 100;

/**
 * Who waits for a change of one key, of any key under a prefix, or of any of some topics. A change costs what it wakes,
 * not who waits; many that wait for one change are woken in several turns, so that their answers leave room for others.
 */
export class Subscriptions {
  readonly #keys = new Map<string, Set<Waiter>>();
  readonly #topics = new Map<string, Set<Waiter>>();
  readonly #prefixes = new Map<string, Set<Waiter>>();
  /** How many prefixes there are of each length: the lengths at which a changed key has to be cut. */
  readonly #lengths = new Map<number, number>();
  /** Who is to be woken in the next turns, in order. */
  readonly #late = new Set<Waiter>();

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
      this.#wake(this.#keys.get(key));
      for (const length of this.#lengths.keys()) {
        if (length <= key.length) this.#wake(this.#prefixes.get(key.slice(0, length)));
      }
    }
    for (const topic of topics) this.#wake(this.#topics.get(topic));
  }

  notifyAll(): void {
    for (const waiters of this.#all()) this.#wake(waiters);
  }

  /** How many wait. */
  get size(): number {
    // Who waits for several topics is one.
    return new Set(this.#all().flatMap((waiters) => [...waiters])).size;
  }

  #all(): Set<Waiter>[] {
    return [...this.#keys.values(), ...this.#prefixes.values(), ...this.#topics.values()];
  }

  #wake(waiters: Iterable<Waiter> = []): void {
    const isUnderWay = this.#late.size > 0;
    for (const waiter of waiters) this.#late.add(waiter);
    if (!isUnderWay) this.#wakeSome();
  }

  #wakeSome(): void {
    for (const wake of [...this.#late.values().take(wokenPerTurn)]) {
      this.#late.delete(wake);
      wake();
    }
    if (this.#late.size > 0) setImmediate(() => this.#wakeSome());
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
  /** Of the remembered table. */
  | { readonly kind: "key" | "prefix"; readonly text: string }
  | { readonly kind: "topics"; readonly topics: readonly string[] };

type Waiter = () => void;
