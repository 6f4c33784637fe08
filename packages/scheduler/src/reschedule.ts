import type { ReschedulePolicy } from "@millwright/jobs/task";
import type { Allocation, RescheduleEvent } from "./allocation.ts";
import type { Moment } from "./time.ts";
import { milliseconds } from "./time.ts";

/** Whether a failed allocation is placed anew: now, at some moment, or not at all (any more). */
export type RescheduleDecision =
  | { readonly kind: "now"; readonly delay: number }
  | { readonly kind: "later"; readonly at: Moment }
  | { readonly kind: "never" };

/** Decides it by the group's policy and by how often it happened to this allocation and those that it replaced. */
export function rescheduleDecision(
  policy: ReschedulePolicy | null,
  allocation: Allocation,
  now: Moment,
): RescheduleDecision {
  if (!policy || (!policy.unlimited && policy.attempts <= 0)) return { kind: "never" };
  const failed = allocation.finished ?? now;
  if (!policy.unlimited && attemptsWithin(allocation.reschedules, failed, policy) >= policy.attempts)
    return { kind: "never" };
  const delay = delayFor(policy, allocation);
  const at = failed + delay;
  return at <= now + closeEnough ? { kind: "now", delay } : { kind: "later", at };
}

/** The reschedules that count from now on. Without a bound to their number only the last few are kept. */
export function keptReschedules(
  policy: ReschedulePolicy | null,
  reschedules: readonly RescheduleEvent[],
): readonly RescheduleEvent[] {
  return policy?.unlimited ? reschedules.slice(-keptUnlimited) : reschedules;
}

/** A moment that is so near is now. */
const closeEnough = 1_000;
const keptUnlimited = 5;

function attemptsWithin(reschedules: readonly RescheduleEvent[], at: Moment, { interval }: ReschedulePolicy): number {
  return reschedules.filter((one) => one.at > at - milliseconds(interval)).length;
}

/** How long to wait, in milliseconds: grown from the delays before, at most `maxDelay`; the first again after a long run. */
function delayFor(policy: ReschedulePolicy, { reschedules, created, finished }: Allocation): number {
  const base = milliseconds(policy.delay);
  if (policy.delayFunction === "constant") return base;
  const longest = policy.maxDelay > 0 ? milliseconds(policy.maxDelay) : Number.POSITIVE_INFINITY;
  const [last, before] = [reschedules.at(-1)?.delay, reschedules.at(-2)?.delay];
  if (last === undefined) return Math.min(base, longest);
  const ranLong = finished !== null && finished - created > longest;
  if (last >= longest && ranLong) return base;
  const grown = policy.delayFunction === "fibonacci" ? last + (before ?? 0) : last * 2;
  return Math.min(Math.max(grown, base), longest);
}
