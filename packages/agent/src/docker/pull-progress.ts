import type { Clock } from "@millwright/core/ports";
import { shownBytes } from "@millwright/artifact/limits";

interface PullLine {
  readonly id?: string;
  readonly status?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
}

/**
 * Makes a line now and then of what an engine says while it pulls an image, layer by layer: less and less often, as few events
 * of a task are kept.
 */
export class PullProgress {
  readonly #image: string;
  readonly #tell: (text: string) => void;
  readonly #clock: Clock;
  readonly #layers = new Map<string, { current: number; total: number }>();
  readonly #began: number;
  #next = firstMilliseconds;

  constructor(image: string, tell: (text: string) => void, clock: Clock) {
    this.#image = image;
    this.#tell = tell;
    this.#clock = clock;
    this.#began = clock.monotonic();
  }

  take(line: string): void {
    const { id, status, progressDetail: { current, total } = {} } = JSON.parse(line) as PullLine;
    if (id !== undefined && status === "Downloading" && current !== undefined && total !== undefined)
      this.#layers.set(id, { current, total });
    const layer = id === undefined ? undefined : this.#layers.get(id);
    if (layer && status === "Download complete") layer.current = layer.total;
    const passed = this.#clock.monotonic() - this.#began;
    if (passed < this.#next) return;
    this.#next = 2 * passed;
    this.#tell(this.#shown());
  }

  #shown(): string {
    const layers = [...this.#layers.values()];
    const current = layers.reduce((sum, layer) => sum + layer.current, 0);
    const total = layers.reduce((sum, layer) => sum + layer.total, 0);
    const size = total > 0 ? `: ${shownBytes(current)} of ${shownBytes(total)}` : "";
    return `Pulling the image ${this.#image}${size}`;
  }
}

const firstMilliseconds = 3_000;
