import { errorDiagnostic, warningDiagnostic } from "@millwright/core/diagnostics";
import type { Attribute, Block, Expression } from "@millwright/hcl/ast";
import { contentOf, partialContentOf } from "@millwright/hcl/body-content";
import { rangeOf } from "@millwright/hcl/source-file";
import { allows, parseConstraints, parseVersion } from "@millwright/text/versions";
import type { Constants } from "./constants.ts";
import { listElements } from "./constants.ts";

/** The OpenTofu whose language this is beyond Terraform's: what `compatible_with { opentofu = … }` is held against. */
export const servedOpenTofuVersion = "1.12.0";

/** The last OpenTofu that does not read the block. */
const lastWithoutBlock = "1.11.0";

/** OpenTofu's `language` block: an edition, experiments, and with which versions the module works. */
export function checkLanguageBlock(block: Block, constants: Constants): void {
  const { value, diagnostics } = contentOf(block.body, {
    attributes: ["edition", "experiments"].map((name) => ({ name, required: false })),
    blocks: [{ type: "compatible_with", labelNames: [] }],
  });
  constants.diagnostics.push(...diagnostics);
  checkEdition(value.attributes.get("edition"), "tofu2024", constants);
  checkExperiments(value.attributes.get("experiments"), constants);
  for (const inner of value.blocks) checkCompatibility(inner, constants);
}

function checkCompatibility(block: Block, constants: Constants): void {
  const attributes = [{ name: "opentofu", required: false }];
  const opentofu = partialContentOf(block.body, { attributes, blocks: [] }).value.content.attributes.get("opentofu");
  const text = constants.text(opentofu);
  if (!opentofu || text === undefined) return;
  const subject = rangeOf(opentofu.expression);
  const constraints = parseConstraints(text);
  if (!constraints) {
    const detail = `"${text}" is not a version constraint. One looks like "~> 1.9" or ">= 1.8, < 2.0".`;
    constants.diagnostics.push(errorDiagnostic("Invalid version constraint", detail, { subject }));
  } else if (!allows(constraints, parseVersion(servedOpenTofuVersion)!)) {
    const detail = `This module asks for OpenTofu ${text}, and this program has the language of OpenTofu ${servedOpenTofuVersion}. Change the constraint if the module works with it.`;
    constants.diagnostics.push(errorDiagnostic("Incompatible module", detail, { subject }));
  } else if (allows(constraints, parseVersion(lastWithoutBlock)!)) {
    const detail =
      'The compatible_with block came with OpenTofu 1.12: an older version does not read it, so a constraint in it that lets one in has no effect on that one. Have it begin at ">= 1.12".';
    constants.diagnostics.push(warningDiagnostic("Ineffective version constraint", detail, { subject }));
  }
}

/** `language = TF2021` of a terraform block, or `edition = tofu2024`: the one edition that there is. */
export function checkEdition(attribute: Attribute | undefined, known: string, constants: Constants): void {
  if (!attribute) return;
  const keyword = keywordOf(attribute.expression);
  if (keyword === known) return;
  const subject = rangeOf(attribute.expression);
  if (keyword === undefined) {
    const detail = `The "${attribute.name}" argument expects a bare language edition keyword. This program supports only language edition ${known}, which is the default.`;
    constants.diagnostics.push(errorDiagnostic("Invalid language edition", detail, { subject }));
    return;
  }
  const detail = `This program supports only language edition ${known}. A module of edition ${keyword} needs another version of it.`;
  constants.diagnostics.push(errorDiagnostic("Unsupported language edition", detail, { subject }));
}

/** `experiments = [a, b]`: there are none in a release. */
export function checkExperiments(attribute: Attribute | undefined, constants: Constants): void {
  if (!attribute) return;
  for (const element of listElements(attribute.expression) ?? [attribute.expression]) {
    const concluded = concludedExperiments.has(keywordOf(element) ?? "");
    const [summary, detail] = concluded
      ? [
          "Experiment has concluded",
          `Experiment "${keywordOf(element)}" is no longer available: what it was about is part of the language. Remove it from the list.`,
        ]
      : [
          "Module uses experimental features",
          "Experimental features are meant for early feedback on the design of the language; releases come without them. Remove the argument, and what it was for.",
        ];
    constants.diagnostics.push(errorDiagnostic(summary!, detail!, { subject: rangeOf(element) }));
  }
}

const concludedExperiments: ReadonlySet<string> = new Set([
  "variable_validation",
  "module_variable_optional_attrs",
  "suppress_provider_sensitive_attrs",
  "config_driven_move",
  "preconditions_postconditions",
  "provider_sensitive_attrs",
  "ephemeral_values",
]);

function keywordOf(expression: Expression): string | undefined {
  return expression.kind === "scopeTraversal" && expression.steps.length === 0 ? expression.root.name : undefined;
}
