import { errorDiagnostic } from "@millwright/core/diagnostics";
import type { Attribute, Block, Expression, Node } from "@millwright/hcl/ast";
import { contentOf } from "@millwright/hcl/body-content";
import { isIdentifier } from "@millwright/hcl/identifier";
import { rangeOf } from "@millwright/hcl/source-file";
import { declaredType } from "@millwright/hcl/type-constraint";
import { dynamicType } from "@millwright/value/types";
import { nullValue } from "@millwright/value/value";
import type { CheckRule, Output, Variable } from "../configuration.ts";
import { referencesOf } from "../references.ts";
import { type Constants, quotedText } from "./constants.ts";
import { droppedAttributes } from "./dropped-attributes.ts";

const optional = (name: string) => ({ name, required: false });

/** Names that a module block uses for itself, which therefore cannot be input variables. */
const reservedVariables = new Set([
  "source",
  "version",
  "providers",
  "count",
  "for_each",
  "lifecycle",
  "depends_on",
  "locals",
]);

export function validName(name: string): boolean {
  return isIdentifier(name);
}

export function decodeVariable(block: Block, constants: Constants): Variable {
  const name = block.labels[0]!;
  const { value: content, diagnostics } = contentOf(block.body, {
    attributes: ["type", "default", "description", "sensitive", "nullable", "ephemeral", "deprecated", "const"].map(
      optional,
    ),
    blocks: [{ type: "validation", labelNames: [] }],
  });
  constants.diagnostics.push(...diagnostics);
  if (reservedVariables.has(name)) {
    constants.diagnostics.push(
      errorDiagnostic(
        "Invalid variable name",
        `The variable name "${name}" is reserved due to its special meaning inside module blocks. Choose another name.`,
        {
          subject: rangeOf(block.labelNodes[0]!),
        },
      ),
    );
  }
  const type = content.attributes.get("type");
  const constraint = type ? declaredType(type.expression) : undefined;
  // Quoted types are what configurations of 2016 have: their meaning is clear, so they are no more than a warning.
  const quoted = type !== undefined && quotedText(type.expression) !== undefined;
  for (const found of constraint?.diagnostics ?? [])
    constants.diagnostics.push(quoted ? { ...found, severity: "warning" } : found);
  const byDefault = content.attributes.get("default");
  if (byDefault && constraint)
    constants.diagnostics.push(...droppedAttributes(byDefault.expression, constraint.value.type, "this variable"));
  const description = constants.text(content.attributes.get("description"));
  const isConst = constants.flag(content.attributes.get("const"));
  const deprecated = deprecation(content.attributes.get("deprecated"), constants);
  return {
    name,
    type: constraint?.value.type ?? dynamicType,
    typeDefaults: constraint?.value.defaults,
    typeGiven: type !== undefined || (byDefault !== undefined && isStructured(byDefault.expression)),
    sensitive: constants.flag(content.attributes.get("sensitive")) ?? false,
    ephemeral: constants.flag(content.attributes.get("ephemeral")) ?? false,
    nullable: constants.flag(content.attributes.get("nullable")) ?? true,
    validations: content.blocks.map((rule) => decodeValidation(rule, name, constants)),
    range: rangeOf(block.header),
    ...(isConst === undefined ? {} : { const: isConst }),
    ...(deprecated === undefined ? {} : { deprecated }),
    ...(byDefault ? { default: byDefault.expression } : {}),
    ...(description === undefined ? {} : { description }),
  };
}

// Without a type, a list or object as the default says that text for it is to be read as an expression.
function isStructured(expression: Expression): boolean {
  if (expression.kind === "json")
    return expression.value.kind === "jsonArray" || expression.value.kind === "jsonObject";
  return expression.kind === "tuple" || expression.kind === "object";
}

export function decodeOutput(block: Block, constants: Constants): Output {
  const { value: content, diagnostics } = contentOf(block.body, {
    attributes: [
      { name: "value", required: true },
      ...["description", "sensitive", "depends_on", "ephemeral", "deprecated"].map(optional),
    ],
    blocks: [
      { type: "precondition", labelNames: [] },
      { type: "postcondition", labelNames: [] },
    ],
  });
  constants.diagnostics.push(...diagnostics);
  const post = content.blocks.find((inner) => inner.type === "postcondition");
  if (post) {
    constants.diagnostics.push(
      errorDiagnostic("Postconditions are not allowed", "Only preconditions are allowed in an output block.", {
        subject: rangeOf(post.header),
      }),
    );
  }
  const description = constants.text(content.attributes.get("description"));
  const deprecated = deprecation(content.attributes.get("deprecated"), constants);
  return {
    name: block.labels[0]!,
    ...(deprecated === undefined ? {} : { deprecated }),
    value: content.attributes.get("value")?.expression ?? absent(content.missingItem),
    sensitive: constants.flag(content.attributes.get("sensitive")) ?? false,
    ephemeral: constants.flag(content.attributes.get("ephemeral")) ?? false,
    dependsOn: constants.traversals(content.attributes.get("depends_on")),
    preconditions: content.blocks
      .filter((inner) => inner.type === "precondition")
      .map((rule) => decodeRule(rule, constants)),
    range: rangeOf(block.header),
    ...(description === undefined ? {} : { description }),
  };
}

/** What is to be used instead; it has to say something. */
function deprecation(attribute: Attribute | undefined, constants: Constants): string | undefined {
  const text = constants.text(attribute);
  if (!attribute || text === undefined || text.trim() !== "") return text;
  const detail = 'The "deprecated" argument must not be empty: say what to use instead.';
  constants.diagnostics.push(
    errorDiagnostic("Invalid `deprecated` value", detail, { subject: rangeOf(attribute.expression) }),
  );
  return undefined;
}

/** A rule of a variable, which has to be about that variable. */
function decodeValidation(block: Block, name: string, constants: Constants): CheckRule {
  const rule = decodeRule(block, constants);
  const isAbout = referencesOf(rule.condition).some(
    (parsed) => parsed.ok && parsed.reference.subject.kind === "variable" && parsed.reference.subject.name === name,
  );
  if (!isAbout) {
    constants.diagnostics.push(
      errorDiagnostic(
        "Invalid variable validation condition",
        `The condition for variable "${name}" must refer to var.${name} in order to test incoming values.`,
        { subject: rangeOf(rule.condition) },
      ),
    );
  }
  return rule;
}

/** A `validation`, `precondition` or `postcondition` block. */
export function decodeRule(block: Block, constants: Constants): CheckRule {
  const { value: content, diagnostics } = contentOf(block.body, {
    attributes: [
      { name: "condition", required: true },
      { name: "error_message", required: true },
    ],
    blocks: [],
  });
  constants.diagnostics.push(...diagnostics);
  const condition = content.attributes.get("condition");
  if (condition && referencesOf(condition.expression).length === 0) {
    constants.diagnostics.push(
      errorDiagnostic(
        `Invalid ${block.type} expression`,
        "The condition expression must refer to at least one object from elsewhere in the configuration, or else its result would not be checking anything.",
        { subject: rangeOf(condition.expression) },
      ),
    );
  }
  return {
    condition: content.attributes.get("condition")?.expression ?? absent(content.missingItem),
    errorMessage: content.attributes.get("error_message")?.expression ?? absent(content.missingItem),
    range: rangeOf(block.header),
  };
}

// Stands where a required argument is missing, which was reported.
function absent({ file, start, end }: Node): Expression {
  return { kind: "literal", value: nullValue(dynamicType), file, start, end };
}
