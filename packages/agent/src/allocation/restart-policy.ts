import { durationText } from "@millwright/jobs/nanoseconds";
import type { RestartPolicy } from "@millwright/jobs/task";
import { type Moment, milliseconds } from "@millwright/scheduler/time";

/** How often a task was started again in the interval that runs. */
export interface RestartTally {
  readonly count: number;
  /** When the interval began. */
  readonly since: Moment;
}

export const noRestarts: RestartTally = { count: 0, since: 0 };

export type RestartDecision =
  | { readonly kind: "restart"; readonly after: number; readonly reason: string; readonly tally: RestartTally }
  | { readonly kind: "giveUp"; readonly reason: string; readonly tally: RestartTally };

/**
 * Whether a task that has failed is started again, and after how many milliseconds: `attempts` times in an interval, each after the
 * delay and up to a quarter more of it (`fraction`, in [0, 1), says how much). Then no more, or when the interval is over.
 */
export function decideRestart(
  policy: RestartPolicy,
  before: RestartTally,
  { at, fraction }: { readonly at: Moment; readonly fraction: number },
): RestartDecision {
  const { attempts, mode } = policy;
  const interval = milliseconds(policy.interval);
  const tally = at >= before.since + interval ? { count: 0, since: at } : before;
  if (attempts === 0 && mode === "fail") return { kind: "giveUp", reason: "Policy allows no restarts", tally };
  const next = { ...tally, count: tally.count + 1 };
  if (next.count <= attempts) {
    const delay = milliseconds(policy.delay);
    return { kind: "restart", after: delay + delay * 0.25 * fraction, reason: "Restart within policy", tally: next };
  }
  if (mode === "delay") {
    const after = Math.max(0, next.since + interval - at);
    return { kind: "restart", after, reason: "Exceeded allowed attempts, applying a delay", tally: next };
  }
  const reason = `Exceeded allowed attempts ${attempts} in interval ${durationText(policy.interval)} and mode is "fail"`;
  return { kind: "giveUp", reason, tally: next };
}
