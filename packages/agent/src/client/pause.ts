import type { Chance, Clock } from "@millwright/core/ports";

/** How long to wait before a call that failed is made again: longer each time, each node another while. */
export class Pause {
  readonly #ports: { readonly clock: Clock; readonly chance: Chance };
  readonly #least: number;
  readonly #most: number;
  #next: number;

  /** Milliseconds. */
  constructor(
    { least, most }: { readonly least: number; readonly most: number },
    ports: { readonly clock: Clock; readonly chance: Chance },
  ) {
    this.#ports = ports;
    this.#least = least;
    this.#most = most;
    this.#next = least;
  }

  /** A call went well: the next failure waits for a short while again. */
  reset(): void {
    this.#next = this.#least;
  }

  /** Resolves when it is over, or the signal aborts. */
  async wait(signal: AbortSignal): Promise<void> {
    const { clock, chance } = this.#ports;
    const milliseconds = this.#next * (0.5 + chance.fraction() / 2);
    this.#next = Math.min(this.#next * 2, this.#most);
    await clock.sleep(milliseconds, signal).catch(() => undefined);
  }
}
