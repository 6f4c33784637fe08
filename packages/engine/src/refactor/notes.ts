import type { Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic, warningDiagnostic } from "@millwright/core/diagnostics";
import { compareKeys } from "@millwright/value/types";
import { resourceText } from "../addresses.ts";
import type { Configuration } from "../configuration.ts";
import type { InstanceChange } from "../plan/plan.ts";
import type { PlanOptions } from "../plan/run.ts";

/** Names the objects that are going to be taken out of the state and left where they are. */
export function forgotten(changes: readonly InstanceChange[]): Diagnostic[] {
  const lines = changes.flatMap(({ action, address }) =>
    action === "forget" || action === "forget-create" ? `\n - ${address.text}` : [],
  );
  if (lines.length === 0) return [];
  const detail = `An apply of this plan drops what the state knows of the following objects, and does not delete them:${lines.sort(compareKeys).join("")}\n\nAfterwards they are not managed from here any more. To manage them again, import them.`;
  return [warningDiagnostic("Some objects will no longer be managed", detail)];
}

/** Import blocks whose resource is nowhere declared. */
export function importsOfNothing(configuration: Configuration, { mode }: Pick<PlanOptions, "mode">): Diagnostic[] {
  if (mode !== "normal") return [];
  return configuration.root.imports
    .filter(({ to }) => !configuration.modules.get(to.module)?.resources.has(resourceText(to.resource)))
    .map(({ to, forEach }) => {
      const place = { subject: to.range };
      const repeated = forEach !== undefined || to.steps.some((step) => step.kind !== "name");
      const detail = repeated
        ? `There is no resource ${to.text} in the configuration. -generate-config-out writes configuration only for single resources of the root module, by import blocks without for_each: write this one by hand.`
        : `The configuration for the given import target ${to.text} does not exist. To have it written, plan with the -generate-config-out option; otherwise make sure the target resource exists within your configuration. For example:\n\n  plan -generate-config-out=generated.tf`;
      return errorDiagnostic("Configuration for import target does not exist", detail, place);
    });
}
