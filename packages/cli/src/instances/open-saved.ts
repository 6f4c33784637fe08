import {
  readInstancesPlanFile,
  type SavedInstance,
  type SavedInstancesPlan,
  variablesOf,
} from "@millwright/engine/instances/plan-file";
import { type SavedPlan, savedPlanOf } from "@millwright/engine/plan-file";
import type { Value } from "@millwright/value/value";
import { sealingOf } from "../terraform/backend/sealing.ts";
import type { Session } from "../terraform/session.ts";
import { instanceSession } from "./instance-session.ts";

/** A saved plan of instances, opened where it is encrypted. */
export interface OpenedPlans {
  readonly plans: SavedInstancesPlan;
  readonly variables: ReadonlyMap<string, Value>;
  readonly instances: readonly OpenedInstance[];
}

export interface OpenedInstance extends SavedInstance {
  readonly saved: SavedPlan;
}

/** Reads saved plans of instances. Undefined where it is not known how they are encrypted, which was reported. */
export async function openSavedPlans(session: Session, path: string): Promise<OpenedPlans | undefined> {
  const plans = readInstancesPlanFile(path);
  const own = await sealingOf(session, [], "plan");
  if (!own) return undefined;
  const instances: OpenedInstance[] = [];
  for (const instance of plans.instances) {
    const { name, template } = instance;
    const inside = instanceSession(session, { name, template, inputs: [], listFiles: new Set() });
    const sealing = await sealingOf(inside, [], "plan");
    if (!sealing) return undefined;
    instances.push({ ...instance, saved: savedPlanOf(await sealing.open(instance.plan), path) });
  }
  return { plans, variables: variablesOf(await own.open(plans.variables)), instances };
}
