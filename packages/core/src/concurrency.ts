/** Lets at most `limit` tasks run at a time; the others wait in the order they came. */
export class Semaphore {
  #free: number;
  #waiting: (() => void)[] = [];
  /** Where the queue begins: taking from the front of a long array would move all the rest. */
  #head = 0;

  constructor(limit: number) {
    this.#free = limit;
  }

  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await task();
    } finally {
      this.#release();
    }
  }

  #release(): void {
    const next = this.#waiting[this.#head];
    if (!next) {
      this.#free++;
      return;
    }
    this.#head++;
    if (this.#head === this.#waiting.length) {
      this.#waiting = [];
      this.#head = 0;
    }
    next();
  }
}

/**
 * Runs `task` one at a time, as seldom as serves all: a call resolves or rejects with a run that begins after it, and all calls that
 * come during a run share the next one.
 */
export function coalesced(task: () => Promise<void>): () => Promise<void> {
  let running: Promise<unknown> = Promise.resolve();
  let next: Promise<void> | undefined;
  return () => {
    next ??= running.then(() => {
      next = undefined;
      const run = task();
      // Who asked for a run hears of its failure; the one behind it is no worse for it.
      running = run.catch(() => undefined);
      return run;
    });
    return next;
  };
}
