/** What a gate sees between two waves. */
export interface GateView {
  /** The wave that has just ended, from 1, and how many there are. */
  readonly wave: number;
  readonly waves: number;
  /** Names of what the wave has changed, and of what it could not. */
  readonly changed: readonly string[];
  readonly failed: readonly string[];
  /** What came of the conditions that the change itself declares. */
  readonly conditions: readonly Condition[];
  /** When the run and the last wave's end were, and now; milliseconds since 1970. */
  readonly began: number;
  readonly waveEnded: number;
  readonly now: number;
}

/** A condition that was looked at: a `check` block's, an object's. */
export interface Condition {
  readonly name: string;
  readonly status: "pass" | "fail" | "unknown" | "error";
  readonly problems: readonly string[];
}

/** What is decided: on to the next wave, look again after a while, end here, or end here and take back what was done. */
export type Decision =
  | { readonly kind: "go"; readonly because: string }
  | { readonly kind: "wait"; readonly because: string; readonly milliseconds: number }
  | { readonly kind: "stop"; readonly because: string }
  | { readonly kind: "back"; readonly because: string };

/** What a gate that is against the next wave asks for. */
export type Refusal = "stop" | "back";

/**
 * Decides between two waves. One that cannot tell (a server does not answer) waits or refuses, and says why. A rejection is
 * taken for `stop`.
 */
export interface Gate {
  /** As people named it. */
  readonly name: string;
  decide(view: GateView, signal: AbortSignal): Promise<Decision>;
  /** Where what it decides by is collected all the time: begins to, until the signal aborts. */
  watch?(signal: AbortSignal): Promise<void>;
}

/** A decision with the name of the gate that it came from. */
export interface Decided {
  readonly gate: string;
  readonly decision: Decision;
}
