import { OperationalError } from "@millwright/core/errors";
import type { Clock, Log } from "@millwright/core/ports";
import { formatDuration } from "@millwright/text/duration";

/** How often a failed call is made again, and after how long: the pause doubles each time, up to the longest. */
export interface RetryPolicy {
  readonly enabled: boolean;
  /** Repetitions; 0 for no limit. */
  readonly attempts: number;
  readonly backoffMilliseconds: number;
  /** 0 for no limit. */
  readonly longestMilliseconds: number;
}

export const defaultRetry: RetryPolicy = {
  enabled: true,
  attempts: 12,
  backoffMilliseconds: 250,
  longestMilliseconds: 60_000,
};

export interface RetryContext {
  /** What is asked for, as messages name it. */
  readonly what: string;
  readonly policy: RetryPolicy;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/**
 * The call's result, as soon as it has one. Rejects with the call's operational error where the policy gives up, with
 * anything else at once, and with the signal's reason.
 */
export async function withRetries<T>(context: RetryContext, call: () => Promise<T>): Promise<T> {
  const { what, policy, clock, log, signal } = context;
  for (let failures = 0; ; failures++) {
    try {
      return await call();
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof OperationalError)) throw error;
      if (!policy.enabled || (policy.attempts > 0 && failures >= policy.attempts)) throw error;
      const pause = pauseAfter(failures, policy);
      const wait = formatDuration(BigInt(Math.round(pause)) * 1_000_000n);
      log.write("warn", `${what}: ${oneLine(error.message)} (retry attempt ${failures + 1} after ${wait})`);
      await clock.sleep(pause, signal);
    }
  }
}

/** The pause after that many failures in a row, the first being 0. */
export function pauseAfter(failures: number, policy: RetryPolicy): number {
  const longest = policy.longestMilliseconds === 0 ? Number.MAX_SAFE_INTEGER : policy.longestMilliseconds;
  return Math.min(policy.backoffMilliseconds * 2 ** Math.min(failures, 40), longest);
}

/** A message for one line of a log. */
export function oneLine(message: string): string {
  return message.replace(/\s*\n\s*/g, " ");
}
