import type { Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic, hasErrors } from "@millwright/core/diagnostics";
import { hasChanges } from "@millwright/engine/plan";
import { describeFlags, type FlagTable, type FlagValues } from "../flags.ts";
import type { CommandIo } from "../io.ts";
import { wrapText } from "../views/style.ts";
import { generateConfig } from "./generate-config.ts";
import { loadFolder } from "./folder.ts";
import { openState, scopedFor, stateOptions } from "./open-state.ts";
import { badLockScope, badPlanningFlags, lockScopeFlag, planningFlags } from "./options.ts";
import { afterPlan, noPlaceFor, savePlanFile } from "./plan-files.ts";
import { newPool } from "./run-context.ts";
import { badWhy, sayWhy, whyFlags } from "./why.ts";
import { planFolder } from "./run-plan.ts";
import { savedPlan } from "./saved-plan.ts";
import { eventsOf } from "./apply-call.ts";
import { type PlanningCall, runPlanning } from "./planning-session.ts";
import { reportingFlags } from "./reporting.ts";
import { programName } from "./program-name.ts";
import type { CommandStyle, Session } from "./session.ts";
import { shownPlan } from "./shown-plan.ts";
import { readLine } from "./read-line.ts";

const flags = {
  ...planningFlags,
  ...lockScopeFlag,
  out: { kind: "string", value: "FILE", help: "Save the plan, for apply to carry out exactly that." },
  ...whyFlags,
  ...reportingFlags,
  "generate-config-out": {
    kind: "string",
    value: "FILE",
    help: "Write configuration for what import blocks name and nothing declares into this new file.",
  },
  "detailed-exitcode": {
    kind: "bool",
    help: "Exit with 2 when there are changes, 0 when there are none, 1 on errors.",
  },
} as const satisfies FlagTable;

export async function runPlan(args: readonly string[], io: CommandIo, style: CommandStyle): Promise<number> {
  const parsed = await readLine(flags, args, io, () => help(style));
  if (typeof parsed === "number") return parsed;
  return runPlanning(io, style, parsed, { misuse, run: planAndShow });
}

type PlanCall = PlanningCall<FlagValues<typeof flags>>;

function misuse({ session, args, values }: PlanCall): Diagnostic | undefined {
  if (args.length > 0) {
    const detail = `plan takes no arguments, and was given ${args.join(" ")}. To plan another folder, use the global -chdir option.`;
    return errorDiagnostic("Too many command line arguments", detail);
  }
  return noPlaceFor(session, values.out) ?? badLockScope(values) ?? badPlanningFlags(values) ?? badWhy(values.why);
}

async function planAndShow({ session, mode, values, occurrences }: PlanCall): Promise<number> {
  const { io, json } = session;
  const asFound = await loadFolder(session, occurrences);
  const state = await openState(session, stateOptions(scopedFor(mode, values), occurrences, "OperationTypePlan"));
  if (!state) return 1;
  const pool = await newPool(session);
  try {
    const events = eventsOf({ session }, "plan");
    const written = await generateConfig({
      session,
      folder: asFound,
      state,
      occurrences,
      out: values["generate-config-out"],
    });
    if (!written) return 1;
    const { folder, generated } = written;
    const common = { session, folder, state, pool, values, occurrences, mode, events };
    const { plan, diagnostics } = await planFolder({ ...common, generated });
    const failed = hasErrors(diagnostics);
    const shown = plan !== undefined && (hasChanges(plan) || !failed);
    if (plan) session.tellJson((view) => view.plan(plan, failed));
    if (plan && shown && !json) await io.stdout(shownPlan(session, plan, pool) + (diagnostics.length > 0 ? "\n" : ""));
    await session.report(diagnostics);
    if (plan) await sayWhy(session, plan, folder.configuration, values.why);
    if (!plan || failed) {
      // Also a plan with errors can be looked at; apply refuses it.
      if (plan && values.out !== undefined) {
        const saved = await savedPlan(session, plan, folder, state);
        await savePlanFile(session, session.path(values.out), saved, occurrences);
      }
      if (shown && !json) await io.stdout(incomplete(session));
      return 1;
    }
    if (values.out !== undefined) {
      const saved = await savedPlan(session, plan, folder, state);
      if (!(await savePlanFile(session, session.path(values.out), saved, occurrences))) return 1;
    }
    if (!json && generated.size > 0) await io.stdout(generatedNote(session, values["generate-config-out"]));
    if (!json) await io.stdout(afterPlan(session, values.out, hasChanges(plan)));
    const isDone = !hasChanges(plan) && plan.deferrals.length === 0;
    return values["detailed-exitcode"] && !isDone ? 2 : 0;
  } finally {
    await pool.close();
    await state.release();
  }
}

function generatedNote({ style, view }: Session, file: string | undefined): string {
  const name = programName(style);
  const text = `${name} has generated configuration and written it to ${file}. Please review the configuration and edit it as necessary before adding it to version control.`;
  return `\n${wrapText(text, view.width).join("\n")}\n`;
}

function incomplete({ view }: Session): string {
  const text = "This plan is as far as it could be made: there were errors. Nothing was changed.";
  return `\n${wrapText(text, view.width).join("\n")}\n`;
}

function help(style: CommandStyle): string {
  return `Usage: ${style} plan [flags]

Shows what would change to bring everything to what the folder's configuration
says. Nothing is changed. With -out the plan is saved, and apply carries out
exactly that.

Example: ${style} plan -var-file=production.tfvars -out=change.plan

${describeFlags(flags)}`;
}
