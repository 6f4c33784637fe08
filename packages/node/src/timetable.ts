import type { Clock } from "@millwright/core/ports";

/**
 * What is to be done when: any number of tasks under one timer. Times are those of the clock's `monotonic`. A task is
 * started when its time has come, and is not awaited; it must not throw.
 */
export class Timetable {
  readonly #clock: Clock;
  /** A heap: each entry is due no later than its two children. Entries that were replaced stay until they are due. */
  readonly #heap: Entry[] = [];
  readonly #current = new Map<string, Entry>();
  #wake: AbortController | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Puts a task in, in place of the one with the same key. */
  set(key: string, dueAt: number, task: () => void): void {
    const entry = { key, dueAt, task };
    this.#current.set(key, entry);
    this.#push(entry);
    if (this.#heap[0] === entry) this.#wake?.abort();
  }

  delete(key: string): void {
    this.#current.delete(key);
  }

  has(key: string): boolean {
    return this.#current.has(key);
  }

  /** Starts tasks as they become due, until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const now = this.#clock.monotonic();
      while (this.#heap[0] !== undefined && this.#heap[0].dueAt <= now) this.#start(this.#pop());
      const wake = new AbortController();
      this.#wake = wake;
      const pause = this.#heap[0] === undefined ? 3_600_000 : this.#heap[0].dueAt - now;
      await this.#clock.sleep(Math.max(1, pause), AbortSignal.any([signal, wake.signal])).catch(() => undefined);
    }
  }

  #start(entry: Entry): void {
    if (this.#current.get(entry.key) !== entry) return;
    this.#current.delete(entry.key);
    entry.task();
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (heap[parent]!.dueAt <= entry.dueAt) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = entry;
  }

  #pop(): Entry {
    const heap = this.#heap;
    const first = heap[0]!;
    const last = heap.pop()!;
    if (heap.length === 0) return first;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      if (left >= heap.length) break;
      const right = left + 1;
      const child = right < heap.length && heap[right]!.dueAt < heap[left]!.dueAt ? right : left;
      if (heap[child]!.dueAt >= last.dueAt) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

interface Entry {
  readonly key: string;
  readonly dueAt: number;
  readonly task: () => void;
}
