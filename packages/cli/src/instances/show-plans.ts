import { hasErrors } from "@millwright/core/diagnostics";
import type { PlannedInstances } from "./plan-instances.ts";
import { heading, plansOf, summary, totals } from "./render.ts";
import type { Session } from "../terraform/session.ts";

/** Shows the plans of all instances, each below a heading, and their sum. False where something could not be planned. */
export async function showPlans(session: Session, plans: PlannedInstances): Promise<boolean> {
  let ok = plans.failed.length === 0 && plans.skipped.length === 0;
  for (const { task, text, plan, diagnostics, session: inside } of plans.planned.values()) {
    if (inside.json) inside.json.plan(plan, false);
    else if (text !== "") await session.io.stdout(heading(task, session.view) + text);
    await inside.report(diagnostics);
    if (hasErrors(diagnostics)) ok = false;
  }
  if (session.json) {
    for (const [name, why] of plans.later) session.json.later(name, why);
    session.json.total(totals(plansOf(plans)), "plan");
  } else await session.io.stdout(summary(plans, session.view));
  return ok;
}
