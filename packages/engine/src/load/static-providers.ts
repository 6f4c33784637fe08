import type { Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic, hasErrors } from "@millwright/core/diagnostics";
import { rangeOf } from "@millwright/hcl/source-file";
import type { Module, ProviderBlock } from "../configuration.ts";
import { expandForEach } from "../plan/expand.ts";
import type { StaticEvaluator } from "./static.ts";

/** A module's provider blocks, those with `for_each` with their instances. What is wrong goes to `diagnostics`. */
export function resolveProviders(
  evaluator: StaticEvaluator,
  module: Module,
  diagnostics: Diagnostic[],
): ReadonlyMap<string, ProviderBlock> {
  if (![...module.providers.values()].some(({ forEach }) => forEach)) return module.providers;
  return new Map(
    [...module.providers].map(([key, block]) => [key, withInstances(evaluator, module, block, diagnostics)]),
  );
}

function withInstances(
  evaluator: StaticEvaluator,
  module: Module,
  block: ProviderBlock,
  diagnostics: Diagnostic[],
): ProviderBlock {
  const { forEach, localName, alias } = block;
  if (!forEach) return block;
  const what = `provider.${localName}${alias === undefined ? "" : `.${alias}`}.for_each`;
  const { value, diagnostics: found } = evaluator.evaluate(module, forEach, what);
  diagnostics.push(...found);
  if (hasErrors(found)) return block;
  const expansion = expandForEach(value, false);
  if (typeof expansion === "string") {
    diagnostics.push(errorDiagnostic("Invalid for_each argument", expansion, { subject: rangeOf(forEach) }));
    return block;
  }
  return expansion.kind === "forEach" ? { ...block, instances: expansion.values } : block;
}
