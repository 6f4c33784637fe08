import type { RunAction } from "@millwright/engine/ports";

/** How often it is said of a step that it is still going on. */
const every = 10_000;

/** Says of steps that take long that they are still going on, until they end. */
export class StillGoing {
  readonly #timers = new Map<string, NodeJS.Timeout>();

  /** `say` is told how many seconds it has been. */
  begin(key: string, say: (seconds: number) => void): void {
    const started = performance.now();
    this.end(key);
    this.#timers.set(
      key,
      // A run that ended otherwise than by its events does not go on for this alone.
      setInterval(() => say(Math.round((performance.now() - started) / 1000)), every).unref(),
    );
  }

  end(key: string): void {
    clearInterval(this.#timers.get(key));
    this.#timers.delete(key);
  }
}

/** Tells one step from another that is going on beside it. */
export function keyOf(event: {
  readonly address: string;
  readonly action: RunAction;
  readonly deposedKey?: string;
}): string {
  return `${event.address}|${event.deposedKey ?? ""}|${event.action}`;
}
