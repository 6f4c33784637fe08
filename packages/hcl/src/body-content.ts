import type { Diagnosed, Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import { quote } from "@millwright/text/quote";
import { didYouMean } from "./access.ts";
import type { Attribute, Block, Body } from "./ast.ts";
import type { AttributeSchema, BlockSchema, BodyContent, BodySchema } from "./body-schema.ts";
import { inWantedForms, withoutBlocks } from "./hcl1-content.ts";
import { jsonAttributes, jsonContent, withoutProperties } from "./json-content.ts";
import { rangeOf } from "./source-file.ts";
import { between } from "./span.ts";

/**
 * Reads a body by a schema. What the schema does not know, what it requires and is not there, and labels that are too many
 * or too few are errors; what was found all the same is in the value. Native and JSON bodies alike.
 */
export function contentOf(given: Body, schema: BodySchema): Diagnosed<BodyContent> {
  const diagnostics: Diagnostic[] = [];
  const body = given.interchangeable ? inWantedForms(given, schema) : given;
  const value = body.json
    ? mixedContent(body, schema, "everything", diagnostics)
    : nativeContent(body, schema, diagnostics);
  refuseAttributes(body, value, schema, diagnostics);
  for (const block of body.blocks) {
    if (!schema.blocks.some(({ type }) => type === block.type)) diagnostics.push(unsupportedBlock(block, body, schema));
  }
  return { value, diagnostics };
}

/** As {@link contentOf}, but what the schema does not know is left in `rest`, a body to be read by another schema. */
export function partialContentOf(
  given: Body,
  schema: BodySchema,
): Diagnosed<{ readonly content: BodyContent; readonly rest: Body }> {
  const diagnostics: Diagnostic[] = [];
  const names = new Set(schema.attributes.map(({ name }) => name));
  const types = new Set(schema.blocks.map(({ type }) => type));
  const body = given.interchangeable ? inWantedForms(given, schema) : given;
  const content = body.json
    ? mixedContent(body, schema, "wanted", diagnostics)
    : nativeContent(body, schema, diagnostics);
  const rest: Body = {
    ...body,
    attributes: new Map([...body.attributes].filter(([name]) => !names.has(name))),
    blocks: body.blocks.filter(({ type }) => !types.has(type)),
    ...(body.json ? { json: withoutProperties(body.json, new Set([...names, ...types])) } : {}),
    takenBy: given.takenBy ?? schema,
  };
  return { value: { content, rest }, diagnostics };
}

/** What a body has in the native syntax and in JSON, where one was laid over the other. */
function mixedContent(
  body: Body,
  schema: BodySchema,
  extent: "everything" | "wanted",
  diagnostics: Diagnostic[],
): BodyContent {
  const optional = { ...schema, attributes: schema.attributes.map((each) => ({ ...each, required: false })) };
  const native = nativeContent(body, optional, diagnostics);
  const json = jsonContent(body.json!, optional, extent, diagnostics);
  const attributes = new Map([...native.attributes, ...json.attributes]);
  const { missingItem } = body;
  for (const { name, required } of schema.attributes)
    if (required && !attributes.has(name)) diagnostics.push(missingArgument(name, body));
  return { attributes, blocks: [...native.blocks, ...json.blocks], missingItem };
}

/** The arguments of a body that may have no blocks, whatever their names. */
export function justAttributes(given: Body): Diagnosed<ReadonlyMap<string, Attribute>> {
  const diagnostics: Diagnostic[] = [];
  if (given.json) {
    const attributes = new Map([...given.attributes, ...jsonAttributes(given.json, diagnostics)]);
    return { value: attributes, diagnostics };
  }
  const body = given.interchangeable ? withoutBlocks(given) : given;
  const [block] = body.blocks;
  if (block) {
    const summary = `Unexpected ${quote(block.type)} block`;
    diagnostics.push(errorDiagnostic(summary, "Blocks are not allowed here.", { subject: rangeOf(block.typeNode) }));
  }
  return { value: body.attributes, diagnostics };
}

function nativeContent(body: Body, schema: BodySchema, diagnostics: Diagnostic[]): BodyContent {
  const { attributes: given } = body;
  let found = 0;
  for (const { name, required } of schema.attributes) {
    if (given.has(name)) found++;
    else if (required) diagnostics.push(missingArgument(name, body));
  }
  // Most often the schema knows them all.
  const attributes = found === given.size ? given : wantedAttributes(given, schema.attributes);
  const blocks = body.blocks.length === 0 ? body.blocks : wantedBlocks(body.blocks, schema.blocks, diagnostics);
  return { attributes, blocks, missingItem: body.missingItem };
}

function wantedAttributes(
  given: ReadonlyMap<string, Attribute>,
  schemas: readonly AttributeSchema[],
): ReadonlyMap<string, Attribute> {
  const wanted = new Map<string, Attribute>();
  for (const { name } of schemas) {
    const attribute = given.get(name);
    if (attribute) wanted.set(name, attribute);
  }
  return wanted;
}

export function missingArgument(name: string, { missingItem }: Pick<Body, "missingItem">): Diagnostic {
  const detail = `The argument ${quote(name)} is required, but no definition was found.`;
  return errorDiagnostic("Missing required argument", detail, { subject: rangeOf(missingItem) });
}

function wantedBlocks(
  blocks: readonly Block[],
  schemas: readonly BlockSchema[],
  diagnostics: Diagnostic[],
): readonly Block[] {
  return blocks.filter((block) => {
    const schema = schemas.find(({ type }) => type === block.type);
    if (!schema) return false;
    const fault = labelFault(block, schema);
    if (fault) diagnostics.push(fault);
    return !fault;
  });
}

function labelFault(block: Block, { labelNames }: BlockSchema): Diagnostic | undefined {
  const { type, labels } = block;
  if (labels.length === labelNames.length) return undefined;
  const context = rangeOf(between(block.typeNode, block.openBrace));
  if (labels.length < labelNames.length) {
    const missing = labelNames[labels.length]!;
    return errorDiagnostic(
      `Missing ${missing} for ${type}`,
      `All ${type} blocks must have ${labelNames.length} labels (${labelNames.join(", ")}).`,
      { subject: rangeOf(block.openBrace), context },
    );
  }
  const subject = rangeOf(block.labelNodes[labelNames.length]!);
  const expected =
    labelNames.length === 0
      ? `No labels are expected for ${type} blocks.`
      : `Only ${labelNames.length} labels (${labelNames.join(", ")}) are expected for ${type} blocks.`;
  return errorDiagnostic(`Extraneous label for ${type}`, expected, { subject, context });
}

function refuseAttributes(body: Body, content: BodyContent, schema: BodySchema, diagnostics: Diagnostic[]): void {
  for (const [name, attribute] of body.attributes) {
    if (content.attributes.has(name)) continue;
    const known = [...schema.attributes, ...(body.takenBy?.attributes ?? [])].map((other) => other.name);
    const unused = known.filter((other) => !content.attributes.has(other));
    const isBlock = schema.blocks.some(({ type }) => type === name);
    const hint = isBlock ? ` Did you mean to define a block of type ${quote(name)}?` : didYouMean(name, unused);
    const detail = `An argument named ${quote(name)} is not expected here.${hint}`;
    diagnostics.push(errorDiagnostic("Unsupported argument", detail, { subject: rangeOf(attribute.nameNode) }));
  }
}

function unsupportedBlock(block: Block, { takenBy }: Body, schema: BodySchema): Diagnostic {
  const { type } = block;
  const isAttribute = schema.attributes.some(({ name }) => name === type);
  const hint = isAttribute
    ? ` Did you mean to define argument ${quote(type)}? If so, use the equals sign to assign it a value.`
    : didYouMean(
        type,
        [...schema.blocks, ...(takenBy?.blocks ?? [])].map((other) => other.type),
      );
  const detail = `Blocks of type ${quote(type)} are not expected here.${hint}`;
  return errorDiagnostic("Unsupported block type", detail, { subject: rangeOf(block.typeNode) });
}
