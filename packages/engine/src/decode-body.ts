import type { Diagnosed, Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic, hasErrors } from "@millwright/core/diagnostics";
import type { SourceRange } from "@millwright/core/source";
import type { Body } from "@millwright/hcl/ast";
import { decode } from "@millwright/hcl/decode";
import type { DecodeSpec } from "@millwright/hcl/decode-spec";
import { dynamicBlocks } from "@millwright/hcl/dynamic";
import type { FunctionSpec } from "@millwright/hcl/function-spec";
import type { Scope } from "@millwright/hcl/scope";
import { rangeOf } from "@millwright/hcl/source-file";
import { attributeConfigType, configType, emptyBlocks, impliedType } from "@millwright/provider/implied-type";
import type { BlockSchema, NestedBlockSchema, Schema } from "@millwright/provider/schema";
import { convert } from "@millwright/value/convert";
import { dynamicType, hasDynamic, sortedMap } from "@millwright/value/types";
import { formatPath } from "@millwright/value/path";
import type { Value } from "@millwright/value/value";
import { dynamicValue, ephemeral, isMarkedDeep, noMarks, nullValue, unknownValue } from "@millwright/value/value";
import type { InstanceAddress, ModuleInstance } from "./addresses.ts";
import { schemaForBody, withoutEmptied } from "./attributes-as-blocks.ts";
import type { Resource } from "./configuration.ts";
import type { Evaluator, InstanceData } from "./evaluator.ts";
import { noInstance } from "./evaluator.ts";
import { infiniteAt } from "./infinite.ts";
import { keptEphemerals } from "./kept-ephemerals.ts";
import { placeOf } from "./objects.ts";
import { referencesOfBody } from "./references.ts";

/** The value that a resource's body gives for one instance, of the schema's type, with marks. */
export function decodeResourceConfig(
  evaluator: Evaluator,
  resource: Resource,
  schema: Schema,
  address: InstanceAddress,
  instance: InstanceData,
): Diagnosed<Value> {
  const result = decodeBlock(evaluator, resource.body, schema.block, address.module, instance);
  const infinite = infiniteAt(result.value);
  if (infinite && resource.address.mode !== "ephemeral") {
    const { node } = placeOf(resource.body, infinite);
    const shown = formatPath(infinite).replace(/^\./, "");
    return { value: result.value, diagnostics: [...result.diagnostics, infiniteNumber(shown, rangeOf(node), address)] };
  }
  const keepsNothing = resource.address.mode === "ephemeral" || !isMarkedDeep(result.value, ephemeral);
  if (hasErrors(result.diagnostics) || keepsNothing) {
    return { value: result.value, diagnostics: result.diagnostics.map((d) => ({ address: address.text, ...d })) };
  }
  const found = [...result.diagnostics];
  for (const path of keptEphemerals(result.value, schema.block)) {
    const shown = formatPath(path).replace(/^\./, "");
    const { node } = placeOf(resource.body, path);
    const detail = `Ephemeral values are not valid for "${shown}", because it is not a write-only attribute and must be persisted to state.`;
    const place = { subject: rangeOf(node), address: address.text };
    found.push(errorDiagnostic("Invalid use of ephemeral value", detail, place));
  }
  return { value: result.value, diagnostics: found };
}

/** What is said of a number that nothing can keep. */
export function infiniteNumber(what: string, subject: SourceRange, about?: InstanceAddress): Diagnostic {
  const detail = `The value of ${what} is an infinite number, as a division by zero gives one. It cannot be kept in a state: make sure that what is divided by is not zero.`;
  return errorDiagnostic("Infinite number", detail, { subject, ...(about ? { address: about.text } : {}) });
}

/** The value of a provider block; `undefined` body for a provider that has none. */
export function decodeProviderConfig(
  evaluator: Evaluator,
  body: Body | undefined,
  schema: BlockSchema,
  module: ModuleInstance,
  instance: InstanceData = noInstance,
): Diagnosed<Value> {
  if (body) return decodeBlock(evaluator, body, schema, module, instance);
  const empty = [...schema.blocks].map(([name, nested]) => [name, emptyBlocks(nested)] as const);
  const type = impliedType(schema);
  const data = new Map(empty);
  for (const [name, attribute] of type.attributes) if (!data.has(name)) data.set(name, nullValue(attribute));
  return { value: { type, data: sortedMap(data), marks: noMarks }, diagnostics: [] };
}

const expandDynamic = dynamicBlocks();

/** What is wrong with a body by its schema alone, with nothing known of what its expressions refer to. */
export function shapeFaults(body: Body, schema: BlockSchema): readonly Diagnostic[] {
  return decode(body, specOf(schemaForBody(body, schema)), nothingKnown, expandDynamic).diagnostics;
}

const anyFunction: FunctionSpec = {
  name: "any",
  description: "Stands for every function where nothing is known.",
  parameters: [],
  variadic: { name: "args", type: dynamicType, allowNull: true, allowUnknown: true, allowDynamicType: true },
  returnType: dynamicType,
  call: () => dynamicValue,
};

const nothingKnown: Scope = {
  variables: { get: () => dynamicValue, keys: () => [] },
  functions: { get: () => anyFunction, keys: () => [] },
};

function decodeBlock(
  evaluator: Evaluator,
  body: Body,
  schema: BlockSchema,
  module: ModuleInstance,
  instance: InstanceData,
): Diagnosed<Value> {
  const { value: scope, diagnostics } = evaluator.scope(referencesOfBody(body), module, instance, body.file.name);
  const type = impliedType(schema);
  if (hasErrors(diagnostics)) return { value: unknownValue(type), diagnostics };
  const decoded = decode(body, specOf(schemaForBody(body, schema)), scope, expandDynamic);
  const all = diagnostics.length === 0 ? decoded.diagnostics : [...diagnostics, ...decoded.diagnostics];
  if (hasErrors(all)) return { value: unknownValue(type), diagnostics: all };
  // Optional attributes of nested objects were filled in by conversion; what is left is the plain type.
  const converted = convert(decoded.value, type);
  const value = converted.ok ? withoutEmptied(converted.value, body, schema) : decoded.value;
  return { value, diagnostics: all };
}

const specs = new WeakMap<BlockSchema, DecodeSpec>();

/** How a body becomes a value of a block schema; made once a schema. */
export function specOf(schema: BlockSchema): DecodeSpec {
  const known = specs.get(schema);
  if (known) return known;
  const attributes = new Map<string, DecodeSpec>();
  for (const [name, attribute] of schema.attributes) {
    attributes.set(name, {
      kind: "attribute",
      name,
      type: attributeConfigType(attribute),
      required: attribute.required ?? false,
    });
  }
  for (const [name, nested] of schema.blocks) attributes.set(name, nestedSpec(name, nested));
  const spec: DecodeSpec = { kind: "object", attributes };
  specs.set(schema, spec);
  return spec;
}

function nestedSpec(type: string, { nesting, block, minItems, maxItems }: NestedBlockSchema): DecodeSpec {
  const nested = specOf(block);
  const bounds = { ...(minItems > 0 ? { minimum: minItems } : {}), ...(maxItems > 0 ? { maximum: maxItems } : {}) };
  const mixed = hasDynamic(configType(block));
  switch (nesting) {
    case "single":
      return { kind: "block", type, nested, required: minItems > 0 };
    case "group":
      return {
        kind: "default",
        primary: { kind: "block", type, nested, required: false },
        fallback: { kind: "literal", value: emptyBlocks({ nesting, block, minItems, maxItems }) },
      };
    case "list":
      return { kind: mixed ? "blockTuple" : "blockList", type, nested, ...bounds };
    case "set":
      return { kind: "blockSet", type, nested, ...bounds };
    case "map":
      return { kind: mixed ? "blockObject" : "blockMap", type, nested, labelNames: ["key"] };
  }
}
