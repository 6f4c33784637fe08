import type { Diagnosed, Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic, hasErrors, warningDiagnostic } from "@millwright/core/diagnostics";
import { convert } from "@millwright/value/convert";
import type { Type } from "@millwright/value/types";
import { boolType, dynamicType, hasDynamic, listType, numberType, stringType } from "@millwright/value/types";
import type { Value } from "@millwright/value/value";
import { asArray, asNumber, asString, nullValue, tupleValue } from "@millwright/value/value";
import type { Attribute, Block, Body, Expression, Node } from "../src/ast.ts";
import { contentOf, justAttributes, partialContentOf } from "../src/body-content.ts";
import type { BodyContent, BodySchema } from "../src/body-schema.ts";
import type { DecodeSpec } from "../src/decode-spec.ts";
import { impliedType } from "../src/decode-spec.ts";
import { evaluate } from "../src/evaluate.ts";
import type { FunctionSpec, Parameter } from "../src/function-spec.ts";
import { FunctionError } from "../src/function-spec.ts";
import { parseFile } from "../src/parse.ts";
import type { Scope } from "../src/scope.ts";
import type { SourceFile } from "../src/source-file.ts";
import { rangeOf } from "../src/source-file.ts";
import { elementsIn, keywordOf } from "../src/static-expression.ts";
import { typeConstraint } from "../src/type-constraint.ts";
import { specFunctions } from "./hcldec-functions.ts";

/** What a spec file says: how to decode, and what the decoded files may refer to. */
export interface SpecFile {
  readonly spec: DecodeSpec;
  readonly variables: ReadonlyMap<string, Value>;
  readonly functions: ReadonlyMap<string, FunctionSpec>;
}

/** Reads a spec file (cmd/hcldec/spec-format.md of hashicorp/hcl). */
export function readSpecFile(file: SourceFile): Diagnosed<SpecFile> {
  const { value: body, diagnostics } = parseFile(file);
  const reader = new SpecReader([...diagnostics]);
  if (hasErrors(diagnostics))
    return { value: { spec: nothing, variables: new Map(), functions: new Map() }, diagnostics };
  return { value: reader.file(body), diagnostics: reader.diagnostics };
}

const nothing: DecodeSpec = { kind: "literal", value: nullValue(dynamicType) };
const specScope: Scope = { functions: specFunctions };

const specTypes = [
  "object",
  "array",
  "literal",
  "attr",
  "block",
  "block_list",
  "block_map",
  "block_set",
  "block_attrs",
  "default",
  "transform",
];
const anySpec: BodySchema["blocks"] = specTypes.map((type) => ({ type, labelNames: [] }));
const namedSpec: BodySchema["blocks"] = specTypes.map((type) => ({ type, labelNames: ["key"] }));

function argumentsNamed(...names: readonly string[]): BodySchema["attributes"] {
  return names.map((name) => ({ name: name.replace("!", ""), required: name.endsWith("!") }));
}

class SpecReader {
  readonly diagnostics: Diagnostic[];

  constructor(diagnostics: Diagnostic[]) {
    this.diagnostics = diagnostics;
  }

  file(body: Body): SpecFile {
    const declarations: BodySchema = {
      attributes: [],
      blocks: [
        { type: "variables", labelNames: [] },
        { type: "function", labelNames: ["name"] },
      ],
    };
    const { content, rest } = this.#take(partialContentOf(body, declarations));
    const variables = new Map<string, Value>();
    const functions = new Map<string, FunctionSpec>();
    for (const block of content.blocks) {
      if (block.type === "function") {
        const spec = this.#function(block);
        if (spec) functions.set(spec.name, spec);
      } else {
        for (const { name, expression } of this.#take(justAttributes(block.body)).values()) {
          variables.set(name, this.#take(evaluate(expression, specScope)));
        }
      }
    }
    const problem = "A spec file must have exactly one root block specifying how to map to a JSON value.";
    return { spec: this.#only(rest, { attributes: [], blocks: anySpec }, problem), variables, functions };
  }

  #take<T>({ value, diagnostics }: Diagnosed<T>): T {
    this.diagnostics.push(...diagnostics);
    return value;
  }

  #refuse(summary: string, detail: string, at: Node): DecodeSpec {
    this.diagnostics.push(errorDiagnostic(summary, detail, { subject: rangeOf(at) }));
    return nothing;
  }

  /** The one spec block of a body. */
  #only(body: Body, schema: BodySchema, problem: string): DecodeSpec {
    return this.#onlyBlock(this.#take(contentOf(body, schema)), problem);
  }

  #onlyBlock({ blocks: [block, second], missingItem }: BodyContent, problem: string): DecodeSpec {
    if (block && !second) return this.#spec(block);
    if (second) return this.#refuse("Extraneous spec block", problem, second.header);
    return hasErrors(this.diagnostics) ? nothing : this.#refuse("Missing spec block", problem, missingItem);
  }

  #spec(block: Block): DecodeSpec {
    const [name] = block.labels;
    switch (block.type) {
      case "object": {
        const { blocks } = this.#take(contentOf(block.body, { attributes: [], blocks: namedSpec }));
        return {
          kind: "object",
          attributes: new Map(blocks.map((part) => [part.labels[0]!, this.#spec(part)] as const)),
        };
      }
      case "array": {
        const { blocks } = this.#take(contentOf(block.body, { attributes: [], blocks: anySpec }));
        return { kind: "tuple", elements: blocks.map((part) => this.#spec(part)) };
      }
      case "literal": {
        const { attributes } = this.#take(contentOf(block.body, { attributes: argumentsNamed("value!"), blocks: [] }));
        const value = attributes.get("value");
        return value ? { kind: "literal", value: this.#take(evaluate(value.expression, specScope)) } : nothing;
      }
      case "attr":
        return this.#attribute(block, name);
      case "block_attrs":
        return this.#blockAttributes(block, name);
      case "default":
        return this.#default(block);
      case "transform":
        return this.#transform(block);
      default:
        return this.#block(block, name);
    }
  }

  #attribute(block: Block, implied: string | undefined): DecodeSpec {
    const schema = { attributes: argumentsNamed("name", "type", "required"), blocks: [] };
    const { attributes, missingItem } = this.#take(contentOf(block.body, schema));
    const name = this.#string(attributes.get("name")) ?? implied;
    const type = this.#type(attributes.get("type"));
    if (name !== undefined) return { kind: "attribute", name, type, required: this.#bool(attributes.get("required")) };
    return this.#refuse("Missing name in attribute spec", "Set name to that of the argument to expect.", missingItem);
  }

  #blockAttributes(block: Block, implied: string | undefined): DecodeSpec {
    const schema = { attributes: argumentsNamed("block_type", "element_type!", "required"), blocks: [] };
    const { attributes, missingItem } = this.#take(contentOf(block.body, schema));
    const type = this.#string(attributes.get("block_type")) ?? implied;
    const element = this.#type(attributes.get("element_type"));
    if (type === undefined) return this.#missingBlockType(block, missingItem);
    return { kind: "blockAttributes", type, element, required: this.#bool(attributes.get("required")) };
  }

  #missingBlockType({ type }: Block, at: Node): DecodeSpec {
    return this.#refuse(
      `Missing block_type in ${type} spec`,
      "Set block_type to the type of the blocks to expect.",
      at,
    );
  }

  #block(block: Block, implied: string | undefined): DecodeSpec {
    const names = argumentsNamed("block_type", "required", "min_items", "max_items", "labels");
    const content = this.#take(contentOf(block.body, { attributes: names, blocks: anySpec }));
    const { attributes, missingItem } = content;
    const nested = this.#onlyBlock(content, "A block spec must have exactly one child spec for the block's contents.");
    const type = this.#string(attributes.get("block_type")) ?? implied;
    if (type === undefined) return this.#missingBlockType(block, missingItem);
    if (block.type === "block")
      return { kind: "block", type, nested, required: this.#bool(attributes.get("required")) };
    if (block.type === "block_map") {
      const labelNames = this.#strings(attributes.get("labels"));
      const spec: DecodeSpec = { kind: "blockMap", type, labelNames, nested };
      if (labelNames.length === 0)
        return this.#refuse("Invalid block label name list", "Name at least one label.", missingItem);
      if (!hasDynamic(impliedType(nested))) return spec;
      return this.#refuse("Invalid block_map spec", "Inside of block_map no argument may be of type any.", missingItem);
    }
    const minimum = this.#integer(attributes.get("min_items"));
    const maximum = this.#integer(attributes.get("max_items"));
    const kind = block.type === "block_list" ? "blockList" : "blockSet";
    return { kind, type, nested, ...(minimum ? { minimum } : {}), ...(maximum ? { maximum } : {}) };
  }

  #default(block: Block): DecodeSpec {
    const { blocks, missingItem } = this.#take(contentOf(block.body, { attributes: [], blocks: anySpec }));
    const [first, ...others] = blocks.map((part) => this.#spec(part));
    if (!first)
      return this.#refuse(
        "Missing spec block",
        "A default block must have a nested spec for each outcome.",
        missingItem,
      );
    if (others.length === 0) {
      const detail = "A default block with only one spec is equivalent to using that spec alone.";
      this.diagnostics.push(warningDiagnostic("Useless default block", detail, { subject: rangeOf(block.header) }));
    }
    return others.reduce((primary, fallback): DecodeSpec => ({ kind: "default", primary, fallback }), first);
  }

  #transform(block: Block): DecodeSpec {
    const content = this.#take(contentOf(block.body, { attributes: argumentsNamed("result!"), blocks: anySpec }));
    const wrapped = this.#onlyBlock(content, "A transform spec block must have exactly one nested spec block.");
    const result = content.attributes.get("result");
    if (!result) return nothing;
    return { kind: "transform", wrapped, variable: "nested", expression: result.expression, scope: specScope };
  }

  #function(block: Block): FunctionSpec | undefined {
    const schema = { attributes: argumentsNamed("params!", "variadic_param", "result!"), blocks: [] };
    const { attributes } = this.#take(contentOf(block.body, schema));
    const params = attributes.get("params");
    const result = attributes.get("result");
    const names = params && elementsIn(params.expression)?.map(keywordOf);
    if (!params || !result) return undefined;
    if (!names?.every((name) => name !== undefined)) {
      this.#refuse("Invalid param element", "Each parameter name must be an identifier.", params.expression);
      return undefined;
    }
    const variadic = attributes.get("variadic_param");
    return userFunction(block.labels[0]!, names, variadic && keywordOf(variadic.expression), result.expression);
  }

  #type(attribute: Attribute | undefined): Type {
    return attribute ? this.#take(typeConstraint(attribute.expression)).type : dynamicType;
  }

  #constant(attribute: Attribute | undefined, type: Type): Value | undefined {
    if (!attribute) return undefined;
    const converted = convert(this.#take(evaluate(attribute.expression)), type);
    if (converted.ok) return converted.value.data === null ? undefined : converted.value;
    this.#refuse("Unsuitable value type", `Unsuitable value: ${converted.message}.`, attribute.expression);
    return undefined;
  }

  #string(attribute: Attribute | undefined): string | undefined {
    const value = this.#constant(attribute, stringType);
    return value && asString(value);
  }

  #strings(attribute: Attribute | undefined): readonly string[] {
    const value = this.#constant(attribute, listType(stringType));
    return value ? asArray(value).map(asString) : [];
  }

  #bool(attribute: Attribute | undefined): boolean {
    return this.#constant(attribute, boolType)?.data === true;
  }

  #integer(attribute: Attribute | undefined): number | undefined {
    const value = this.#constant(attribute, numberType);
    return value && asNumber(value).toSafeInteger();
  }
}

/** A function whose result is an expression of its parameters. */
function userFunction(
  name: string,
  names: readonly string[],
  variadic: string | undefined,
  result: Expression,
): FunctionSpec {
  const call = (args: readonly Value[]): Value => {
    const variables = new Map(names.map((parameter, index) => [parameter, args[index]!] as const));
    if (variadic !== undefined) variables.set(variadic, tupleValue(args.slice(names.length)));
    const { value, diagnostics } = evaluate(result, { variables, parent: specScope });
    const error = diagnostics.find(({ severity }) => severity === "error");
    if (error) throw new FunctionError(`${error.summary}; ${error.detail}`);
    return value;
  };
  const parameter = (named: string): Parameter => ({ name: named, type: dynamicType });
  return {
    name,
    description: "A function of the spec file.",
    parameters: names.map(parameter),
    ...(variadic === undefined ? {} : { variadic: parameter(variadic) }),
    returnType: (args) => call(args).type,
    call,
  };
}
