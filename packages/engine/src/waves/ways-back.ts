import type { Action, InstanceChange } from "../plan/plan.ts";
import { isReplace } from "../plan/plan.ts";
import { whyIrreversible } from "./measure.ts";

/** What would take a wave's changes back, by address. */
export interface WayBack {
  readonly steps: ReadonlyMap<string, BackStep>;
  /** Changes that nothing takes back wholly, with why. */
  readonly without: readonly { readonly address: string; readonly why: string }[];
}

/** How one change is taken back. */
export type BackStep = "destroy" | "change back" | "make again" | "replace again" | "take over again";

const unknownConfiguration = "the configuration of before is not known: no whole run is in the history";

/** The way back of a wave. Without a configuration to go back to, only what is made now can be taken back. */
export function wayBack(changes: readonly InstanceChange[], hasConfigurationBefore: boolean): WayBack {
  const steps = new Map<string, BackStep>();
  const without: { address: string; why: string }[] = [];
  for (const change of changes) {
    const { address, deposedKey, action } = change;
    const step = deposedKey === undefined ? stepBack(action) : undefined;
    const why = step && step !== "destroy" && !hasConfigurationBefore ? unknownConfiguration : whyIrreversible(change);
    if (step && !(step !== "destroy" && !hasConfigurationBefore)) steps.set(address.text, step);
    if (why !== undefined) without.push({ address: address.text, why });
  }
  return { steps, without };
}

function stepBack(action: Action): BackStep | undefined {
  if (action === "create") return "destroy";
  if (action === "update") return "change back";
  if (action === "delete") return "make again";
  if (action === "forget") return "take over again";
  return isReplace(action) ? "replace again" : undefined;
}

/** Whether what a plan does to an object is what its way back was shown to be. */
export function fits(step: BackStep | undefined, action: Action): boolean {
  if (action === "no-op" || action === "read") return true;
  switch (step) {
    case undefined:
      return false;
    case "destroy":
      return action === "delete" || action === "forget";
    case "change back":
      return action === "update";
    case "make again":
    case "take over again":
      return action === "create";
    case "replace again":
      return isReplace(action) || action === "create" || action === "update";
  }
}
