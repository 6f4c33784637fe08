import type { WaitSpec } from "./config.ts";

/** A wait for changes to come to rest. */
export interface Quiet {
  /** What would be rendered. */
  readonly text: string;
  /** When the wait is over if nothing more comes. */
  readonly until: number;
  /** When it is over in any case. */
  readonly deadline: number;
}

/**
 * The wait with a new text: begun, put off where the text is another one (never past the deadline of the first change), or
 * undefined where it is over, and the text is to be rendered.
 */
export function stepQuiet(quiet: Quiet | undefined, text: string, wait: WaitSpec, at: number): Quiet | undefined {
  if (quiet && at >= quiet.deadline) return undefined;
  if (quiet && quiet.text === text) return at >= quiet.until ? undefined : quiet;
  const deadline = quiet?.deadline ?? at + wait.most;
  const until = Math.min(at + wait.least, deadline);
  return until <= at ? undefined : { text, until, deadline };
}
