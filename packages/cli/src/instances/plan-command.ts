import { existsSync } from "node:fs";
import { dirname } from "node:path";
import type { Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import { type SavedInstance, variablesBytes, writeInstancesPlanFile } from "@millwright/engine/instances/plan-file";
import { planBytes } from "@millwright/engine/plan-file";
import { hasChanges } from "@millwright/engine/plan";
import { describeFlags, type FlagTable, type FlagValues } from "../flags.ts";
import type { CommandIo } from "../io.ts";
import { sealingOf } from "../terraform/backend/sealing.ts";
import { planMode } from "../terraform/run-plan.ts";
import { providersOf, providerVersions } from "../terraform/registry.ts";
import type { CommandStyle } from "../terraform/session.ts";
import { Session } from "../terraform/session.ts";
import { sourcesIn } from "../views/diagnostics.ts";
import { JsonView } from "../views/json-lines.ts";
import { instancePlanningFlags, misuseOfInstances } from "./flags.ts";
import { loadListing } from "./listing.ts";
import { type PlannedInstance, planInstances, type PlannedInstances } from "./plan-instances.ts";
import { plansOf } from "./render.ts";
import { showPlans } from "./show-plans.ts";
import { readLine } from "../terraform/read-line.ts";

const flags = {
  ...instancePlanningFlags,
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

/** Plans the instances that the folder lists. */
export async function runPlanInstances(args: readonly string[], io: CommandIo, style: CommandStyle): Promise<number> {
  const parsed = await readLine(flags, args, io, () => help(style));
  if (typeof parsed === "number") return parsed;
  const { values, occurrences } = parsed;
  const session = new Session(io, style, io.cwd, {
    noColor: values["no-color"],
    compactWarnings: values["compact-warnings"],
    ...(values.json ? { json: new JsonView(io, sourcesIn(io.cwd)) } : {}),
  });
  const mode = planMode(values, false);
  const refused = typeof mode === "string" ? misuse(session, parsed.args, values) : mode;
  if (refused || typeof mode !== "string") {
    await session.report(refused ? [refused] : []);
    return 1;
  }
  return session.guard(async () => {
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
  });
}

function misuse(session: Session, args: readonly string[], values: FlagValues<typeof flags>): Diagnostic | undefined {
  if (values.out !== undefined && !existsSync(dirname(session.path(values.out)))) {
    const detail = `There is no folder ${dirname(session.path(values.out))} to save the plan in. Make it first, or name another file with -out.`;
    return errorDiagnostic("Cannot save the plan", detail);
  }
  return misuseOfInstances(args, values, 0);
}

async function show(session: Session, plans: PlannedInstances, values: FlagValues<typeof flags>): Promise<number> {
  if (!(await showPlans(session, plans))) return 1;
  const { out } = values;
  if (out !== undefined && !(await savePlans(session, out, plans))) return 1;
  if (!session.json) await session.io.stdout(afterword(session, plans, out));
  const changes = plans.later.size > 0 || plansOf(plans).some(hasChanges);
  return values["detailed-exitcode"] && changes ? 2 : 0;
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
async function savedInstance(instance: PlannedInstance): Promise<SavedInstance | undefined> {
  const { task, session, plan, folder, contribution } = instance;
  const sealing = await sealingOf(session, [], "plan");
  if (!sealing) return undefined;
  const providers = providerVersions(plan, (await providersOf(session)).registry);
  const kept = contribution === undefined ? {} : { contribution };
  return {
    name: task.name,
    task: task.task,
    template: task.template ?? ".",
    dependencies: [...task.dependencies],
    used: [...task.used],
    plan: await sealing.seal(planBytes({ plan, files: folder.files, providers, ...kept })),
  };
}

function afterword({ style, io }: Session, plans: PlannedInstances, out: string | undefined): string {
  if (io.env.TF_IN_AUTOMATION) return out === undefined ? "" : `\nSaved the plan to: ${out}\n`;
  if (out !== undefined)
    return `\nSaved the plan to: ${out}\n\nTo perform exactly these actions, run the following command to apply:\n    ${style} apply ${JSON.stringify(out)}\n`;
  return plansOf(plans).some(hasChanges)
    ? `\nThis plan was not saved. With -out=FILE it is, and apply carries out exactly that.\n`
    : "";
}

function help(style: CommandStyle): string {
  return `Usage: ${style} plan [flags]

Shows what would change to bring every instance that this folder lists to what
its template and inputs say. Nothing is changed. With -out the plans are saved
in one file, and apply carries out exactly those.

Example: ${style} plan -instance=network -out=change.plan

${describeFlags(flags)}`;
}
