import type { Plan } from "@millwright/engine/plan";
import type { ProviderPool } from "@millwright/engine/provider-pool";
import { renderMeasure, renderUnread } from "../views/measure.ts";
import { renderPlan } from "../views/plan.ts";
import type { Session } from "./session.ts";

/** A plan as people see it; under our own name with its measure, where there was something before. */
export function shownPlan({ view, style }: Session, plan: Plan, pool: ProviderPool): string {
  const isFirst = plan.previousState.resources.size === 0;
  const measure = style === "terraform" || isFirst ? "" : renderMeasure(plan, view);
  return renderPlan(plan, view, pool) + renderUnread(plan, view) + measure;
}
