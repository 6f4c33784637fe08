import { hasErrors } from "@millwright/core/diagnostics";
import { formatRange } from "@millwright/core/source";
import { evaluate } from "@millwright/hcl/evaluate";
import type { FunctionSpec } from "@millwright/hcl/function-spec";
import { isIdentifier } from "@millwright/hcl/identifier";
import { parseFile } from "@millwright/hcl/parse";
import type { Lookup } from "@millwright/hcl/scope";
import { rangeOf, sourceFile } from "@millwright/hcl/source-file";
import { quote } from "@millwright/text/quote";
import { dynamicType, stringType } from "@millwright/value/types";
import { asMap, asString, isWhollyKnown, objectValue, stringValue, unknownValue } from "@millwright/value/value";
import { notNull, refuse, text } from "./define.ts";
import { encodeAttributes, encodeExpression } from "./encode-expression.ts";
import { summaryOf } from "./render-template.ts";

const encodeTfvars: FunctionSpec = {
  name: "provider::terraform::encode_tfvars",
  description: "The attributes of an object as the text of a `.tfvars` file.",
  parameters: [{ name: "value", type: dynamicType }],
  returnType: stringType,
  refineResult: notNull,
  call: ([value]) => {
    if (!isWhollyKnown(value!)) return unknownValue(stringType);
    const { kind } = value!.type;
    if (kind !== "object" && kind !== "map") {
      refuse("invalid value to encode: must be an object whose attribute names will become the encoded variable names");
    }
    const attributes = asMap(value!);
    for (const name of attributes.keys()) {
      const rule = "must be a valid identifier, per Terraform's rules for input variable declarations";
      if (!isIdentifier(name)) refuse(`invalid variable name ${quote(name)}: ${rule}`);
    }
    return stringValue(encodeAttributes(attributes));
  },
};

const decodeTfvars: FunctionSpec = {
  name: "provider::terraform::decode_tfvars",
  description: "The variables in the text of a `.tfvars` file, as the attributes of an object.",
  parameters: [text("src")],
  returnType: dynamicType,
  refineResult: notNull,
  call: ([src]) => {
    const { value: body, diagnostics } = parseFile(sourceFile("<decode_tfvars argument>", asString(src!)));
    if (hasErrors(diagnostics)) refuse(`invalid tfvars syntax: ${summaryOf(diagnostics)}`);
    const [block] = body.blocks;
    if (block) {
      const place = formatRange(rangeOf(block.typeNode));
      refuse(`invalid tfvars content: ${place}: Unexpected ${quote(block.type)} block; Blocks are not allowed here.`);
    }
    return objectValue(
      [...body.attributes.values()].map(({ name, expression }) => {
        const evaluated = evaluate(expression);
        if (hasErrors(evaluated.diagnostics)) {
          refuse(`invalid expression for variable ${quote(name)}: ${summaryOf(evaluated.diagnostics)}`);
        }
        return [name, evaluated.value] as const;
      }),
    );
  },
};

const encodeExpr: FunctionSpec = {
  name: "provider::terraform::encode_expr",
  description: "An expression that gives the value again, as text.",
  parameters: [{ name: "value", type: dynamicType }],
  returnType: stringType,
  refineResult: notNull,
  call: ([value]) => (isWhollyKnown(value!) ? stringValue(encodeExpression(value!)) : unknownValue(stringType)),
};

const specs = [decodeTfvars, encodeExpr, encodeTfvars];

/**
 * The functions of the provider that is built into Terraform, under the local name it has without a declaration
 * (`provider::terraform::…`).
 */
export const terraformProviderFunctions: Lookup<FunctionSpec> = new Map(
  specs.map((spec) => [spec.name, spec] as const),
);
