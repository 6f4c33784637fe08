import { hasErrors } from "@millwright/core/diagnostics";
import type { PlannedInstances } from "./plan-instances.ts";
import { heading, measures, namedPlans, plansOf, summary, totals } from "./render.ts";
import type { Session } from "../terraform/session.ts";

/** Shows the plans of all instances, each below a heading, and their sum. False where something could not be planned. */
export async function showPlans(session: Session, plans: PlannedInstances): Promise<boolean> {
  let ok = plans.failed.length === 0 && plans.skipped.length === 0;
  for (const { task, text, saved, diagnostics, session: inside } of plans.planned.values()) {
    inside.tellJson((view) => view.plan(saved.plan, false));
    if (!session.json && text !== "") await session.io.stdout(heading(task, session.view) + text);
    await inside.report(diagnostics);
    if (hasErrors(diagnostics)) ok = false;
  }
  session.tellJson((view) => {
    for (const [name, why] of plans.later) view.later(name, why);
    view.total(totals(plansOf(plans)), "plan");
  });
  if (session.json) return ok;
  await session.io.stdout(summary(plans, session.view) + measures(session, namedPlans(plans), plans.listing.list));
  return ok;
}
