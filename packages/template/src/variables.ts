import type { Operand } from "./operand.ts";

/** The variables of one call of a template, innermost last; `$` is the first. */
export class Variables {
  readonly #names: string[] = ["$"];
  readonly #values: Operand[];

  constructor(dot: Operand) {
    this.#values = [dot];
  }

  mark(): number {
    return this.#names.length;
  }

  /** Forgets what was declared since the mark was taken. */
  release(mark: number): void {
    this.#names.length = mark;
    this.#values.length = mark;
  }

  declare(name: string, value: Operand): void {
    this.#names.push(name);
    this.#values.push(value);
  }

  /** False where there is none of that name. */
  set(name: string, value: Operand): boolean {
    const index = this.#names.lastIndexOf(name);
    if (index >= 0) this.#values[index] = value;
    return index >= 0;
  }

  /** Sets the one declared last (1), or the one before it (2). */
  setTop(count: number, value: Operand): void {
    this.#values[this.#values.length - count] = value;
  }

  has(name: string): boolean {
    return this.#names.includes(name);
  }

  get(name: string): Operand {
    return this.#values[this.#names.lastIndexOf(name)];
  }
}
