import { type Deployment, healthyCanaries, needsPromotion, runningDescription } from "./deployment.ts";
import type { AllocId } from "./ids.ts";
import type { Moment } from "./time.ts";

/** How far the gates of a rollout have let it go. */
export interface Gating {
  /** The batch that is under way, or after which the gates are asked; from 1. */
  readonly batch: number;
  /** Since when they are asked after it; null while they are not. */
  readonly askedSince: Moment | null;
  /** What has it wait, as was said last. */
  readonly waits: GateWait | null;
  /** The allocations that they have let pass: where there are others, no further batch starts. */
  readonly passed: readonly AllocId[];
  /** What was decided, oldest first; the last twenty. */
  readonly decisions: readonly GateDecision[];
}

export interface GateWait {
  readonly at: Moment;
  readonly gate: string;
  readonly because: string;
}

export interface GateDecision {
  readonly batch: number;
  readonly at: Moment;
  readonly kind: "go" | "stop" | "back";
  /** Its name, or those of all that are for it; empty where a person decided. */
  readonly gate: string;
  readonly because: string;
}

/** That gates are asked after a batch. The same batch may be asked about again, where something has joined it since. */
export interface GateQuestion {
  readonly batch: number;
  readonly askedSince: Moment;
}

const mostDecisions = 20;

/** The gating of a rollout that begins. */
export const firstGating: Gating = { batch: 1, askedSince: null, waits: null, passed: [], decisions: [] };

/** What the gates of a rollout are asked now; undefined for nothing. */
export function questionOf({ status, gating }: Deployment): GateQuestion | undefined {
  if (status !== "running" || !gating || gating.askedSince === null) return undefined;
  return { batch: gating.batch, askedSince: gating.askedSince };
}

/**
 * A rollout with its gates asked where its batch is healthy as a whole, and asked no more where something has joined the batch.
 * `at` is undefined where nothing is asked anew.
 */
export function withQuestion(deployment: Deployment, at: Moment | undefined): Deployment {
  const { gating, status } = deployment;
  if (!gating) return deployment;
  const isAsked = gating.askedSince !== null;
  const isDue = status === "running" && isBatchHealthy(deployment, gating);
  if (isDue === isAsked || (isDue && at === undefined)) return deployment;
  const next: Deployment = { ...deployment, gating: { ...gating, askedSince: isDue ? at! : null, waits: null } };
  return status === "running" ? { ...next, description: runningDescription(next) } : next;
}

/** Whether all that was placed has passed the gates, or there are none. */
export function hasPassed({ groups, gating }: Deployment): boolean {
  if (!gating) return true;
  const passed = new Set(gating.passed);
  return Object.values(groups).every(({ placed }) => placed.every((id) => passed.has(id)));
}

function isBatchHealthy(deployment: Deployment, { passed }: Gating): boolean {
  const known = new Set(passed);
  let hasNew = false;
  for (const group of Object.values(deployment.groups)) {
    if (needsPromotion(group) && healthyCanaries(group) < group.desiredCanaries) return false;
    const healthy = new Set(group.healthy);
    for (const id of group.placed) {
      if (!healthy.has(id)) return false;
      hasNew ||= !known.has(id);
    }
  }
  return hasNew;
}

/** What was placed in these groups passes; with all of it the batch is over. */
export function letThrough(
  deployment: Deployment,
  names: readonly string[],
  said: Omit<GateDecision, "batch">,
): Deployment {
  const { gating, groups } = deployment;
  if (!gating) return deployment;
  const passed = new Set(gating.passed);
  const all = Object.entries(groups).flatMap(([name, { placed }]) => placed.map((id) => ({ name, id })));
  const through = all.filter(({ name, id }) => names.includes(name) || passed.has(id)).map(({ id }) => id);
  const isOver = through.length === all.length;
  return withDecision(
    {
      ...deployment,
      gating: { ...gating, passed: through, batch: gating.batch + Number(isOver), askedSince: null, waits: null },
    },
    { batch: gating.batch, ...said },
  );
}

export function withDecision(deployment: Deployment, decision: GateDecision): Deployment {
  const { gating } = deployment;
  if (!gating) return deployment;
  return { ...deployment, gating: { ...gating, decisions: [...gating.decisions, decision].slice(-mostDecisions) } };
}

/** Of the allocations of a rollout, those that have shown that the next batch may start. */
export function isProvedBy(
  gating: Gating | undefined,
): (allocation: { readonly id: AllocId; readonly healthy: boolean | null }) => boolean {
  if (!gating) return ({ healthy }) => healthy === true;
  const passed = new Set(gating.passed);
  return ({ id }) => passed.has(id);
}
