import type { Block, Body } from "@millwright/hcl/ast";
import type { AttributeSchema, BlockSchema, NestedBlockSchema } from "@millwright/provider/schema";
import type { ObjectType } from "@millwright/value/types";
import type { Value } from "@millwright/value/value";
import { nullValue } from "@millwright/value/value";

/**
 * The schema by which a body is to be read. Attributes that are lists or sets of objects may also be written as blocks, which
 * providers of before Terraform 0.12 rely on: such an attribute is a block type of the schema for a body that has blocks of its
 * name. In JSON they are always attributes.
 * Source: Terraform's documentation, "Attributes as Blocks".
 */
export function schemaForBody(body: Body, schema: BlockSchema): BlockSchema {
  if (body.json || !isAmbiguous(schema)) return schema;
  const known = effective.get(body);
  if (known) return known;
  const made = schemaForBodies([body], schema);
  effective.set(body, made);
  return made;
}

/**
 * The value of a body that was read by {@link schemaForBody}: an attribute of which `dynamic` blocks have made no block is left
 * out, as one that nobody has written, and the provider may say what it is.
 */
export function withoutEmptied(value: Value, body: Body, schema: BlockSchema): Value {
  const read = schemaForBody(body, schema);
  if (read === schema || !(value.data instanceof Map)) return value;
  const data = new Map(value.data);
  for (const name of schema.attributes.keys()) {
    const decoded = read.blocks.has(name) ? data.get(name) : undefined;
    if (decoded && Array.isArray(decoded.data) && decoded.data.length === 0) data.set(name, nullValue(decoded.type));
  }
  return { ...value, data };
}

const effective = new WeakMap<Body, BlockSchema>();
const ambiguous = new WeakMap<BlockSchema, boolean>();

function isAmbiguous(schema: BlockSchema): boolean {
  let found = ambiguous.get(schema);
  if (found === undefined) {
    found =
      [...schema.attributes.values()].some((attribute) => elementOf(attribute)) ||
      [...schema.blocks.values()].some(({ block }) => isAmbiguous(block));
    ambiguous.set(schema, found);
  }
  return found;
}

/** The object that an attribute is a list or set of, where it is one. */
function elementOf({ type }: AttributeSchema): ObjectType | undefined {
  return (type?.kind === "list" || type?.kind === "set") && type.element.kind === "object" ? type.element : undefined;
}

function schemaForBodies(bodies: readonly Body[], schema: BlockSchema): BlockSchema {
  const attributes = new Map(schema.attributes);
  const blocks = new Map<string, NestedBlockSchema>();
  for (const [name, nested] of schema.blocks) {
    const inner = isAmbiguous(nested.block) ? schemaForBodies(bodiesOf(bodies, name), nested.block) : nested.block;
    blocks.set(name, inner === nested.block ? nested : { ...nested, block: inner });
  }
  for (const [name, attribute] of schema.attributes) {
    const element = elementOf(attribute);
    const inner = element ? bodiesOf(bodies, name) : [];
    if (!element || inner.length === 0 || bodies.some((body) => body.attributes.has(name))) continue;
    attributes.delete(name);
    const nesting = attribute.type?.kind === "set" ? "set" : "list";
    blocks.set(name, { nesting, block: schemaForBodies(inner, schemaOfObject(element)), minItems: 0, maxItems: 0 });
  }
  return { ...schema, attributes, blocks };
}

/** What is inside the blocks of a type, those that `dynamic` blocks are to make too. */
function bodiesOf(bodies: readonly Body[], type: string): readonly Body[] {
  return bodies.flatMap(({ blocks }) => blocks.flatMap((block) => bodyFor(block, type)));
}

function bodyFor(block: Block, type: string): readonly Body[] {
  if (block.type === type) return [block.body];
  if (block.type !== "dynamic" || block.labels[0] !== type) return [];
  return block.body.blocks.filter((inner) => inner.type === "content").map((inner) => inner.body);
}

/** In a block everything may be left out. */
function schemaOfObject({ attributes }: ObjectType): BlockSchema {
  const optional = [...attributes].map(([name, type]) => [name, { type, optional: true }] as const);
  return { attributes: new Map(optional), blocks: new Map() };
}
