import { hasErrors } from "@millwright/core/diagnostics";
import type { Plan } from "@millwright/engine/plan";
import { hasChanges } from "@millwright/engine/plan";
import { writePlanFile } from "@millwright/engine/plan-file";
import { describeFlags, type FlagTable, parseFlags } from "../flags.ts";
import type { CommandIo } from "../io.ts";
import { JsonView } from "../views/json-lines.ts";
import { renderPlan } from "../views/plan.ts";
import { progressView } from "../views/progress.ts";
import { renderDiagnostic } from "../views/diagnostics.ts";
import { planningFlags } from "./options.ts";
import { providerVersions } from "./registry.ts";
import { planFolder, planMode } from "./run-plan.ts";
import { type CommandStyle, loadFolder, newPool, openState, Session, stateOptions } from "./session.ts";

const flags = {
  ...planningFlags,
  out: { kind: "string", value: "FILE", help: "Save the plan, for apply to carry out exactly that." },
  "detailed-exitcode": {
    kind: "bool",
    help: "Exit with 2 when there are changes, 0 when there are none, 1 on errors.",
  },
} as const satisfies FlagTable;

export async function runPlan(args: readonly string[], io: CommandIo, style: CommandStyle): Promise<number> {
  const parsed = parseFlags(flags, args, "anywhere");
  if (parsed.kind === "help") {
    await io.stdout(help(style));
    return 0;
  }
  if (parsed.kind === "mistake") {
    await io.stderr(renderDiagnostic(parsed.diagnostic, io.view));
    return 1;
  }
  const { values, occurrences } = parsed;
  const session = new Session(io, style, io.cwd, {
    noColor: values["no-color"],
    compactWarnings: values["compact-warnings"],
  });
  if (parsed.args.length > 0) {
    await session.report([
      {
        severity: "error",
        summary: "Too many command line arguments",
        detail: `plan takes no arguments, and was given ${parsed.args.join(" ")}. To plan another folder, use the global -chdir option.`,
      },
    ]);
    return 1;
  }
  const mode = planMode(values, false);
  if (typeof mode !== "string") {
    await session.report([mode]);
    return 1;
  }
  const json = values.json ? new JsonView(io) : undefined;
  const folder = await loadFolder(session);
  const state = await openState(session, stateOptions(values, occurrences, "OperationTypePlan"));
  if (!state) return 1;
  const pool = newPool();
  try {
    const events = json ? json.events : progressView(session, "plan");
    const result = await planFolder({ session, folder, state, pool, values, occurrences, mode, events });
    const { plan, diagnostics } = result;
    if (json) {
      if (plan) json.plan(plan, hasErrors(diagnostics));
      json.diagnostics(diagnostics);
    } else {
      if (plan) await io.stdout(renderPlan(plan, session.view, pool));
      if (!(await session.report(diagnostics)) && !plan) return 1;
    }
    if (hasErrors(diagnostics) || !plan) {
      if (plan && !json)
        await io.stdout(
          `\n${style === "terraform" ? "Terraform" : "Millwright"} planned the above as far as it could, and found errors. Nothing was changed.\n`,
        );
      return 1;
    }
    if (values.out !== undefined) {
      const { files, stack } = folder;
      writePlanFile(session.path(values.out), {
        plan,
        files,
        providers: providerVersions(plan),
        ...(stack ? { contribution: stack.saved } : {}),
      });
    }
    if (!json) await io.stdout(afterword(plan, values.out, style));
    return values["detailed-exitcode"] && hasChanges(plan) ? 2 : 0;
  } finally {
    await pool.close();
    state.release();
  }
}

function afterword(plan: Plan, out: string | undefined, style: CommandStyle): string {
  const line = `\n${"─".repeat(77)}\n`;
  const name = style === "terraform" ? "terraform" : "millwright";
  if (out !== undefined)
    return `${line}\nSaved the plan to: ${out}\n\nTo perform exactly these actions, run the following command to apply:\n    ${name} apply ${JSON.stringify(out)}\n`;
  if (!hasChanges(plan)) return "";
  return `${line}\nNote: You didn't use the -out option to save this plan, so ${style === "terraform" ? "Terraform" : "Millwright"} can't guarantee to\ntake exactly these actions if you run "${name} apply" now.\n`;
}

function help(style: CommandStyle): string {
  return `Usage: ${style} plan [flags]

Shows what would change to bring everything to what the folder's configuration
says. Nothing is changed. With -out the plan is saved, and apply carries out
exactly that.

Example: ${style} plan -var-file=production.tfvars -out=change.plan

${describeFlags(flags)}`;
}
