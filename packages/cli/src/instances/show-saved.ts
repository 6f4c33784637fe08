import { existsSync } from "node:fs";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import { sourcesOf } from "@millwright/engine/provider-sources";
import type { Plan } from "@millwright/engine/plan";
import { planJson } from "@millwright/engine/plan-json";
import type { ProviderPool } from "@millwright/engine/provider-pool";
import { whyJson } from "@millwright/engine/why-json";
import { newPool } from "../terraform/run-context.ts";
import { savedConfiguration } from "../terraform/saved-configuration.ts";
import type { Session } from "../terraform/session.ts";
import { planText } from "../terraform/shown-plan.ts";
import { instanceSession } from "./instance-session.ts";
import { savedVariables } from "./list-values.ts";
import { type Listing, restoreListing } from "./listing.ts";
import { type OpenedInstance, type OpenedPlans, openSavedPlans } from "./open-saved.ts";
import { worthShowing } from "./plan-instances.ts";
import { heading, measures } from "./render.ts";
import { type InstancesToExplain, type InstanceToExplain, sayWhyInInstances, whyOfInstances } from "./why.ts";

export interface ShowSavedValues {
  readonly json: boolean;
  readonly why: readonly string[];
}

/**
 * Shows a saved plan of instances: each plan below its heading, or all in Terraform's JSON format by their names; with `why`, the
 * reasons that were asked for instead.
 */
export async function showSavedPlans(session: Session, name: string, values: ShowSavedValues): Promise<number> {
  const path = session.path(name);
  if (!existsSync(path)) {
    const detail = `There is no file ${name} in ${session.folder}.`;
    await session.report([errorDiagnostic("Failed to read the given file as a plan file", detail)]);
    return 1;
  }
  const opened = await openSavedPlans(session, path);
  if (!opened) return 1;
  const listing = await restoreListing(opened.plans);
  const instances = new Map<string, InstanceToExplain>();
  for (const one of opened.instances) instances.set(one.name, await savedInstance(session, one, listing));
  if (values.why.length === 0) return show(session, { opened, list: listing.list, instances }, values.json);
  const { value: variables } = savedVariables(listing.list, opened.variables);
  return why(session, { list: listing.list, variables, instances }, values);
}

async function savedInstance(
  session: Session,
  { name, template, task, saved }: OpenedInstance,
  { names }: Listing,
): Promise<InstanceToExplain> {
  const inside = instanceSession(session, { name, template, inputs: [], listFiles: names });
  const { plan } = saved;
  const { value: configuration } = await savedConfiguration(inside, { ...saved, variables: plan.variables });
  return { task: { name, template, task, listed: task === "make" }, session: inside, plan, configuration };
}

async function show(
  session: Session,
  { opened, list, instances }: Omit<InstancesToExplain, "variables"> & { readonly opened: OpenedPlans },
  json: boolean,
): Promise<number> {
  const { later } = opened.plans;
  const plans: Record<string, unknown> = {};
  for (const [name, one] of instances) {
    const { task, session: inside, plan, configuration } = one;
    if (json) plans[name] = await withPool(one, (pool) => planJson(plan, configuration, pool));
    else if (worthShowing(plan))
      await session.io.stdout(
        heading(task, session.view) + (await withPool(one, async (pool) => planText(inside, plan, pool))),
      );
  }
  if (json) {
    await session.io.stdout(`${JSON.stringify({ instances: plans, later })}\n`);
    return 0;
  }
  for (const each of later) await session.io.stdout(`\nPlanned after this apply: ${each.name}, since ${each.why}\n`);
  const all = new Map<string, Plan>([...instances].map(([name, { plan }]) => [name, plan]));
  await session.io.stdout(measures(session, all, list));
  return 0;
}

async function withPool<T>(
  { session, plan, configuration }: InstanceToExplain,
  work: (pool: ProviderPool) => Promise<T>,
): Promise<T> {
  const pool = await newPool(session);
  try {
    await pool.load(sourcesOf(configuration, plan.priorState));
    return await work(pool);
  } finally {
    await pool.close();
  }
}

async function why(session: Session, all: InstancesToExplain, { json, why: texts }: ShowSavedValues): Promise<number> {
  if (!json) return (await sayWhyInInstances(session, all, texts, [])) ? 0 : 1;
  const found = await whyOfInstances(session, all, texts, []);
  if (!found) return 1;
  const reasons = found.flatMap(({ instance, address, explain }) =>
    whyJson(explain(address)).map((report) => ({ instance, ...report })),
  );
  await session.io.stdout(`${JSON.stringify({ format_version: "1.0", why: reasons })}\n`);
  return 0;
}
