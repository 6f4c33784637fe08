import type { Decision, Refusal } from "./gate.ts";

/** How a probe's findings become a decision. */
export interface Steadiness {
  /** How long what was found must hold before the next wave begins; milliseconds. */
  readonly holds: number;
  /** How long it may not hold after a wave before the gate refuses; milliseconds. */
  readonly grace: number;
  /** How long until the next look; milliseconds. */
  readonly interval: number;
  readonly refusal: Refusal;
}

/** What one look found. */
export interface Finding {
  readonly good: boolean;
  readonly what: string;
}

/** Turns looks at something into decisions: good for long enough is `go`, bad for too long is the refusal, else `wait`. */
export class Steady {
  readonly #settings: Steadiness;
  #wave = 0;
  #goodSince: number | undefined;

  constructor(settings: Steadiness) {
    this.#settings = settings;
  }

  decide(
    finding: Finding,
    view: { readonly wave: number; readonly waveEnded: number; readonly now: number },
  ): Decision {
    const { holds, grace, interval, refusal } = this.#settings;
    if (view.wave !== this.#wave) {
      this.#wave = view.wave;
      this.#goodSince = undefined;
    }
    if (!finding.good) {
      this.#goodSince = undefined;
      if (view.now - view.waveEnded >= grace) return { kind: refusal, because: finding.what };
      return { kind: "wait", because: finding.what, milliseconds: interval };
    }
    this.#goodSince ??= view.now;
    const left = holds - (view.now - this.#goodSince);
    if (left <= 0) return { kind: "go", because: finding.what };
    const because = `${finding.what}, for ${Math.ceil(left / 1000)} s more`;
    return { kind: "wait", because, milliseconds: Math.min(left, interval) };
  }
}
