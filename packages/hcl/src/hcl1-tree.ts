import type { Diagnostic } from "@millwright/core/diagnostics";
import { warningDiagnostic } from "@millwright/core/diagnostics";
import { formatRange } from "@millwright/core/source";
import type { Value } from "@millwright/value/value";
import { stringValue } from "@millwright/value/value";
import type { Attribute, Block, Body, Expression, Node, ObjectItem } from "./ast.ts";
import { rangeOf } from "./source-file.ts";
import { between } from "./span.ts";

/** HCL 1 as it is written: values, lists, and objects of items with one or more keys. */
export type Hcl1Value = Hcl1Literal | Hcl1List | Hcl1Object;

export interface Hcl1Literal extends Node {
  readonly kind: "literal";
  readonly value: Value;
}

export interface Hcl1List extends Node {
  readonly kind: "list";
  readonly elements: readonly Hcl1Value[];
  readonly open: Node;
}

export interface Hcl1Object extends Node {
  readonly kind: "object";
  readonly items: readonly Hcl1Item[];
  readonly open: Node;
  readonly close: Node;
}

/** `key = value`, or `key "key" { … }`. */
export type Hcl1Item =
  | { readonly keys: readonly [Hcl1Key]; readonly isAssigned: true; readonly value: Hcl1Value }
  | { readonly keys: readonly Hcl1Key[]; readonly isAssigned: false; readonly value: Hcl1Object };

export interface Hcl1Key extends Node {
  readonly text: string;
  readonly isQuoted: boolean;
}

/** The object as a body: attributes for items with an equals sign, blocks for those without. */
export function bodyOfObject(object: Hcl1Object, diagnostics: Diagnostic[]): Body {
  const attributes = new Map<string, Attribute>();
  const blocks: Block[] = [];
  for (const item of object.items) {
    if (!item.isAssigned) blocks.push(blockOf(item.keys, item.value, diagnostics));
    else addAttribute(attributes, item.keys[0], item.value, diagnostics);
  }
  const { file, start, end } = object;
  const missingItem = { file, start: object.open.start, end: object.open.start };
  return { file, start, end, attributes, blocks, missingItem, interchangeable: true };
}

function addAttribute(
  attributes: Map<string, Attribute>,
  key: Hcl1Key,
  value: Hcl1Value,
  diagnostics: Diagnostic[],
): void {
  const earlier = attributes.get(key.text);
  if (earlier) {
    const detail = `${key.text} is set already at ${formatRange(rangeOf(earlier.nameNode))}. This one holds; remove one of the two.`;
    diagnostics.push(warningDiagnostic("Argument set twice", detail, { subject: rangeOf(key) }));
    attributes.delete(key.text);
  }
  const span = between(key, value);
  attributes.set(key.text, { ...span, name: key.text, nameNode: nodeOf(key), expression: expressionOf(value) });
}

function blockOf(keys: readonly Hcl1Key[], value: Hcl1Object, diagnostics: Diagnostic[]): Block {
  const [type, ...labels] = keys;
  return {
    ...between(type!, value),
    type: type!.text,
    typeNode: nodeOf(type!),
    labels: labels.map((label) => label.text),
    labelNodes: labels.map(nodeOf),
    header: between(type!, keys.at(-1)!),
    openBrace: value.open,
    closeBrace: value.close,
    body: bodyOfObject(value, diagnostics),
  };
}

function expressionOf(value: Hcl1Value): Expression {
  const { file, start, end } = value;
  switch (value.kind) {
    case "literal":
      return { kind: "literal", file, start, end, value: value.value };
    case "list":
      return { kind: "tuple", file, start, end, elements: value.elements.map(expressionOf), open: value.open };
    case "object":
      return { kind: "object", file, start, end, items: value.items.map(objectItem), open: value.open };
  }
}

/** Further keys are objects within one another. */
function objectItem({ keys, value }: Hcl1Item): ObjectItem {
  const [key, ...rest] = keys;
  const inner = rest.reduceRight<Expression>((expression, label) => {
    const item = { key: objectKey(label), value: expression };
    return { kind: "object", ...between(label, value), items: [item], open: nodeOf(label) };
  }, expressionOf(value));
  return { key: objectKey(key!), value: inner };
}

function objectKey(key: Hcl1Key): ObjectItem["key"] {
  const expression = { kind: "literal", ...nodeOf(key), value: stringValue(key.text) } as const;
  return key.isQuoted ? { ...nodeOf(key), expression } : { ...nodeOf(key), expression, name: key.text };
}

function nodeOf({ file, start, end }: Node): Node {
  return { file, start, end };
}
