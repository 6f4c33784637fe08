import type { Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import type { FlagTable, FlagValues } from "../flags.ts";
import { badPlanningFlags, planningFlags } from "../terraform/options.ts";
import { reportingFlags } from "../terraform/reporting.ts";

export const instanceFlag = {
  instance: {
    kind: "strings",
    value: "NAME",
    help: "Work on this instance only; what it uses of others is taken from their states. May be given several times.",
  },
} as const satisfies FlagTable;

/** What plan, apply and destroy of instances have in common. */
export const instancePlanningFlags = {
  ...planningFlags,
  ...reportingFlags,
  ...instanceFlag,
} as const satisfies FlagTable;

const addressFlags = ["target", "target-file", "exclude", "exclude-file", "replace", "allow-destroy"] as const;

/** What was asked for and has no meaning for instances. */
export function misuseOfInstances(
  args: readonly string[],
  values: FlagValues<typeof planningFlags & typeof instanceFlag>,
  most: number,
): Diagnostic | undefined {
  if (args.length > most) {
    const detail = `This command takes ${most === 0 ? "no arguments" : "at most one argument, a saved plan"}, and was given ${args.join(" ")}. To work on one instance, use -instance=NAME.`;
    return errorDiagnostic("Too many command line arguments", detail);
  }
  if (values.state !== undefined) {
    const detail = "Each instance has a state of its own, so -state is not for a list of instances.";
    return errorDiagnostic("One state for many instances", detail);
  }
  const given = addressFlags.find((name) => values[name].length > 0);
  if (values.instance.length !== 1 && given !== undefined) {
    const detail = `An address is that of an object of one instance. Say which one by -instance=NAME, once, beside -${given}.`;
    return errorDiagnostic("Address without its instance", detail);
  }
  return badPlanningFlags(values);
}
