import type { Plan } from "@millwright/engine/plan";
import type { ProviderPool } from "@millwright/engine/provider-pool";
import { renderMeasure, renderUnread } from "../views/measure.ts";
import { renderPlan } from "../views/plan.ts";
import { revealedPlan } from "../views/revealed.ts";
import type { Session } from "./session.ts";

/** A plan as people see it; under our own name with its measure, where there was something before. */
export function shownPlan(session: Session, plan: Plan, pool: ProviderPool): string {
  const isFirst = plan.previousState.resources.size === 0;
  const measure = session.style !== "millwright" || isFirst ? "" : renderMeasure(plan, session.view);
  return planText(session, plan, pool) + measure;
}

/** The same without its measure. */
export function planText({ view, reporting }: Session, planned: Plan, pool: ProviderPool): string {
  const plan = reporting.showSensitive ? revealedPlan(planned) : planned;
  return renderPlan(plan, view, pool) + renderUnread(plan, view);
}
