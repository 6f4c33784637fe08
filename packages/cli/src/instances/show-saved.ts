import { existsSync } from "node:fs";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import { sourcesOf } from "@millwright/engine/make-plan";
import { planJson } from "@millwright/engine/plan-json";
import { newPool } from "../terraform/run-context.ts";
import { savedConfiguration } from "../terraform/saved-configuration.ts";
import type { Session } from "../terraform/session.ts";
import { renderPlan } from "../views/plan.ts";
import { instanceSession } from "./instance-session.ts";
import { openSavedPlans } from "./open-saved.ts";
import { worthShowing } from "./plan-instances.ts";
import { heading } from "./render.ts";

/** Shows a saved plan of instances: each plan below its heading, or all in Terraform's JSON format by their names. */
export async function showSavedPlans(session: Session, name: string, json: boolean): Promise<number> {
  const path = session.path(name);
  if (!existsSync(path)) {
    const detail = `There is no file ${name} in ${session.folder}.`;
    await session.report([errorDiagnostic("Failed to read the given file as a plan file", detail)]);
    return 1;
  }
  const opened = await openSavedPlans(session, path);
  if (!opened) return 1;
  const { instances } = opened;
  const { later } = opened.plans;
  const plans: Record<string, unknown> = {};
  for (const { name: instance, template, task, saved } of instances) {
    const inside = instanceSession(session, { name: instance, template, inputs: [], listFiles: new Set() });
    const pool = await newPool(inside);
    try {
      const { value: configuration } = await savedConfiguration(inside, { ...saved, variables: saved.plan.variables });
      await pool.load(sourcesOf(configuration, saved.plan.priorState));
      if (json) plans[instance] = await planJson(saved.plan, configuration, pool);
      else if (worthShowing(saved.plan)) {
        const shown = { name: instance, template, task, listed: task === "make" };
        await session.io.stdout(heading(shown, session.view) + renderPlan(saved.plan, session.view, pool));
      }
    } finally {
      await pool.close();
    }
  }
  if (json) await session.io.stdout(`${JSON.stringify({ instances: plans, later })}\n`);
  else
    for (const each of later) await session.io.stdout(`\nPlanned after this apply: ${each.name}, since ${each.why}\n`);
  return 0;
}
