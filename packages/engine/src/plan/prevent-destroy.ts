import type { Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic, hasErrors } from "@millwright/core/diagnostics";
import { rangeOf } from "@millwright/hcl/source-file";
import { convert } from "@millwright/value/convert";
import { boolType } from "@millwright/value/types";
import { asBool, isKnown, isNull, unmark } from "@millwright/value/value";
import type { InstanceAddress } from "../addresses.ts";
import { configResourceText } from "../addresses.ts";
import type { Resource } from "../configuration.ts";
import { removalOf } from "../refactor/removals.ts";
import type { ObjectState } from "../state.ts";
import type { PlanRun } from "./run.ts";
import { report } from "./run.ts";
import { covers } from "./targets.ts";

/** Whether the configuration forbids to destroy an object. Undefined where it does not say so clearly, which was reported. */
export function preventsDestroy(run: PlanRun, address: InstanceAddress, { lifecycle }: Resource): boolean | undefined {
  const expression = lifecycle.preventDestroy;
  if (!expression) return false;
  const { value: given, diagnostics } = run.evaluator.evaluate(expression, address.module);
  if (!report(run, diagnostics) || hasErrors(diagnostics)) return undefined;
  const converted = convert(unmark(given)[0], boolType);
  if (converted.ok && isKnown(converted.value) && !isNull(converted.value)) return asBool(converted.value);
  const problem = converted.ok ? "it must be true or false, and known while planning" : converted.message;
  const detail = `The value of "prevent_destroy" of ${address.text} is unsuitable: ${problem}.`;
  const place = { subject: rangeOf(expression), address: address.text };
  report(run, [errorDiagnostic("Invalid prevent_destroy value", detail, place)]);
  return undefined;
}

/** What is said where `prevent_destroy` stands against what would have to be done. */
export function preventedDestroy(address: string, resource: Resource): Diagnostic {
  return errorDiagnostic(
    "Instance cannot be destroyed",
    `Resource ${address} has lifecycle.prevent_destroy set, but the plan calls for this resource to be destroyed. To avoid this error and continue with the plan, either disable lifecycle.prevent_destroy or reduce the scope of the plan using the -target option.`,
    { subject: resource.range, address },
  );
}

/**
 * Whether an object must not be destroyed although no block speaks of it any more: the last one that did forbade it. A `removed`
 * block or `-allow-destroy` says that it is meant. Reported where it is so.
 */
export function isProtected(run: PlanRun, address: InstanceAddress, object: ObjectState | undefined): boolean {
  if (!object?.preventDestroy || run.options.mode === "refresh-only" || !run.isTargeted(address.text)) return false;
  if (run.options.allowDestroy?.some((allowed) => covers(allowed, address.text))) return false;
  if (removalOf(run.configuration, address.module, address.resource)) return false;
  const text = configResourceText(address.module, address.resource);
  const detail = `${address.text} was protected by lifecycle.prevent_destroy when it was last applied, and its block is gone from the configuration since: without the block it would be destroyed. Nothing was changed.

Put the block back if it was not meant to go, or give it a "moved" block if it has another name now. To let go of the object and leave it as it is:
    removed {
      from = ${text}
      lifecycle {
        destroy = false
      }
    }

To destroy it, write the same with destroy = true, or plan with -allow-destroy='${address.text}'.`;
  report(run, [errorDiagnostic("Instance cannot be destroyed", detail, { address: address.text, code: "protected" })]);
  return true;
}
