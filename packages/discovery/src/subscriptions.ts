/** Who waits for a change of one key, or of any key under a prefix. A change costs what it wakes, not who waits. */
export class Subscriptions {
  readonly #keys = new Map<string, Set<Waiter>>();
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

  /** Wakes whoever waits for one of these keys or a prefix of them. */
  notify(keys: readonly string[]): void {
    for (const key of keys) {
      wakeAll(this.#keys.get(key));
      for (const length of this.#lengths.keys()) {
        if (length <= key.length) wakeAll(this.#prefixes.get(key.slice(0, length)));
      }
    }
  }

  notifyAll(): void {
    for (const waiters of [...this.#keys.values(), ...this.#prefixes.values()]) wakeAll(waiters);
  }

  /** How many wait. */
  get size(): number {
    let size = 0;
    for (const waiters of [...this.#keys.values(), ...this.#prefixes.values()]) size += waiters.size;
    return size;
  }

  #add(subject: Subject, waiter: Waiter): void {
    const table = subject.kind === "key" ? this.#keys : this.#prefixes;
    const known = table.get(subject.text);
    if (known) {
      known.add(waiter);
      return;
    }
    table.set(subject.text, new Set([waiter]));
    if (subject.kind === "prefix") this.#countLength(subject.text.length, 1);
  }

  #remove(subject: Subject, waiter: Waiter): void {
    const table = subject.kind === "key" ? this.#keys : this.#prefixes;
    const waiters = table.get(subject.text);
    if (!waiters?.delete(waiter) || waiters.size > 0) return;
    table.delete(subject.text);
    if (subject.kind === "prefix") this.#countLength(subject.text.length, -1);
  }

  #countLength(length: number, step: number): void {
    const count = (this.#lengths.get(length) ?? 0) + step;
    if (count === 0) this.#lengths.delete(length);
    else this.#lengths.set(length, count);
  }
}

/** What a query is about. */
export interface Subject {
  readonly kind: "key" | "prefix";
  readonly text: string;
}

type Waiter = () => void;

function wakeAll(waiters: Set<Waiter> | undefined): void {
  if (waiters) for (const wake of [...waiters]) wake();
}
