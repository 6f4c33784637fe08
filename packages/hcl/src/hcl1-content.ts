import { Unknown } from "@millwright/value/unknown";
import type {
  Attribute,
  Block,
  Body,
  Expression,
  Node,
  ObjectConstructor,
  ObjectItem,
  TupleConstructor,
} from "./ast.ts";
import { stringValue } from "@millwright/value/value";
import type { BlockSchema, BodySchema } from "./body-schema.ts";
import { between } from "./span.ts";

/**
 * An HCL 1 body in the forms that a schema asks for: an attribute with an object (or a list of objects) where it wants
 * blocks, a block where it wants an attribute, and labels where it wants them. What the schema does not name stays.
 */
export function inWantedForms(body: Body, schema: BodySchema): Body {
  const attributes = new Map<string, Attribute>();
  const blocks: Block[] = [];
  for (const [name, attribute] of body.attributes) {
    const wanted = schema.blocks.find(({ type }) => type === name);
    const found = wanted && !isAttribute(schema, name) ? blocksOfAttribute(attribute) : undefined;
    if (found) blocks.push(...found.flatMap((block) => withLabels(block, wanted!)));
    else attributes.set(name, attribute);
  }
  for (const block of body.blocks) {
    const wanted = schema.blocks.find(({ type }) => type === block.type);
    if (wanted) blocks.push(...withLabels(block, wanted));
    else if (isAttribute(schema, block.type)) addBlock(attributes, block);
    else blocks.push(block);
  }
  blocks.sort((a, b) => a.start - b.start);
  return { ...body, attributes, blocks };
}

/** An HCL 1 body with each block as an attribute: what `{ … }` in free form is read as. */
export function withoutBlocks(body: Body): Body {
  const attributes = new Map(body.attributes);
  for (const block of body.blocks) addBlock(attributes, block);
  return { ...body, attributes, blocks: [] };
}

function isAttribute(schema: BodySchema, name: string): boolean {
  return schema.attributes.some((attribute) => attribute.name === name);
}

/** Undefined where the value is no object and no list of objects. */
function blocksOfAttribute({ name, nameNode, expression }: Attribute): Block[] | undefined {
  const objects = expression.kind === "tuple" ? expression.elements : [expression];
  if (!objects.every((object) => object.kind === "object")) return undefined;
  return objects.map((object) => blockOfObject(name, nameNode, object));
}

function blockOfObject(type: string, typeNode: Node, object: ObjectConstructor): Block {
  const closeBrace = { file: object.file, start: Math.max(object.start, object.end - 1), end: object.end };
  return {
    ...between(typeNode, object),
    type,
    typeNode,
    labels: [],
    labelNodes: [],
    header: typeNode,
    openBrace: object.open,
    closeBrace,
    body: bodyOfObject(object),
  };
}

function bodyOfObject(object: ObjectConstructor): Body {
  const { file, start, end } = object;
  const attributes = new Map<string, Attribute>();
  for (const { key, value } of object.items) {
    const name = keyText(key.expression);
    if (name === undefined) continue;
    const nameNode = { file, start: key.start, end: key.end };
    attributes.set(name, { ...between(key, value), name, nameNode, expression: value });
  }
  return { file, start, end, attributes, blocks: [], missingItem: { file, start, end: start }, interchangeable: true };
}

function keyText(expression: Expression): string | undefined {
  if (expression.kind !== "literal" || expression.value.data instanceof Unknown) return undefined;
  return typeof expression.value.data === "string" ? expression.value.data : undefined;
}

/** Labels that are missing are taken from the names of what is inside. */
function withLabels(block: Block, schema: BlockSchema): Block[] {
  const wanted = schema.labelNames.length;
  if (block.labels.length >= wanted) return [block];
  const inner = labelledBlocks(block.body);
  if (inner === undefined || inner.length === 0) return [block];
  return inner.flatMap((child) => withLabels(withMoreLabels(block, child), schema));
}

/** What a body holds, each as a block by its name; undefined where there is something that cannot be one. */
function labelledBlocks(body: Body): Block[] | undefined {
  const blocks: Block[] = [...body.blocks];
  for (const attribute of body.attributes.values()) {
    const found = blocksOfAttribute(attribute);
    if (!found) return undefined;
    blocks.push(...found);
  }
  return blocks.sort((a, b) => a.start - b.start);
}

function withMoreLabels(block: Block, child: Block): Block {
  return {
    ...child,
    start: block.start,
    type: block.type,
    typeNode: block.typeNode,
    labels: [...block.labels, child.type, ...child.labels],
    labelNodes: [...block.labelNodes, child.typeNode, ...child.labelNodes],
    header: between(block.typeNode, child.header),
  };
}

/** A block as an attribute with an object; several of one type as one with a list of objects. */
function addBlock(attributes: Map<string, Attribute>, block: Block): void {
  const { type, typeNode } = block;
  const value = objectOfBlock(block);
  const earlier = attributes.get(type);
  const expression = earlier ? together(earlier.expression, value) : value;
  attributes.set(type, {
    ...between(earlier ?? typeNode, block),
    name: type,
    nameNode: earlier?.nameNode ?? typeNode,
    expression,
  });
}

function together(earlier: Expression, value: Expression): TupleConstructor {
  const elements = earlier.kind === "tuple" ? [...earlier.elements, value] : [earlier, value];
  const { file, start } = earlier;
  return { kind: "tuple", file, start, end: value.end, elements, open: { file, start, end: start } };
}

function objectOfBlock(block: Block): ObjectConstructor {
  const { openBrace: open, closeBrace } = block;
  const span = between(open, closeBrace);
  const inner: ObjectConstructor = { kind: "object", ...span, open, items: itemsOfBody(block.body) };
  return block.labels.reduceRight<ObjectConstructor>((object, label, i) => {
    const node = block.labelNodes[i]!;
    return {
      kind: "object",
      ...between(node, object),
      open: node,
      items: [{ key: objectKey(label, node), value: object }],
    };
  }, inner);
}

function itemsOfBody(body: Body): ObjectItem[] {
  const { attributes } = withoutBlocks(body);
  return [...attributes.values()].map(({ name, nameNode, expression }) => ({
    key: objectKey(name, nameNode),
    value: expression,
  }));
}

function objectKey(text: string, node: Node): ObjectItem["key"] {
  const { file, start, end } = node;
  return { file, start, end, expression: { kind: "literal", file, start, end, value: stringValue(text) } };
}
