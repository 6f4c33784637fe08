import type { Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import { formatRange } from "@millwright/core/source";
import { quote } from "@millwright/text/quote";
import { convert } from "@millwright/value/convert";
import type { Type } from "@millwright/value/types";
import { mapType, typeEquals, withoutOptional } from "@millwright/value/types";
import { unifiedType } from "@millwright/value/unify";
import type { Value } from "@millwright/value/value";
import {
  dynamicValue,
  emptyObject,
  listValue,
  mapValue,
  nullValue,
  objectValue,
  setValue,
  tupleValue,
  unknownValue,
  withMarks,
} from "@millwright/value/value";
import { justAttributes } from "./body-content.ts";
import type { ScopedBlock, ScopedBody } from "./decode-content.ts";
import type {
  AnyBlockSpec,
  BlockAttributesSpec,
  BlockListSpec,
  BlockMapSpec,
  BlockObjectSpec,
  BlockSetSpec,
  BlockSpec,
  BlockTupleSpec,
  DecodeSpec,
} from "./decode-spec.ts";
import { impliedType } from "./decode-spec.ts";
import type { Decoding, DecodeAttributeValue, Frame } from "./decode.ts";
import { contextFor } from "./evaluate.ts";
import { rangeOf } from "./source-file.ts";

/** How the inside of blocks is decoded. */
export interface Inside {
  readonly body: (from: ScopedBody, spec: DecodeSpec, labels: readonly string[], decoding: Decoding) => Value;
  readonly attribute: DecodeAttributeValue;
}

/** The value of a spec about blocks. */
export function decodeBlocks(spec: AnyBlockSpec, frame: Frame, decoding: Decoding, inside: Inside): Value {
  const blocks = frame.content.blocks.filter(({ block }) => block.type === spec.type);
  switch (spec.kind) {
    case "block":
      return oneBlock(spec, blocks, frame, decoding, inside);
    case "blockAttributes":
      return blockAttributes(spec, blocks, frame, decoding, inside);
    case "blockMap":
    case "blockObject":
      return byLabels(spec, blocks, decoding, inside);
    case "blockList":
    case "blockSet":
    case "blockTuple":
      return allBlocks(spec, blocks, frame, decoding, inside);
  }
}

function oneBlock(
  spec: BlockSpec,
  blocks: readonly ScopedBlock[],
  frame: Frame,
  decoding: Decoding,
  inside: Inside,
): Value {
  const only = theOnly(spec, blocks, frame, decoding);
  if (!only) return nullValue(withoutOptional(impliedType(spec.nested)));
  return inside.body(only.inside, spec.nested, only.block.labels, decoding);
}

/** The one block there may be; a missing or a second one is an error, the first is taken. */
function theOnly(
  spec: BlockSpec | BlockAttributesSpec,
  [first, second]: readonly ScopedBlock[],
  frame: Frame,
  { diagnostics }: Decoding,
): ScopedBlock | undefined {
  if (!first && spec.required) {
    const detail = `A block of type ${quote(spec.type)} is required here.`;
    diagnostics.push(
      errorDiagnostic(`Missing ${spec.type} block`, detail, { subject: rangeOf(frame.content.missingItem) }),
    );
  }
  if (first && second) {
    const before = formatRange(rangeOf(first.block.header));
    const detail = `Only one block of type ${quote(spec.type)} is allowed. Previous definition was at ${before}.`;
    diagnostics.push(
      errorDiagnostic(`Duplicate ${spec.type} block`, detail, { subject: rangeOf(second.block.header) }),
    );
  }
  return first;
}

function blockAttributes(
  spec: BlockAttributesSpec,
  blocks: readonly ScopedBlock[],
  frame: Frame,
  decoding: Decoding,
  inside: Inside,
): Value {
  const only = theOnly(spec, blocks, frame, decoding);
  if (!only) return nullValue(withoutOptional(mapType(spec.element)));
  const { value: attributes, diagnostics } = justAttributes(only.block.body);
  decoding.diagnostics.push(...diagnostics);
  const context = contextFor(only.inside.scope, decoding.diagnostics);
  const entries = [...attributes.values()].map(
    (attribute) => [attribute.name, inside.attribute(attribute, spec.element, spec, only.inside, context)] as const,
  );
  return sameTyped(entries, withoutOptional(spec.element));
}

/** A map; where values of an unknown type came out different, the object that a map cannot be. */
function sameTyped(entries: readonly (readonly [string, Value])[], element: Type): Value {
  const [first] = entries;
  if (!first) return mapValue([], element);
  return entries.every(([, { type }]) => typeEquals(type, first[1].type)) ? mapValue(entries) : objectValue(entries);
}

function allBlocks(
  spec: BlockListSpec | BlockSetSpec | BlockTupleSpec,
  blocks: readonly ScopedBlock[],
  frame: Frame,
  decoding: Decoding,
  inside: Inside,
): Value {
  const values: Value[] = [];
  for (const { block, inside: from } of blocks) {
    const value = inside.body(from, spec.nested, block.labels, decoding);
    // As it is not known how many blocks there will be, nothing is known of the whole.
    if (from.unknown) return unknownValue(withoutOptional(impliedType(spec)));
    values.push(withMarks(value, from.marks));
  }
  checkCount(spec, blocks, frame, decoding.diagnostics);
  if (spec.kind === "blockTuple") return tupleValue(values);
  const element = withoutOptional(impliedType(spec.nested));
  const unified = ofOneType(spec, values, blocks, decoding.diagnostics);
  if (!unified) return dynamicValue;
  const collection = spec.kind === "blockList" ? listValue : setValue;
  return unified.length === 0 ? collection([], element) : collection(unified);
}

function checkCount(
  { type, minimum = 0, maximum = Number.POSITIVE_INFINITY }: BlockListSpec | BlockSetSpec | BlockTupleSpec,
  blocks: readonly ScopedBlock[],
  frame: Frame,
  diagnostics: Diagnostic[],
): void {
  if (blocks.length < minimum) {
    const detail = `At least ${minimum} ${quote(type)} blocks are required.`;
    const subject = rangeOf(frame.content.missingItem);
    diagnostics.push(errorDiagnostic(`Insufficient ${type} blocks`, detail, { subject }));
  } else if (blocks.length > maximum) {
    const detail = `No more than ${maximum} ${quote(type)} blocks are allowed`;
    const subject = rangeOf(blocks[maximum]!.block.body.missingItem);
    diagnostics.push(errorDiagnostic(`Too many ${type} blocks`, detail, { subject }));
  }
}

/** The values as one type, which arguments of any type may keep them from having. */
function ofOneType(
  { type }: BlockListSpec | BlockSetSpec | BlockTupleSpec,
  values: readonly Value[],
  blocks: readonly ScopedBlock[],
  diagnostics: Diagnostic[],
): readonly Value[] | undefined {
  const [first] = values;
  if (!first || values.every((value) => typeEquals(value.type, first.type))) return values;
  const common = unifiedType(
    values.map((value) => value.type),
    "unsafe",
  );
  const refuse = (detail: string, at: ScopedBlock): undefined => {
    diagnostics.push(
      errorDiagnostic(`Unconsistent argument types in ${type} blocks`, detail, {
        subject: rangeOf(at.block.body.missingItem),
      }),
    );
  };
  if (!common) return refuse("Corresponding attributes in all blocks of this type must be the same.", blocks[0]!);
  const converted: Value[] = [];
  for (const [index, value] of values.entries()) {
    const result = convert(value, common);
    if (!result.ok)
      return refuse(`Block with index ${index} has inconsistent argument types: ${result.message}.`, blocks[index]!);
    converted.push(result.value);
  }
  return converted;
}

/** Values under labels, a level a label. */
type Tree = Map<string, Value | Tree>;

function byLabels(
  spec: BlockMapSpec | BlockObjectSpec,
  blocks: readonly ScopedBlock[],
  decoding: Decoding,
  inside: Inside,
): Value {
  const depth = spec.labelNames.length;
  const tree: Tree = new Map();
  for (const { block, inside: from } of blocks) {
    if (from.unknown) return unknownValue(withoutOptional(impliedType(spec)));
    const value = inside.body(from, spec.nested, block.labels.slice(depth), decoding);
    const key = block.labels[depth - 1]!;
    const branch = branchOf(tree, block.labels.slice(0, depth - 1));
    if (branch.has(key)) {
      const labels = block.labels.map((label) => ` ${quote(label)}`).join("");
      const detail = `A block for ${spec.type}${labels} was already defined. The ${spec.type} labels must be unique.`;
      const subject = rangeOf(block.header);
      decoding.diagnostics.push(errorDiagnostic(`Duplicate ${spec.type} block`, detail, { subject }));
    } else {
      branch.set(key, withMarks(value, from.marks));
    }
  }
  if (spec.kind === "blockMap") return mapOf(tree, withoutOptional(impliedType(spec)));
  return tree.size === 0 ? emptyObject : objectOf(tree);
}

function branchOf(tree: Tree, labels: readonly string[]): Tree {
  let branch = tree;
  for (const label of labels) {
    let next = branch.get(label);
    if (!(next instanceof Map)) {
      next = new Map();
      branch.set(label, next);
    }
    branch = next;
  }
  return branch;
}

function mapOf(tree: Tree, type: Type): Value {
  const element = (type as Extract<Type, { kind: "map" }>).element;
  const entries = [...tree].map(([key, part]) => [key, part instanceof Map ? mapOf(part, element) : part] as const);
  return mapValue(entries, entries.length === 0 ? element : undefined);
}

function objectOf(tree: Tree): Value {
  return objectValue([...tree].map(([key, part]) => [key, part instanceof Map ? objectOf(part) : part] as const));
}
