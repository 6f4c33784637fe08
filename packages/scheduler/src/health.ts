import type { Moment } from "./time.ts";

/** How an allocation proves itself: well for `minHealthyTime` without a break, within `deadline` from its start; milliseconds. */
export interface HealthRule {
  readonly minHealthyTime: number;
  readonly deadline: number;
}

/** Whether an allocation came up well. `proved` and `failed` are the end of it. */
export type HealthState =
  | { readonly kind: "waiting"; readonly since: Moment }
  | { readonly kind: "well"; readonly since: Moment; readonly wellSince: Moment }
  | { readonly kind: "proved" }
  | { readonly kind: "failed"; readonly why: string };

/** What is seen: all tasks run and all checks pass, or not; that a task failed for good; or that time has passed. */
export type HealthEvent =
  | { readonly kind: "well" | "unwell" | "tick"; readonly at: Moment }
  | { readonly kind: "taskFailed"; readonly task: string; readonly at: Moment };

export function stepHealth(state: HealthState, event: HealthEvent, rule: HealthRule): HealthState {
  if (state.kind === "proved" || state.kind === "failed") return state;
  if (event.kind === "taskFailed") return { kind: "failed", why: `Task "${event.task}" failed` };
  const { since } = state;
  // What was well for long enough before this event has proved itself, also when the event comes late.
  if (state.kind === "well" && event.at >= state.wellSince + rule.minHealthyTime) return { kind: "proved" };
  if (event.at >= since + rule.deadline) {
    const seconds = rule.deadline / 1_000;
    return { kind: "failed", why: `Not all tasks ran with passing checks within the healthy deadline of ${seconds} s` };
  }
  if (event.kind === "tick") return state;
  if (event.kind === "unwell") return { kind: "waiting", since };
  const wellSince = state.kind === "well" ? state.wellSince : event.at;
  return rule.minHealthyTime === 0 ? { kind: "proved" } : { kind: "well", since, wellSince };
}

/** When a tick changes it; undefined for never. */
export function nextHealthTick(state: HealthState, { minHealthyTime, deadline }: HealthRule): Moment | undefined {
  switch (state.kind) {
    case "waiting":
      return state.since + deadline;
    case "well":
      return Math.min(state.wellSince + minHealthyTime, state.since + deadline);
    case "proved":
    case "failed":
      return undefined;
  }
}
