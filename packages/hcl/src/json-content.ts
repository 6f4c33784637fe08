import type { Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import { formatRange } from "@millwright/core/source";
import { quote } from "@millwright/text/quote";
import { didYouMean } from "./access.ts";
import type { Attribute, Block, JsonNode, JsonProperty, Node } from "./ast.ts";
import type { BlockSchema, BodyContent, BodySchema } from "./body-schema.ts";
import { rangeOf } from "./source-file.ts";

/**
 * Reads a JSON value as a body, by the JSON profile of HCL (json/spec.md of hashicorp/hcl): a property is an argument or
 * blocks as the schema says, an array of objects is one body of all their properties, `//` is a comment. With `everything`
 * properties that the schema does not know are errors.
 */
export function jsonContent(
  json: JsonNode,
  schema: BodySchema,
  extent: "everything" | "wanted",
  diagnostics: Diagnostic[],
): BodyContent {
  const attributes = new Map<string, Attribute>();
  const blocks: Block[] = [];
  const unknown: JsonProperty[] = [];
  for (const property of bodyProperties(json, diagnostics)) {
    const { name } = property;
    if (schema.attributes.some((attribute) => attribute.name === name)) addAttribute(property, attributes, diagnostics);
    else {
      const blockSchema = schema.blocks.find(({ type }) => type === name);
      if (blockSchema) addBlocks(property, blockSchema, blocks, diagnostics);
      else if (name !== "//") unknown.push(property);
    }
  }
  const missingItem = missingItemOf(json);
  for (const { name, required } of schema.attributes) {
    if (!required || attributes.has(name)) continue;
    const detail = `The argument ${quote(name)} is required, but no definition was found.`;
    diagnostics.push(errorDiagnostic("Missing required argument", detail, { subject: rangeOf(missingItem) }));
  }
  if (extent === "everything")
    for (const property of unknown) diagnostics.push(extraneous(property, schema, attributes));
  return { attributes, blocks, missingItem };
}

/** All properties of an object as arguments. */
export function jsonAttributes(json: JsonNode, diagnostics: Diagnostic[]): ReadonlyMap<string, Attribute> {
  const attributes = new Map<string, Attribute>();
  if (json.kind !== "jsonObject") {
    const detail = "A JSON object is required here, setting the arguments for this block.";
    diagnostics.push(incorrectType(detail, json));
    return attributes;
  }
  for (const property of json.properties) if (property.name !== "//") addAttribute(property, attributes, diagnostics);
  return attributes;
}

/** The same value without the properties of these names, in the object or in each object of the array. */
export function withoutProperties(json: JsonNode, names: ReadonlySet<string>): JsonNode {
  if (json.kind === "jsonObject")
    return { ...json, properties: json.properties.filter(({ name }) => !names.has(name)) };
  if (json.kind !== "jsonArray") return json;
  return { ...json, elements: json.elements.map((element) => withoutProperties(element, names)) };
}

function addAttribute(property: JsonProperty, attributes: Map<string, Attribute>, diagnostics: Diagnostic[]): void {
  const { name, nameNode, value, file } = property;
  const earlier = attributes.get(name);
  if (earlier) {
    const detail = `The argument ${quote(name)} was already set at ${formatRange(rangeOf(earlier))}.`;
    diagnostics.push(errorDiagnostic("Duplicate argument", detail, { subject: rangeOf(nameNode) }));
    return;
  }
  const span = { file, start: nameNode.start, end: value.end };
  const expression = { kind: "json", value, file, start: value.start, end: value.end } as const;
  attributes.set(name, { ...span, name, nameNode, expression });
}

function addBlocks(property: JsonProperty, schema: BlockSchema, blocks: Block[], diagnostics: Diagnostic[]): void {
  unpack(property.value, 0, { schema, typeNode: property.nameNode, labels: [] }, blocks, diagnostics);
}

/** The way down through the objects whose property names are labels. */
interface Header {
  readonly schema: BlockSchema;
  readonly typeNode: Node;
  readonly labels: readonly JsonProperty[];
}

function unpack(json: JsonNode, depth: number, header: Header, blocks: Block[], diagnostics: Diagnostic[]): void {
  const { type, labelNames } = header.schema;
  const labelName = labelNames[depth];
  if (labelName !== undefined) {
    const properties = labelProperties(json, labelName, diagnostics);
    if (properties.length === 0) {
      const detail = `At least one object property is required, whose name represents the ${type} block's ${labelName}.`;
      diagnostics.push(errorDiagnostic("Missing block label", detail, { subject: rangeOf(startOf(json)) }));
    }
    for (const property of properties) {
      const labels = [...header.labels, property];
      unpack(property.value, depth + 1, { ...header, labels }, blocks, diagnostics);
    }
    return;
  }
  switch (json.kind) {
    case "jsonNull":
      return;
    case "jsonObject":
      blocks.push(blockOf(json, json.open, header));
      return;
    case "jsonArray":
      // An element that is no object is found out when the block's content is asked for.
      for (const element of json.elements) blocks.push(blockOf(element, json.open, header));
      return;
    default: {
      const what = `representing the contents of one or more ${quote(type)} blocks`;
      diagnostics.push(incorrectType(`Either a JSON object or a JSON array is required, ${what}.`, json));
    }
  }
}

function blockOf(json: JsonNode, open: Node, { schema, typeNode, labels }: Header): Block {
  const { file, start, end } = json;
  const closeBrace = json.kind === "jsonObject" ? json.close : json;
  const missingItem = missingItemOf(json);
  return {
    file,
    start,
    end,
    type: schema.type,
    typeNode,
    labels: labels.map(({ name }) => name),
    labelNodes: labels.map(({ nameNode }) => nameNode),
    header: open,
    openBrace: open,
    closeBrace,
    body: { file, start, end, attributes: new Map(), blocks: [], missingItem, json },
  };
}

function bodyProperties(json: JsonNode, diagnostics: Diagnostic[]): readonly JsonProperty[] {
  return propertiesOf(json, "to define arguments and child blocks", diagnostics);
}

function labelProperties(json: JsonNode, labelName: string, diagnostics: Diagnostic[]): readonly JsonProperty[] {
  return propertiesOf(json, `to specify ${labelName} labels for this block`, diagnostics);
}

/** The properties of an object, or of all objects of an array, in order. */
function propertiesOf(json: JsonNode, purpose: string, diagnostics: Diagnostic[]): readonly JsonProperty[] {
  switch (json.kind) {
    case "jsonNull":
      return [];
    case "jsonObject":
      return json.properties;
    case "jsonArray":
      return json.elements.flatMap((element) => {
        if (element.kind === "jsonObject") return element.properties;
        diagnostics.push(incorrectType(`A JSON object is required here, ${purpose}.`, element));
        return [];
      });
    default:
      diagnostics.push(
        incorrectType(`Either a JSON object or JSON array of objects is required here, ${purpose}.`, json),
      );
      return [];
  }
}

function incorrectType(detail: string, json: JsonNode): Diagnostic {
  return errorDiagnostic("Incorrect JSON value type", detail, { subject: rangeOf(startOf(json)) });
}

function extraneous(property: JsonProperty, schema: BodySchema, used: ReadonlyMap<string, Attribute>): Diagnostic {
  const unused = schema.attributes.filter(({ name }) => !used.has(name)).map(({ name }) => name);
  const hint = didYouMean(property.name, [...unused, ...schema.blocks.map(({ type }) => type)]);
  const detail = `No argument or block type is named ${quote(property.name)}.${hint}`;
  return errorDiagnostic("Extraneous JSON object property", detail, { subject: rangeOf(property.nameNode) });
}

function missingItemOf(json: JsonNode): Node {
  if (json.kind === "jsonObject") return json.close;
  return startOf(json);
}

function startOf(json: JsonNode): Node {
  return json.kind === "jsonObject" || json.kind === "jsonArray" ? json.open : json;
}
