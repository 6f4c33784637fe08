import type { Diagnosed, Diagnostic } from "@millwright/core/diagnostics";
import { hasErrors } from "@millwright/core/diagnostics";
import { assertNever, invariant } from "@millwright/core/errors";
import { quote } from "@millwright/text/quote";
import { convert } from "@millwright/value/convert";
import type { Type } from "@millwright/value/types";
import { isPrimitive, withoutOptional } from "@millwright/value/types";
import type { Value } from "@millwright/value/value";
import {
  dynamicValue,
  noMarks,
  nullValue,
  stringValue,
  tupleValue,
  unknownValue,
  withMarks,
} from "@millwright/value/value";
import type { Attribute, Body, Node } from "./ast.ts";
import type { Context } from "./context.ts";
import { refuse } from "./context.ts";
import type { Inside } from "./decode-blocks.ts";
import { decodeBlocks } from "./decode-blocks.ts";
import type { ReadContent, ScopedBody, ScopedContent } from "./decode-content.ts";
import { asWritten } from "./decode-content.ts";
import type {
  AttributeSpec,
  BlockAttributesSpec,
  DecodeSpec,
  ObjectSpec,
  TransformSpec,
  ValidateSpec,
} from "./decode-spec.ts";
import { impliedType, schemaOf } from "./decode-spec.ts";
import { contextFor, evaluateInto } from "./evaluate.ts";
import { ObjectShape } from "./object-shape.ts";
import type { Scope } from "./scope.ts";
import { between } from "./span.ts";

/**
 * The value that a body gives by a spec: its content read by the schema that follows from the spec, its expressions
 * evaluated in `scope` and converted. Where there are errors, the parts at fault are unknown values of the right type.
 *
 * `read` says how content is found: as it stands there, or with `dynamic` blocks expanded (`dynamicBlocks()`).
 */
export function decode(body: Body, spec: DecodeSpec, scope?: Scope, read: ReadContent = asWritten): Diagnosed<Value> {
  const diagnostics: Diagnostic[] = [];
  const value = decodeBody({ body, scope, marks: noMarks, unknown: false }, spec, noLabels, { read, diagnostics });
  return { value, diagnostics };
}

/** What all parts of one decoding share. */
export interface Decoding {
  readonly read: ReadContent;
  readonly diagnostics: Diagnostic[];
}

/** The body that specs are about, its content, the labels of its block, and what its expressions are evaluated in. */
export interface Frame {
  readonly from: ScopedBody;
  readonly content: ScopedContent;
  readonly labels: readonly string[];
  readonly context: Context;
}

const noLabels: readonly string[] = [];

/** Decodes the body of a block, `labels` being those that its value is not already filed under. */
export function decodeBody(from: ScopedBody, spec: DecodeSpec, labels: readonly string[], decoding: Decoding): Value {
  const content = decoding.read(from, schemaOf(spec), decoding.diagnostics);
  const context = contextFor(from.scope, decoding.diagnostics);
  return decodeSpec(spec, { from, content, labels, context }, decoding);
}

function decodeSpec(spec: DecodeSpec, frame: Frame, decoding: Decoding): Value {
  switch (spec.kind) {
    case "object": {
      const shape = shapeOf(spec);
      const values: Value[] = [];
      for (const [, part] of shape.parts) values.push(decodeSpec(part, frame, decoding));
      return shape.of(values);
    }
    case "tuple":
      return tupleValue(spec.elements.map((part) => decodeSpec(part, frame, decoding)));
    case "attribute":
      return decodeAttribute(spec, frame);
    case "literal":
      return spec.value;
    case "expression":
      return frame.context.evaluate(spec.expression, frame.context);
    case "label": {
      const label = frame.labels[spec.index];
      invariant(label !== undefined, "a label spec stands inside of a block spec");
      return stringValue(label);
    }
    case "default": {
      const value = decodeSpec(spec.primary, frame, decoding);
      return value.data === null ? decodeSpec(spec.fallback, frame, decoding) : value;
    }
    case "transform":
      return decodeTransform(spec, frame, decoding);
    case "validate":
      return decodeValidate(spec, frame, decoding);
    case "block":
    case "blockList":
    case "blockTuple":
    case "blockSet":
    case "blockMap":
    case "blockObject":
    case "blockAttributes":
      return decodeBlocks(spec, frame, decoding, inside);
    default:
      return assertNever(spec);
  }
}

function decodeAttribute(spec: AttributeSpec, frame: Frame): Value {
  const attribute = frame.content.attributes.get(spec.name);
  // That a required one is missing was said when the content was read.
  if (!attribute) return nullValue(isPrimitive(spec.type) ? spec.type : withoutOptional(spec.type));
  return attributeValue(attribute, spec.type, spec, frame.from, frame.context);
}

/** An argument's value as `type`; where it does not convert, an error in the words of `spec` and an unknown value. */
function attributeValue(
  { expression, nameNode }: Attribute,
  type: Type,
  spec: AttributeSpec | BlockAttributesSpec,
  { marks, unknown }: ScopedBody,
  context: Context,
): Value {
  const value = unknown ? dynamicValue : context.evaluate(expression, context);
  const marked = marks.size === 0 ? value : withMarks(value, marks);
  if (marked.type === type && isPrimitive(type)) return marked;
  const converted = convert(marked, type);
  if (converted.ok) return converted.value;
  const [summary, detail] =
    spec.kind === "attribute"
      ? ["Incorrect attribute value type", `Inappropriate value for attribute ${quote(spec.name)}`]
      : ["Invalid attribute value", `Invalid value for attribute of ${quote(spec.type)} block`];
  const place = { subject: expression, context: between(nameNode, expression), expression };
  refuse(context, summary, `${detail}: ${converted.message}.`, place);
  return unknownValue(withoutOptional(type));
}

const inside: Inside = { body: decodeBody, attribute: attributeValue };
export type DecodeAttributeValue = typeof attributeValue;

/** The objects of a spec, made from what made the ones before. */
function shapeOf(spec: ObjectSpec): ObjectShape<DecodeSpec> {
  let shape = shapes.get(spec);
  if (!shape) {
    shape = new ObjectShape(spec.attributes);
    shapes.set(spec, shape);
  }
  return shape;
}

const shapes = new WeakMap<ObjectSpec, ObjectShape<DecodeSpec>>();

function decodeTransform(spec: TransformSpec, frame: Frame, decoding: Decoding): Value {
  const wrapped = decodeWrapped(spec, frame, decoding);
  if (!wrapped) return unknownValue(withoutOptional(impliedType(spec)));
  const scope = { variables: new Map([[spec.variable, wrapped]]), parent: spec.scope };
  return evaluateInto(spec.expression, scope, decoding.diagnostics);
}

function decodeValidate(spec: ValidateSpec, frame: Frame, decoding: Decoding): Value {
  const wrapped = decodeWrapped(spec, frame, decoding);
  if (!wrapped) return unknownValue(withoutOptional(impliedType(spec)));
  decoding.diagnostics.push(...spec.check(wrapped, placeOf(spec, frame)));
  return wrapped;
}

/** The wrapped spec's value; undefined where it has errors, which what is made of it would only repeat. */
function decodeWrapped(spec: TransformSpec | ValidateSpec, frame: Frame, decoding: Decoding): Value | undefined {
  const diagnostics: Diagnostic[] = [];
  const context = { ...frame.context, diagnostics };
  const value = decodeSpec(spec.wrapped, { ...frame, context }, { ...decoding, diagnostics });
  decoding.diagnostics.push(...diagnostics);
  return hasErrors(diagnostics) ? undefined : value;
}

/** The piece of source that a spec's value comes from, as near as can be told. */
function placeOf(spec: DecodeSpec, frame: Frame): Node {
  const { content } = frame;
  switch (spec.kind) {
    case "attribute":
      return content.attributes.get(spec.name)?.expression ?? content.missingItem;
    case "expression":
      return spec.expression;
    case "default":
      return placeOf(spec.primary, frame);
    case "transform":
    case "validate":
      return placeOf(spec.wrapped, frame);
    case "block":
    case "blockList":
    case "blockTuple":
    case "blockSet":
    case "blockMap":
    case "blockObject":
    case "blockAttributes":
      return content.blocks.find(({ block }) => block.type === spec.type)?.block.header ?? content.missingItem;
    default:
      return content.missingItem;
  }
}
