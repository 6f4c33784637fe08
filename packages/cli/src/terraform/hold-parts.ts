import type { Diagnostic } from "@millwright/core/diagnostics";
import { warningDiagnostic } from "@millwright/core/diagnostics";
import { systemClock } from "@millwright/core/ports";
import { takeParts } from "@millwright/engine/backend/parts-hold";
import type { Configuration } from "@millwright/engine/configuration";
import { differingParts, noParts } from "@millwright/engine/parts/merge";
import { partsOfPlan } from "@millwright/engine/parts/parts-of-plan";
import type { Plan } from "@millwright/engine/plan";
import type { OpenState } from "./open-state.ts";
import type { Session } from "./session.ts";

/** What came of holding what a plan is about. */
export type HeldForPlan =
  | { readonly kind: "held" }
  /** These parts are held, and another run has changed them since the plan was made. */
  | { readonly kind: "moved"; readonly parts: readonly string[] };

/**
 * Holds the parts of a shared state that a plan changes, and those it relies on, and looks whether they are still as the plan
 * knows them. What was held for an earlier plan stays held, unless it has to be waited for more. Of a state that is held as a whole there is nothing to hold.
 * Rejects with `stateLocked`, which says who holds which.
 */
export async function holdForPlan(
  session: Session,
  { kept, shared }: OpenState,
  plan: Plan,
  configuration: Configuration,
): Promise<HeldForPlan> {
  if (!shared) return { kind: "held" };
  const { hold, timeout } = shared;
  const { changed, read, along } = partsOfPlan(plan, configuration);
  const wanted = { changed, read };
  kept.own(noParts);
  if ((await hold.hold(wanted)).kind === "busy") {
    // Who waits holds nothing, so that two runs never wait for each other.
    await hold.letGo();
    await takeParts(hold, wanted, { place: kept.place, timeout, clock: systemClock, signal: session.io.signal });
  }
  await kept.reread();
  const moved = differingParts(plan.previousState, kept.current.state, [...changed, ...read]);
  if (moved.length > 0 || kept.current.lineage !== plan.lineage) return { kind: "moved", parts: moved };
  kept.own({ changed: new Set(changed), along: new Set(along) });
  return { kind: "held" };
}

/** Does something with parts of a shared state that are held meanwhile, and with what is newest of them. */
export async function withParts(
  { kept, shared }: OpenState,
  parts: readonly string[],
  work: () => Promise<void>,
): Promise<void> {
  if (!shared) return work();
  const signal = new AbortController().signal;
  const waiting = { place: kept.place, timeout: shared.timeout, clock: systemClock, signal };
  await takeParts(shared.hold, { changed: parts, read: [] }, waiting);
  await kept.reread();
  kept.own({ changed: new Set(parts), along: new Set() });
  try {
    await work();
  } finally {
    kept.own(noParts);
    await shared.hold.letGo();
  }
}

/** That what was planned is planned again. */
export function movedDiagnostic(parts: readonly string[]): Diagnostic {
  const list = parts.map((part) => `\n  - ${part}`).join("");
  const detail = `Another run has changed these since the plan was made, so it is made again:${list}`;
  return warningDiagnostic("Plan made again", detail);
}
