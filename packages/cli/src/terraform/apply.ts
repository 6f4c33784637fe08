import type { Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import { describeFlags, type FlagTable, type FlagValues } from "../flags.ts";
import type { CommandIo } from "../io.ts";
import { planAndApply } from "./apply-planned.ts";
import { applySaved } from "./apply-saved.ts";
import { badLockScope, badPlanningFlags, lockScopeFlag, planningFlags, stateOutFlags } from "./options.ts";
import { runPlanning } from "./planning-session.ts";
import { reportingFlags } from "./reporting.ts";
import type { CommandStyle } from "./session.ts";
import { readLine } from "./read-line.ts";

/** The flags of apply and destroy. */
export const applyFlags = {
  ...planningFlags,
  ...lockScopeFlag,
  ...stateOutFlags,
  ...reportingFlags,
  "auto-approve": { kind: "bool", help: "Do not ask before changing anything." },
  "suppress-forget-errors": {
    kind: "bool",
    help: "End a destroy without an error that has let objects go which destroy = false keeps from being destroyed.",
  },
  waves: {
    kind: "string",
    value: "SIZES",
    alone: "",
    help: "Carry the changes out in waves of these sizes, such as 1,10%,100%, and ask the gates of waves.hcl between them. Without sizes those of the file, or 1,10%,33%,100%.",
  },
} as const satisfies FlagTable;

type Values = FlagValues<typeof applyFlags>;

export function runApply(args: readonly string[], io: CommandIo, style: CommandStyle): Promise<number> {
  return run("apply", args, io, style);
}

export function runDestroy(args: readonly string[], io: CommandIo, style: CommandStyle): Promise<number> {
  return run("destroy", args, io, style);
}

/** Terraform's older name for `apply -refresh-only -auto-approve`. */
export function runRefresh(args: readonly string[], io: CommandIo, style: CommandStyle): Promise<number> {
  return run("apply", ["-refresh-only", "-auto-approve", ...args], io, style);
}

async function run(
  verb: "apply" | "destroy",
  args: readonly string[],
  io: CommandIo,
  style: CommandStyle,
): Promise<number> {
  const parsed = await readLine(applyFlags, args, io, () => help(verb, style));
  if (typeof parsed === "number") return parsed;
  return runPlanning(io, style, parsed, {
    destroys: verb === "destroy",
    misuse: ({ args: given, values }) => misuse(verb, given, values),
    run: ({ session, mode, values, occurrences, args: [planFile] }) => {
      const call = { session, verb, values, occurrences };
      return planFile === undefined ? planAndApply(call, mode) : applySaved(call, planFile);
    },
  });
}

function misuse(verb: string, args: readonly string[], values: Values): Diagnostic | undefined {
  if (args.length > 1 || (verb !== "apply" && args.length > 0)) {
    return errorDiagnostic(
      "Too many command line arguments",
      verb !== "apply"
        ? `${verb} takes no arguments. Use the global -chdir option to work in another folder.`
        : "Expected at most one positional argument: a saved plan. Use the global -chdir option to work in another folder.",
    );
  }
  return nobodyToAsk(args, values) ?? badLockScope(values) ?? badPlanningFlags(values);
}

/** What is wrong where a plan would have to be asked about, and nobody can be. */
export function nobodyToAsk(
  args: readonly string[],
  { json, "auto-approve": approved }: { readonly json: boolean; readonly "auto-approve": boolean },
): Diagnostic | undefined {
  if (!json || approved || args.length > 0) return undefined;
  const detail = "With -json nobody can be asked, so apply needs -auto-approve or a saved plan.";
  return errorDiagnostic("Plan file or auto-approve required", detail);
}

function help(verb: "apply" | "destroy", style: CommandStyle): string {
  const what =
    verb === "apply"
      ? `Usage: ${style} apply [flags] [PLAN]

Carries out a saved plan without a question, and refuses when the world has
moved since. Without one, plans first, shows the plan, and asks.

Example: ${style} apply change.plan
`
      : `Usage: ${style} destroy [flags]

Plans to remove everything that the state holds, shows the plan, and asks.

Example: ${style} destroy -target=consul_key_prefix.old
`;
  return `${what}\n${describeFlags(applyFlags)}`;
}
