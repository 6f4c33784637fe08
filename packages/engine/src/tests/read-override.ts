import { errorDiagnostic } from "@millwright/core/diagnostics";
import type { Attribute, Block, Expression } from "@millwright/hcl/ast";
import { contentOf } from "@millwright/hcl/body-content";
import { evaluate } from "@millwright/hcl/evaluate";
import { emptyScope } from "@millwright/hcl/scope";
import { rangeOf } from "@millwright/hcl/source-file";
import { traversalText } from "@millwright/hcl/traversal-text";
import { emptyObject, isNull, type Value } from "@millwright/value/value";
import type { Constants } from "../load/constants.ts";
import { quotedText } from "../load/constants.ts";
import { parseAddress, type ParsedAddress } from "../parse-address.ts";
import type { Override } from "./test-file.ts";

const optional = (name: string) => ({ name, required: false });

/** The blocks that {@link addOverride} reads. */
export const overrideBlocks = ["override_resource", "override_data", "override_module"].map((type) => ({
  type,
  labelNames: [],
}));

export function isOverride({ type }: Block): boolean {
  return overrideBlocks.some((block) => block.type === type);
}

/** Reads an `override_…` block and adds it to those beside it. One whose target is none, or has one already, is reported. */
export function addOverride(block: Block, beside: Override[], constants: Constants): void {
  const override = readOverride(block, constants);
  if (!override) return;
  const first = beside.find((other) => other.kind === override.kind && textOf(other) === textOf(override));
  if (!first) {
    beside.push(override);
    return;
  }
  const { filename, start, end } = first.range;
  const detail = `An ${block.type} block targeting ${textOf(override)} has already been defined at ${filename}:${start.line},${start.column}-${end.column}.`;
  constants.diagnostics.push(errorDiagnostic(`Duplicate ${block.type} block`, detail, { subject: override.range }));
}

function textOf({ target }: Override): string {
  return target.kind === "module" ? target.module.text : target.address.text;
}

function readOverride(block: Block, constants: Constants): Override | undefined {
  const kind = block.type === "override_module" ? "module" : block.type === "override_data" ? "data" : "resource";
  const name = kind === "module" ? "outputs" : "values";
  const { value: content, diagnostics } = contentOf(block.body, {
    attributes: [{ name: "target", required: true }, optional(name), optional("override_during")],
    blocks: [],
  });
  constants.diagnostics.push(...diagnostics);
  const target = content.attributes.get("target");
  const address = target && targetOf(target.expression, kind, constants);
  const values = objectOf(content.attributes.get(name), constants);
  const duringPlan = readDuring(content.attributes.get("override_during"), constants);
  if (!target || !address) return undefined;
  const targetRange = rangeOf(target.expression);
  return { kind, target: address, targetRange, values, duringPlan, range: rangeOf(block.header) };
}

function targetOf(expression: Expression, kind: Override["kind"], constants: Constants): ParsedAddress | undefined {
  const text = targetText(expression, constants);
  if (text === undefined) return undefined;
  const address = parseAddress(text);
  const fits =
    kind === "module"
      ? address?.kind === "module"
      : address?.kind === "instance" && address.address.resource.mode === (kind === "data" ? "data" : "managed");
  if (address && fits) return address;
  const what = { module: "modules", data: "data sources", resource: "managed resources" }[kind];
  const hint = { module: "module.app", data: "data.aws_ami.a", resource: "aws_instance.a" }[kind];
  const detail = `You can only target ${what} from override_${kind} blocks, such as ${hint}, and "${text}" is none.`;
  constants.diagnostics.push(errorDiagnostic("Invalid override target", detail, { subject: rangeOf(expression) }));
  return undefined;
}

// `[*]`, which OpenTofu has, stands for every key, as no key does.
function targetText(expression: Expression, constants: Constants): string | undefined {
  const written = quotedText(expression) ?? expression.file.text.slice(expression.start, expression.end);
  if (written.includes("[*]")) return written.replaceAll("[*]", "").replace(/\s+/g, "");
  const traversal = constants.traversal(expression);
  return traversal && traversalText(traversal);
}

/** An object that is written out; an empty one where there is none. */
export function objectOf(attribute: Attribute | undefined, constants: Constants): Value {
  if (!attribute) return emptyObject;
  const { value, diagnostics } = evaluate(attribute.expression, emptyScope);
  constants.diagnostics.push(...diagnostics);
  if (diagnostics.some((d) => d.severity === "error")) return emptyObject;
  if ((value.type.kind === "object" || value.type.kind === "map") && !isNull(value)) return value;
  const detail = `"${attribute.name}" must be an object, such as { id = "a" }.`;
  const subject = rangeOf(attribute.expression);
  constants.diagnostics.push(errorDiagnostic(`Invalid ${attribute.name} attribute`, detail, { subject }));
  return emptyObject;
}

/** `override_during`: true for `plan`, false for `apply`. */
export function readDuring(attribute: Attribute | undefined, constants: Constants): boolean | undefined {
  const word = keywordOf(attribute);
  if (!attribute || word === "plan" || word === "apply") return attribute && word === "plan";
  const detail = `The "override_during" argument is one of the words plan and apply, without quotes.`;
  const subject = rangeOf(attribute.expression);
  constants.diagnostics.push(errorDiagnostic("Invalid override_during value", detail, { subject }));
  return undefined;
}

/** A bare word, as `command = plan` has it; in JSON a string. */
export function keywordOf(attribute: Attribute | undefined): string | undefined {
  if (!attribute) return undefined;
  const { expression } = attribute;
  if (expression.kind === "scopeTraversal") return expression.steps.length === 0 ? expression.root.name : undefined;
  return expression.kind === "json" ? quotedText(expression) : undefined;
}
