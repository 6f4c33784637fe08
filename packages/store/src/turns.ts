import { setImmediate as nextTurn } from "node:timers/promises";

const shareMilliseconds = 4;

/**
 * Keeps work that never waits for anything outside the process from holding the event loop: calls that are answered from
 * memory, one after another, would otherwise all run in one turn.
 */
export class Turns {
  #began: number | undefined;

  /** Whether this turn of the event loop has been used for as long as is fair; then {@link next} is to be awaited. */
  get spent(): boolean {
    const now = performance.now();
    if (this.#began === undefined) {
      this.#began = now;
      setImmediate(() => {
        this.#began = undefined;
      });
    }
    return now - this.#began > shareMilliseconds;
  }

  /** Resolves in the next turn. */
  async next(): Promise<void> {
    await nextTurn();
  }
}
