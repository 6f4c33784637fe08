import { compileRegexp } from "@millwright/text/regexp";
import type { Affinity, Constraint, Spread } from "./constraint.ts";
import { operands } from "./constraint.ts";
import type { Findings, Rule } from "./findings.ts";
import { checkRules } from "./findings.ts";
import type { JobPart } from "./job-part.ts";
import type { UpdateStrategy } from "./job.ts";
import { durationText, second } from "./nanoseconds.ts";
import type { ReschedulePolicy, RestartPolicy } from "./task.ts";

export const restartRules: readonly Rule<RestartPolicy>[] = [
  [
    ({ mode }) => mode === "fail" || mode === "delay",
    ({ mode }) => `Unsupported restart mode: ${JSON.stringify(mode)}`,
    'Write mode = "fail" or mode = "delay" in the restart block.',
  ],
  [
    ({ attempts, mode }) => attempts > 0 || mode === "fail",
    ({ attempts, mode }) => `Restart policy ${JSON.stringify(mode)} with ${attempts} attempts is ambiguous`,
    'Write mode = "fail" where a task is not to be started again, or give it attempts.',
  ],
  [
    ({ interval }) => interval >= 5 * second,
    ({ interval }) => `Interval can not be less than 5s (got ${durationText(interval)})`,
    "Write a longer interval in the restart block.",
  ],
  [
    ({ attempts, interval, delay }) => attempts * delay <= interval,
    ({ attempts, interval, delay }) =>
      `Nomad can't restart the TaskGroup ${attempts} times in an interval of ${durationText(interval)} with a delay of ${durationText(delay)}`,
    "Write fewer attempts, a shorter delay or a longer interval in the restart block.",
  ],
];

const delayFunctions = ["constant", "exponential", "fibonacci"];

export const rescheduleRules: readonly Rule<ReschedulePolicy>[] = [
  [
    ({ delayFunction, attempts, unlimited }) =>
      delayFunctions.includes(delayFunction) || (delayFunction === "" && attempts === 0 && !unlimited),
    ({ delayFunction }) =>
      `Invalid delay function ${JSON.stringify(delayFunction)}, must be one of ${JSON.stringify(delayFunctions)}`,
    "Correct delay_function in the reschedule block.",
  ],
  [
    ({ delay, attempts, unlimited }) => delay >= 5 * second || (attempts === 0 && !unlimited),
    ({ delay }) => `Delay cannot be less than 5s (got ${durationText(delay)})`,
    "Write a longer delay in the reschedule block.",
  ],
  [
    ({ delayFunction, delay, maxDelay }) => !/^(exp|fib)/.test(delayFunction) || maxDelay >= delay,
    ({ delay, maxDelay }) =>
      `Max Delay cannot be less than Delay ${durationText(delay)} (got ${durationText(maxDelay)})`,
    "Write a longer max_delay in the reschedule block.",
  ],
  [
    ({ attempts, interval, unlimited }) => unlimited || attempts === 0 || interval >= 15 * second,
    ({ interval }) => `Interval cannot be less than 15s (got ${durationText(interval)})`,
    "Attempts are counted by interval: write a longer one in the reschedule block.",
  ],
];

const healthChecks = ["checks", "task_states", "manual"];

export const updateRules: readonly Rule<UpdateStrategy>[] = [
  [
    ({ healthCheck }) => healthChecks.includes(healthCheck),
    ({ healthCheck }) => `Invalid health check given: ${JSON.stringify(healthCheck)}`,
    'Write health_check = "checks", "task_states" or "manual" in the update block.',
  ],
  [
    ({ maxParallel }) => maxParallel >= 0,
    ({ maxParallel }) => `Max parallel can not be less than zero: ${maxParallel} < 0`,
    "Write how many are replaced at a time; 0 replaces all at once.",
  ],
  [
    ({ canary }) => canary >= 0,
    ({ canary }) => `Canary count can not be less than zero: ${canary} < 0`,
    "Write how many of the new version run beside the old ones first, or 0.",
  ],
  [
    ({ canary, autoPromote }) => canary > 0 || !autoPromote,
    () => "Auto Promote requires a Canary count greater than zero",
    "Write canary = 1 or more, or take auto_promote away.",
  ],
  [
    ({ minHealthyTime }) => minHealthyTime >= 0,
    ({ minHealthyTime }) => `Minimum healthy time may not be less than zero: ${durationText(minHealthyTime)}`,
    "Write min_healthy_time as a positive duration.",
  ],
  [
    ({ healthyDeadline }) => healthyDeadline > 0,
    ({ healthyDeadline }) => `Healthy deadline must be greater than zero: ${durationText(healthyDeadline)}`,
    "Write healthy_deadline as a positive duration.",
  ],
  [
    ({ minHealthyTime, healthyDeadline }) => minHealthyTime < healthyDeadline,
    ({ minHealthyTime, healthyDeadline }) =>
      `Minimum healthy time must be less than healthy deadline: ${durationText(minHealthyTime)} > ${durationText(healthyDeadline)}`,
    "Write a shorter min_healthy_time or a longer healthy_deadline.",
  ],
  [
    ({ progressDeadline }) => progressDeadline >= 0,
    ({ progressDeadline }) =>
      `Progress deadline must be zero or greater than healthy deadline: ${durationText(progressDeadline)}`,
    "Write progress_deadline as a positive duration, or 0 to stop at the first that is unhealthy.",
  ],
  [
    ({ healthyDeadline, progressDeadline }) => progressDeadline <= 0 || healthyDeadline < progressDeadline,
    ({ healthyDeadline, progressDeadline }) =>
      `Healthy deadline must be less than progress deadline: ${durationText(healthyDeadline)} > ${durationText(progressDeadline)}`,
    "Write a shorter healthy_deadline or a longer progress_deadline.",
  ],
  [
    ({ stagger }) => stagger > 0,
    ({ stagger }) => `Stagger must be greater than zero: ${durationText(stagger)}`,
    "Write stagger as a positive duration.",
  ],
];

/** Operators that compare nothing with a right side. */
const withoutRight: ReadonlySet<string> = new Set(["is_set", "is_not_set", "distinct_hosts", "distinct_property"]);

const constraintRules: readonly Rule<Constraint>[] = [
  [
    ({ operand }) => operands.has(operand),
    ({ operand }) => `Unknown constraint type ${JSON.stringify(operand)}`,
    `Write one of ${[...operands].join(", ")} as the operator.`,
  ],
  [
    ({ lTarget, operand }) => lTarget !== "" || operand === "distinct_hosts",
    () => "No LTarget provided but is required by constraint",
    'Say which attribute is compared: attribute = "${attr.…}".',
  ],
  [
    ({ rTarget, operand }) => rTarget !== "" || withoutRight.has(operand),
    ({ operand }) => `Operator ${JSON.stringify(operand)} requires an RTarget`,
    'Say what the attribute is compared with: value = "…".',
  ],
  [
    ({ operand, rTarget }) => operand !== "distinct_property" || rTarget === "" || Number(rTarget) >= 1,
    ({ rTarget }) => `Distinct Property must have an allowed count of 1 or greater: ${rTarget} < 1`,
    "Write how many allocations may share a value, or take it away for one.",
  ],
];

/** What is wrong with the constraints of a job, a group or a task. */
export function checkConstraints(constraints: readonly Constraint[], part: JobPart, findings: Findings): void {
  for (const constraint of constraints) {
    checkRules(constraint, constraintRules, part, findings);
    checkRegexp(constraint, part, findings);
  }
}

function checkRegexp({ operand, rTarget }: Constraint, part: JobPart, findings: Findings): void {
  if (operand !== "regexp") return;
  const compiled = compileRegexp(rTarget);
  if (compiled.ok) return;
  const summary = `Regular expression failed to compile: ${compiled.error}`;
  findings.refuse(part, summary, "Correct the regular expression (RE2's syntax).");
}

const affinityRules: readonly Rule<Affinity>[] = [
  [
    ({ operand }) => operands.has(operand) && !/^distinct_|^is_/.test(operand),
    ({ operand }) => `Unknown affinity operator ${JSON.stringify(operand)}`,
    "Affinities compare: write an operator as =, !=, <, regexp, version or set_contains.",
  ],
  [
    ({ lTarget }) => lTarget !== "",
    () => "No LTarget provided but is required by affinity",
    'Say which attribute is compared: attribute = "${attr.…}".',
  ],
  [({ weight }) => weight !== 0, () => "Affinity weight cannot be zero", "Write a weight from -100 to 100."],
  [
    ({ weight }) => Math.abs(weight) <= 100,
    () => "Affinity weight must be within the range [-100,100]",
    "Write a weight from -100 to 100.",
  ],
];

export function checkAffinities(affinities: readonly Affinity[], part: JobPart, findings: Findings): void {
  for (const affinity of affinities) checkRules(affinity, affinityRules, part, findings);
}

const spreadRules: readonly Rule<Spread>[] = [
  [
    ({ attribute }) => attribute !== "",
    () => "Missing spread attribute",
    'Say over what is spread: attribute = "${node.datacenter}".',
  ],
  [
    ({ weight }) => weight > 0 && weight <= 100,
    () => "Spread block must have a positive weight from 0 to 100",
    "Write a weight from 1 to 100.",
  ],
  [
    ({ targets }) => new Set(targets.map(({ value }) => value)).size === targets.length,
    () => "Spread target value already defined",
    "Write one target for each value.",
  ],
  [
    ({ targets }) => targets.every(({ percent }) => percent >= 0 && percent <= 100),
    () => "Spread target percentage must be between 0 and 100",
    "Write percentages from 0 to 100.",
  ],
  [
    ({ targets }) => sumOf(targets) <= 100,
    ({ targets }) => `Sum of spread target percentages must not be greater than 100%; got ${sumOf(targets)}%`,
    "Write percentages that come to 100 or less; what is left goes to the other values.",
  ],
];

function sumOf(targets: Spread["targets"]): number {
  return targets.reduce((sum, { percent }) => sum + percent, 0);
}

export function checkSpreads(spreads: readonly Spread[], part: JobPart, findings: Findings): void {
  for (const spread of spreads) checkRules(spread, spreadRules, part, findings);
}
