import { errorDiagnostic } from "@millwright/core/diagnostics";
import type { Expression } from "@millwright/hcl/ast";
import { rangeOf } from "@millwright/hcl/source-file";
import type { ProviderReference } from "../configuration.ts";
import type { Constants } from "./constants.ts";
import { badProviderName } from "./provider-name.ts";

/** `aws`, `aws.west` or `aws.by_region[each.key]`; the first two also quoted, as old configurations have them. */
export function providerReference(expression: Expression, constants: Constants): ProviderReference | undefined {
  const range = rangeOf(expression);
  const { of, key } = withoutKey(expression);
  const traversal = constants.traversal(of);
  if (!traversal) return undefined;
  const [step, last, ...more] = traversal.steps;
  const keyed = key ? { key } : {};
  const { name: localName } = traversal.root;
  const bad = badProviderName(localName, range);
  if (bad) {
    constants.diagnostics.push(bad);
    return undefined;
  }
  if (!step) return { localName, range, ...keyed };
  if (step.kind === "attribute") {
    const alias = step.name;
    if (!last) return { localName, alias, range, ...keyed };
    const { file, start, end } = last;
    if (last.kind === "index" && more.length === 0)
      return { localName, alias, range, key: { kind: "literal", value: last.key, file, start, end } };
  }
  const detail =
    'A provider is named by its local name, optionally followed by a dot and an alias, such as "aws.west"; of one with for_each the key of an instance follows in brackets, such as aws.by_region[each.key].';
  constants.diagnostics.push(errorDiagnostic("Invalid provider configuration reference", detail, { subject: range }));
  return undefined;
}

function withoutKey(expression: Expression): { readonly of: Expression; readonly key?: Expression } {
  return expression.kind === "index" ? { of: expression.collection, key: expression.key } : { of: expression };
}
