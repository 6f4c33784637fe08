import type { Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import { formatRange } from "@millwright/core/source";
import type { Attribute, Block } from "@millwright/hcl/ast";
import type { BlockSchema, BodySchema } from "@millwright/hcl/body-schema";
import type { ReadContent, ScopedBlock, ScopedBody } from "@millwright/hcl/decode-content";
import { rangeOf } from "@millwright/hcl/source-file";
import { quote } from "@millwright/text/quote";
import { freeBody, mapBody, mapValue, readValue } from "./decode-value.ts";
import type { AnyRecord, Field, Fields, Shape } from "./shape.ts";
import { fieldsOf, languageName } from "./shape.ts";

/** What the language has beyond a shape's fields, and how it is folded into them. */
export interface LanguageForm {
  readonly fields: Fields;
  readonly fold: (record: AnyRecord) => AnyRecord;
  /** Blocks that Nomad has and we do not, which is said by a message of its own. */
  readonly refused?: readonly BlockSchema[];
}

/** What decoding needs, and where it says what is wrong. */
export interface Decoding {
  readonly diagnostics: Diagnostic[];
  readonly content: ReadContent;
  readonly forms: ReadonlyMap<Shape, LanguageForm>;
}

/** What a body says of an object of a shape: a draft, without what is at fault. */
export function decodeBody(shape: Shape, from: ScopedBody, decoding: Decoding): AnyRecord {
  const form = decoding.forms.get(shape);
  const fields = [...fieldsOf(shape), ...Object.entries(form?.fields ?? {})];
  const { attributes, blocks } = decoding.content(
    from,
    schemaOf(shape, fields, form?.refused ?? []),
    decoding.diagnostics,
  );
  for (const { block } of blocks) if (isRefused(block, form)) decoding.diagnostics.push(notHere(block));
  const record: Record<string, unknown> = {};
  for (const [property, field] of fields) {
    const name = languageName(property, field);
    if (name === undefined) continue;
    const attribute = attributes.get(name);
    const named = blocks.filter(({ block }) => block.type === name);
    const value = attribute ? decodeAttribute(field, attribute, from, decoding) : decodeBlocks(field, named, decoding);
    if (value !== undefined) record[property] = value;
  }
  return form ? form.fold(record) : record;
}

const schemas = new WeakMap<Shape, BodySchema>();

function isRefused({ type }: Block, form: LanguageForm | undefined): boolean {
  return form?.refused?.some((refused) => refused.type === type) ?? false;
}

function notHere({ type, header }: Block): Diagnostic {
  const detail = `Nomad knows ${type} blocks here; Millwright does not carry them out, so it does not accept them. Remove the block.`;
  return errorDiagnostic("Unsupported block type", detail, { subject: rangeOf(header) });
}

function schemaOf(
  shape: Shape,
  fields: readonly (readonly [string, Field])[],
  refused: readonly BlockSchema[],
): BodySchema {
  const known = schemas.get(shape);
  if (known) return known;
  const schema: { attributes: BodySchema["attributes"][number][]; blocks: BodySchema["blocks"][number][] } = {
    attributes: [],
    blocks: [...refused],
  };
  for (const [property, field] of fields) {
    const name = languageName(property, field);
    if (name === undefined) continue;
    if (isAttribute(field)) schema.attributes.push({ name, required: field.options.required === true });
    if (isBlock(field)) schema.blocks.push({ type: name, labelNames: labelsOf(field) });
  }
  schemas.set(shape, schema);
  return schema;
}

function isAttribute({ kind }: Field): boolean {
  return kind !== "object" && kind !== "objects";
}

function isBlock({ kind }: Field): boolean {
  return kind === "object" || kind === "objects" || kind === "map" || kind === "lists" || kind === "free";
}

function labelsOf(field: Field): readonly string[] {
  if (field.kind !== "object" && field.kind !== "objects") return [];
  return field.shape.label === undefined ? [] : ["name"];
}

function decodeAttribute(field: Field, { expression, name }: Attribute, from: ScopedBody, decoding: Decoding): unknown {
  switch (field.kind) {
    case "object":
    case "objects":
      return undefined;
    case "map":
    case "lists":
    case "free":
      return mapValue(field.kind, expression, name, from.scope, decoding.diagnostics);
    default:
      return readValue(field.kind, expression, name, from.scope, decoding.diagnostics);
  }
}

function decodeBlocks(field: Field, blocks: readonly ScopedBlock[], decoding: Decoding): unknown {
  const [first, second] = blocks;
  if (!first) return undefined;
  if (field.kind === "objects") {
    if (field.shape.label !== undefined) tellDuplicates(blocks, decoding.diagnostics);
    return blocks.map((block) => decodeBlock(field.shape, block, decoding));
  }
  if (second) decoding.diagnostics.push(duplicateBlock(first.block, second.block));
  switch (field.kind) {
    case "object":
      return decodeBlock(field.shape, first, decoding);
    case "free":
      return freeBody(first.inside, decoding.diagnostics);
    case "map":
    case "lists":
      return mapBody(field.kind, first.inside, decoding.diagnostics);
    default:
      return undefined;
  }
}

/** A block's body, with its label as the field that the shape says. */
export function decodeBlock(shape: Shape, { block, inside }: ScopedBlock, decoding: Decoding): AnyRecord {
  const { label } = shape;
  const record = decodeBody(shape, inside, decoding);
  return label === undefined ? record : { [label]: block.labels[0] ?? "", ...record };
}

function duplicateBlock(first: Block, second: Block): Diagnostic {
  const detail = `There is a ${quote(first.type)} block already at ${formatRange(rangeOf(first.header))}. Write all of it in one block.`;
  return errorDiagnostic(`Duplicate ${second.type} block`, detail, { subject: rangeOf(second.header) });
}

function tellDuplicates(blocks: readonly ScopedBlock[], diagnostics: Diagnostic[]): void {
  const seen = new Map<string, Block>();
  for (const { block } of blocks) {
    const label = block.labels[0] ?? "";
    const first = seen.get(label);
    if (!first) {
      seen.set(label, block);
      continue;
    }
    const detail = `A ${block.type} named ${quote(label)} was declared already at ${formatRange(rangeOf(first.header))}. Each ${block.type} needs a name of its own.`;
    diagnostics.push(errorDiagnostic(`Duplicate ${block.type} name`, detail, { subject: rangeOf(block.header) }));
  }
}
