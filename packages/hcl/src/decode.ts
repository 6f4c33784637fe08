import type { Diagnosed, Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic, hasErrors } from "@millwright/core/diagnostics";
import { assertNever, invariant } from "@millwright/core/errors";
import { quote } from "@millwright/text/quote";
import { convert } from "@millwright/value/convert";
import type { Type } from "@millwright/value/types";
import { withoutOptional } from "@millwright/value/types";
import type { Value } from "@millwright/value/value";
import {
  dynamicValue,
  noMarks,
  nullValue,
  objectValue,
  stringValue,
  tupleValue,
  unknownValue,
  withMarks,
} from "@millwright/value/value";
import type { Attribute, Body, Node } from "./ast.ts";
import { decodeBlocks } from "./decode-blocks.ts";
import type { ReadContent, ScopedBody, ScopedContent } from "./decode-content.ts";
import { asWritten } from "./decode-content.ts";
import type { AttributeSpec, DecodeSpec, TransformSpec, ValidateSpec } from "./decode-spec.ts";
import { impliedType, schemaOf } from "./decode-spec.ts";
import { evaluateInto } from "./evaluate.ts";
import { expressionValues } from "./expression-values.ts";
import type { Scope } from "./scope.ts";
import { rangeOf } from "./source-file.ts";
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

/** The body that specs are about, its content, and the labels of its block. */
export interface Frame {
  readonly from: ScopedBody;
  readonly content: ScopedContent;
  readonly labels: readonly string[];
}

const noLabels: readonly string[] = [];

/** Decodes the body of a block, `labels` being those that its value is not already filed under. */
export function decodeBody(from: ScopedBody, spec: DecodeSpec, labels: readonly string[], decoding: Decoding): Value {
  const content = decoding.read(from, schemaOf(spec), decoding.diagnostics);
  return decodeSpec(spec, { from, content, labels }, decoding);
}

function decodeSpec(spec: DecodeSpec, frame: Frame, decoding: Decoding): Value {
  switch (spec.kind) {
    case "object": {
      const attributes: (readonly [string, Value])[] = [];
      for (const [name, part] of spec.attributes) attributes.push([name, decodeSpec(part, frame, decoding)]);
      return objectValue(attributes);
    }
    case "tuple":
      return tupleValue(spec.elements.map((part) => decodeSpec(part, frame, decoding)));
    case "attribute":
      return decodeAttribute(spec, frame, decoding);
    case "literal":
      return spec.value;
    case "expression":
      return evaluateInto(spec.expression, frame.from.scope, decoding.diagnostics);
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
      return decodeBlocks(spec, frame, decoding, { body: decodeBody, attribute: attributeValue });
    default:
      return assertNever(spec);
  }
}

function decodeAttribute(spec: AttributeSpec, frame: Frame, decoding: Decoding): Value {
  const attribute = frame.content.attributes.get(spec.name);
  // That a required one is missing was said when the content was read.
  if (!attribute) return nullValue(withoutOptional(spec.type));
  return attributeValue(attribute, spec.type, frame.from, decoding, {
    summary: "Incorrect attribute value type",
    detail: `Inappropriate value for attribute ${quote(spec.name)}`,
  });
}

/** An argument's value as `type`; where it does not convert, an error of these words and an unknown value. */
function attributeValue(
  attribute: Attribute,
  type: Type,
  { scope, marks, unknown }: ScopedBody,
  { diagnostics }: Decoding,
  fault: { readonly summary: string; readonly detail: string },
): Value {
  const { expression, nameNode } = attribute;
  const value = unknown ? dynamicValue : evaluateInto(expression, scope, diagnostics);
  const marked = marks.size === 0 ? value : withMarks(value, marks);
  const converted = convert(marked, type);
  if (converted.ok) return converted.value;
  const values = expressionValues(expression, scope);
  diagnostics.push(
    errorDiagnostic(fault.summary, `${fault.detail}: ${converted.message}.`, {
      subject: rangeOf(expression),
      context: rangeOf(between(nameNode, expression)),
      ...(values.length > 0 ? { expressionValues: values } : {}),
    }),
  );
  return unknownValue(withoutOptional(type));
}

export type DecodeAttributeValue = typeof attributeValue;

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
  const value = decodeSpec(spec.wrapped, frame, { ...decoding, diagnostics });
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
