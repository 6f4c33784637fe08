import type { CheckDefinition, CheckStatus } from "./check-definition.ts";

/** How many results of one sort a check has given in a row. */
export interface Streak {
  readonly successes: number;
  readonly failures: number;
}

export const noStreak: Streak = { successes: 0, failures: 0 };

/**
 * What a result makes of a check's status; `status` is undefined while too few results of its sort came in a row. Failures
 * that are enough for a warning and not yet for critical make a warning.
 */
export function damp(
  definition: Pick<CheckDefinition, "successBeforePassing" | "failuresBeforeWarning" | "failuresBeforeCritical">,
  before: Streak,
  result: CheckStatus,
): { readonly streak: Streak; readonly status: CheckStatus | undefined } {
  if (result !== "critical") {
    const streak = { successes: before.successes + 1, failures: 0 };
    return { streak, status: streak.successes >= definition.successBeforePassing ? result : undefined };
  }
  const streak = { successes: 0, failures: before.failures + 1 };
  if (streak.failures >= definition.failuresBeforeCritical) return { streak, status: "critical" };
  return { streak, status: streak.failures >= definition.failuresBeforeWarning ? "warning" : undefined };
}
