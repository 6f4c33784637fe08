import type { CheckRestart } from "@millwright/jobs/service";
import { type Moment, milliseconds } from "@millwright/scheduler/time";
import type { CheckState } from "./host.ts";

/** Since when a check fails without a break; undefined while it does not. */
export type FailingSince = Moment | undefined;

/** When a check's failing restarts its task: after `limit` failures one after another, not before its grace has passed. */
export interface CheckRestartRule {
  readonly restart: CheckRestart;
  /** Nanoseconds between two looks. */
  readonly interval: number;
  /** When the task was started. */
  readonly startedAt: Moment;
}

/** What is seen of the check at a moment, and when it is to be looked at again if it stays so; undefined for when it changes. */
export function stepCheckRestart(
  before: FailingSince,
  seen: { readonly status: CheckState["status"]; readonly at: Moment },
  { restart, interval, startedAt }: CheckRestartRule,
): { readonly since: FailingSince; readonly restarts: boolean; readonly lookAt: Moment | undefined } {
  const fails = seen.status === "critical" || (seen.status === "warning" && !restart.ignoreWarnings);
  if (!fails) return { since: undefined, restarts: false, lookAt: undefined };
  const graceOver = startedAt + milliseconds(restart.grace);
  if (seen.at < graceOver) return { since: undefined, restarts: false, lookAt: graceOver };
  const since = before ?? seen.at;
  // The first failure is one of the limit's.
  const due = since + milliseconds(interval) * (restart.limit - 1);
  return seen.at >= due
    ? { since: undefined, restarts: true, lookAt: undefined }
    : { since, restarts: false, lookAt: due };
}
