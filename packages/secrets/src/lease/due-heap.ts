/** What comes due when: a binary heap. One id may be in it more than once, and what is out of date is the caller's to tell. */
export class DueHeap {
  readonly #times: number[] = [];
  readonly #ids: string[] = [];

  get size(): number {
    return this.#ids.length;
  }

  /** The earliest time in it. */
  get next(): number | undefined {
    return this.#times[0];
  }

  add(time: number, id: string): void {
    let i = this.#ids.length;
    this.#times.push(time);
    this.#ids.push(id);
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (this.#times[parent]! <= time) break;
      this.#swap(i, parent);
      i = parent;
    }
  }

  /** Takes out the earliest. */
  take(): { readonly time: number; readonly id: string } | undefined {
    const time = this.#times[0];
    const id = this.#ids[0];
    if (time === undefined || id === undefined) return undefined;
    const lastTime = this.#times.pop()!;
    const lastId = this.#ids.pop()!;
    if (this.#ids.length > 0) {
      this.#times[0] = lastTime;
      this.#ids[0] = lastId;
      this.#sink();
    }
    return { time, id };
  }

  #sink(): void {
    let i = 0;
    for (;;) {
      const left = 2 * i + 1;
      if (left >= this.#ids.length) return;
      const right = left + 1;
      const least = right < this.#ids.length && this.#times[right]! < this.#times[left]! ? right : left;
      if (this.#times[i]! <= this.#times[least]!) return;
      this.#swap(i, least);
      i = least;
    }
  }

  #swap(a: number, b: number): void {
    [this.#times[a], this.#times[b]] = [this.#times[b]!, this.#times[a]!];
    [this.#ids[a], this.#ids[b]] = [this.#ids[b]!, this.#ids[a]!];
  }
}
