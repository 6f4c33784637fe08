import type { Diagnostic } from "@millwright/core/diagnostics";
import { hasErrors } from "@millwright/core/diagnostics";
import type { InstanceAddress } from "../addresses.ts";
import type { CheckingRun } from "../checks.ts";
import { checkPlace } from "../checks.ts";
import type { Resource } from "../configuration.ts";

/** What a step on the data source of a check block needs of its run: what is wrong goes to `diagnostics`. */
interface ReportingRun extends CheckingRun {
  readonly diagnostics: Diagnostic[];
}

/**
 * Takes a step on a data source that is nested in a check block: what goes wrong becomes a warning, and the check fails by it.
 * Nothing else is kept from going on. False where the step failed.
 */
export async function asWarnings<T extends ReportingRun>(
  run: T,
  { check }: Resource,
  { module }: InstanceAddress,
  step: (run: T) => Promise<boolean>,
): Promise<boolean> {
  const found: Diagnostic[] = [];
  const done = await step({ ...run, diagnostics: found });
  run.diagnostics.push(...found.map((diagnostic) => ({ ...diagnostic, severity: "warning" as const })));
  if (check !== undefined && hasErrors(found)) {
    const problems = found.flatMap(({ severity, summary, detail }) =>
      severity === "error" ? `${summary}: ${detail}` : [],
    );
    run.checks.push({ ...checkPlace(check, module), status: "fail", problems });
  }
  return done;
}
