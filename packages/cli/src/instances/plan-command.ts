import { type SavedInstance, variablesBytes, writeInstancesPlanFile } from "@millwright/engine/instances/plan-file";
import { planBytes } from "@millwright/engine/plan-file";
import { hasChanges } from "@millwright/engine/plan";
import { describeFlags, type FlagTable, type FlagValues } from "../flags.ts";
import type { CommandIo } from "../io.ts";
import { sealingOf } from "../terraform/backend/sealing.ts";
import { afterPlan, noPlaceFor } from "../terraform/plan-files.ts";
import { type PlanningCall, runPlanning } from "../terraform/planning-session.ts";
import { readLine } from "../terraform/read-line.ts";
import type { CommandStyle, Session } from "../terraform/session.ts";
import { instancePlanningFlags, misuseOfInstances } from "./flags.ts";
import { loadListing } from "./listing.ts";
import { planInstances, type PlannedInstances } from "./plan-instances.ts";
import type { PlannedInstance } from "./ready-instance.ts";
import { leftToPlan, namedPlans, plansOf } from "./render.ts";
import { showPlans } from "./show-plans.ts";
import { badInstanceWhy, type InstanceToExplain, sayWhyInInstances, whyInstanceFlags } from "./why.ts";

const flags = {
  ...instancePlanningFlags,
  ...whyInstanceFlags,
  out: {
    kind: "string",
    value: "FILE",
    help: "Save the plans of all instances, for apply to carry out exactly those.",
  },
  "detailed-exitcode": {
    kind: "bool",
    help: "Exit with 2 when there are changes, 0 when there are none, 1 on errors.",
  },
} as const satisfies FlagTable;

type PlanInstancesCall = PlanningCall<FlagValues<typeof flags>>;

/** Plans the instances that the folder lists. */
export async function runPlanInstances(args: readonly string[], io: CommandIo, style: CommandStyle): Promise<number> {
  const parsed = await readLine(flags, args, io, () => help(style));
  if (typeof parsed === "number") return parsed;
  return runPlanning(io, style, parsed, {
    misuse: ({ session, args: given, values }) =>
      noPlaceFor(session, values.out) ??
      misuseOfInstances(given, values, 0) ??
      badInstanceWhy(values.why, values.instance),
    run: planAndShow,
  });
}

async function planAndShow({ session, mode, values, occurrences }: PlanInstancesCall): Promise<number> {
  const listing = await loadListing(session);
  const chosen = values.instance;
  const operation = "OperationTypePlan";
  const plans = await planInstances({ session, listing, mode, chosen, values, occurrences, operation });
  if (!plans) return 1;
  try {
    return await show(session, plans, values);
  } finally {
    await plans.release();
  }
}

async function show(session: Session, plans: PlannedInstances, values: FlagValues<typeof flags>): Promise<number> {
  const isWhole = await showPlans(session, plans);
  const { list } = plans.listing;
  const explained = { list, variables: plans.variables, instances: explainable(plans) };
  if (!(await sayWhyInInstances(session, explained, values.why, values.instance)) || !isWhole) return 1;
  const { out } = values;
  if (out !== undefined && !(await savePlans(session, out, plans))) return 1;
  const isChanged = plansOf(plans).some(hasChanges);
  if (!session.json) await session.io.stdout(afterPlan(session, out, isChanged));
  const isDone = !isChanged && leftToPlan(plans.later.keys(), namedPlans(plans)).length === 0;
  return values["detailed-exitcode"] && !isDone ? 2 : 0;
}

function explainable({ planned }: PlannedInstances): ReadonlyMap<string, InstanceToExplain> {
  return new Map([...planned].map(([name, { saved, ...instance }]) => [name, { ...instance, plan: saved.plan }]));
}

async function savePlans(session: Session, name: string, plans: PlannedInstances): Promise<boolean> {
  const { listing, variables, planned, later } = plans;
  const { files, contribution } = listing;
  const instances: SavedInstance[] = [];
  for (const instance of planned.values()) {
    const saved = await savedInstance(instance);
    if (!saved) return false;
    instances.push(saved);
  }
  const sealing = await sealingOf(session, [], "plan");
  if (!sealing) return false;
  writeInstancesPlanFile(session.path(name), {
    files,
    ...(contribution === undefined ? {} : { contribution }),
    variables: await sealing.seal(variablesBytes(variables.given)),
    later: [...later].map(([other, why]) => ({ name: other, why })),
    instances,
  });
  return true;
}

/** Undefined where it is not known how to encrypt it, which was reported. */
async function savedInstance({ task, session, saved }: PlannedInstance): Promise<SavedInstance | undefined> {
  const sealing = await sealingOf(session, [], "plan");
  if (!sealing) return undefined;
  return {
    name: task.name,
    task: task.task,
    template: task.template ?? ".",
    dependencies: [...task.dependencies],
    used: [...task.used],
    plan: await sealing.seal(planBytes(saved)),
  };
}

function help(style: CommandStyle): string {
  return `Usage: ${style} plan [flags]

Shows what would change to bring every instance that this folder lists to what
its template and inputs say. Nothing is changed. With -out the plans are saved
in one file, and apply carries out exactly those.

Example: ${style} plan -instance=network -out=change.plan

${describeFlags(flags)}`;
}
