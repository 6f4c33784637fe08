import type { Diagnostic } from "@millwright/core/diagnostics";
import type { Type } from "@millwright/value/types";
import { dynamicType, listType, mapType, objectType, setType, stringType, tupleType } from "@millwright/value/types";
import type { Value } from "@millwright/value/value";
import { unknownValue } from "@millwright/value/value";
import type { Expression, Node } from "./ast.ts";
import type { AttributeSchema, BlockSchema, BodySchema } from "./body-schema.ts";
import { evaluate } from "./evaluate.ts";
import type { Scope } from "./scope.ts";

/**
 * How a body becomes one value; what hashicorp/hcl's `hcldec` calls a spec. A closed union; nested specs of the block kinds
 * are about the block's own body, all others about the same body.
 */
export type DecodeSpec =
  | ObjectSpec
  | TupleSpec
  | AttributeSpec
  | LiteralSpec
  | ExpressionSpec
  | BlockSpec
  | BlockListSpec
  | BlockTupleSpec
  | BlockSetSpec
  | BlockMapSpec
  | BlockObjectSpec
  | BlockAttributesSpec
  | LabelSpec
  | DefaultSpec
  | TransformSpec
  | ValidateSpec;

/** An object of what the specs give. */
export interface ObjectSpec {
  readonly kind: "object";
  readonly attributes: ReadonlyMap<string, DecodeSpec>;
}

export interface TupleSpec {
  readonly kind: "tuple";
  readonly elements: readonly DecodeSpec[];
}

/** The value of an argument, converted to `type`; null where it is left out. */
export interface AttributeSpec {
  readonly kind: "attribute";
  readonly name: string;
  readonly type: Type;
  readonly required: boolean;
}

/** A value that does not depend on the body. */
export interface LiteralSpec {
  readonly kind: "literal";
  readonly value: Value;
}

/** An expression that does not stand in the body, in the scope that the body is decoded with. */
export interface ExpressionSpec {
  readonly kind: "expression";
  readonly expression: Expression;
}

/** The one block of a type; null where there is none. */
export interface BlockSpec {
  readonly kind: "block";
  readonly type: string;
  readonly nested: DecodeSpec;
  readonly required: boolean;
}

/** All blocks of a type, as a list: their types are made the same. */
export interface BlockListSpec extends Repeated {
  readonly kind: "blockList";
}

/** All blocks of a type, as a tuple: each may be of its own type. */
export interface BlockTupleSpec extends Repeated {
  readonly kind: "blockTuple";
}

/** All blocks of a type, as a set. */
export interface BlockSetSpec extends Repeated {
  readonly kind: "blockSet";
}

interface Repeated {
  readonly type: string;
  readonly nested: DecodeSpec;
  readonly minimum?: number;
  readonly maximum?: number;
}

/** All blocks of a type by their first labels, a map a label; labels that are left may be taken by `label` specs inside. */
export interface BlockMapSpec extends Labelled {
  readonly kind: "blockMap";
}

/** As {@link BlockMapSpec}, with objects, so that each block may be of its own type. */
export interface BlockObjectSpec extends Labelled {
  readonly kind: "blockObject";
}

interface Labelled {
  readonly type: string;
  /** At least one. */
  readonly labelNames: readonly string[];
  readonly nested: DecodeSpec;
}

/** The one block of a type, whose arguments are the entries of a map. */
export interface BlockAttributesSpec {
  readonly kind: "blockAttributes";
  readonly type: string;
  readonly element: Type;
  readonly required: boolean;
}

/** A label of the block that the body belongs to. */
export interface LabelSpec {
  readonly kind: "label";
  readonly index: number;
  readonly name: string;
}

/** What `primary` gives, or `fallback` where that is null. Only `primary` may be about blocks. */
export interface DefaultSpec {
  readonly kind: "default";
  readonly primary: DecodeSpec;
  readonly fallback: DecodeSpec;
}

/** What an expression makes of another spec's value, which it sees as the variable `variable`. */
export interface TransformSpec {
  readonly kind: "transform";
  readonly wrapped: DecodeSpec;
  readonly variable: string;
  readonly expression: Expression;
  readonly scope: Scope;
}

/** Another spec's value, checked; diagnostics without a subject get the place of the value. */
export interface ValidateSpec {
  readonly kind: "validate";
  readonly wrapped: DecodeSpec;
  readonly check: (value: Value, place: Node) => readonly Diagnostic[];
}

/** The schema that a body must meet for a spec; made once a spec. */
export function schemaOf(spec: DecodeSpec): BodySchema {
  const known = schemas.get(spec);
  if (known) return known;
  const attributes = new Map<string, AttributeSchema>();
  const blocks = new Map<string, BlockSchema>();
  visitSameBody(spec, (part) => {
    if (part.kind === "attribute") {
      const { name } = part;
      attributes.set(name, { name, required: part.required || attributes.get(name)?.required === true });
    } else if (isBlockSpec(part)) {
      blocks.set(part.type, { type: part.type, labelNames: labelNamesOf(part) });
    }
  });
  const schema = { attributes: [...attributes.values()], blocks: [...blocks.values()] };
  schemas.set(spec, schema);
  return schema;
}

const schemas = new WeakMap<DecodeSpec, BodySchema>();

/** A spec about blocks. */
export type AnyBlockSpec = Extract<DecodeSpec, { readonly type: string; readonly kind: `block${string}` }>;

export function isBlockSpec(spec: DecodeSpec): spec is AnyBlockSpec {
  return spec.kind.startsWith("block");
}

/** Calls `visit` with the spec and all specs in it that are about the same body. */
export function visitSameBody(spec: DecodeSpec, visit: (spec: DecodeSpec) => void): void {
  visit(spec);
  switch (spec.kind) {
    case "object":
      for (const part of spec.attributes.values()) visitSameBody(part, visit);
      return;
    case "tuple":
      for (const part of spec.elements) visitSameBody(part, visit);
      return;
    case "default":
      visitSameBody(spec.primary, visit);
      visitSameBody(spec.fallback, visit);
      return;
    case "transform":
    case "validate":
      visitSameBody(spec.wrapped, visit);
      return;
    default:
      return;
  }
}

function labelNamesOf(spec: AnyBlockSpec): readonly string[] {
  if (spec.kind === "blockAttributes") return [];
  const own = spec.kind === "blockMap" || spec.kind === "blockObject" ? spec.labelNames : [];
  const nested: string[] = [];
  visitSameBody(spec.nested, (part) => {
    if (part.kind === "label") nested[part.index] = part.name;
  });
  return [...own, ...nested];
}

/** The type of the values that a spec gives, as far as it is known without a body. */
export function impliedType(spec: DecodeSpec): Type {
  switch (spec.kind) {
    case "object":
      return objectType([...spec.attributes].map(([name, part]) => [name, impliedType(part)] as const));
    case "tuple":
      return tupleType(spec.elements.map(impliedType));
    case "attribute":
      return spec.type;
    case "literal":
      return spec.value.type;
    case "block":
      return impliedType(spec.nested);
    case "blockList":
      return listType(impliedType(spec.nested));
    case "blockSet":
      return setType(impliedType(spec.nested));
    case "blockMap":
      return spec.labelNames.reduce((type) => mapType(type), impliedType(spec.nested));
    case "blockAttributes":
      return mapType(spec.element);
    case "label":
      return stringType;
    case "default":
      return impliedType(spec.primary);
    case "validate":
      return impliedType(spec.wrapped);
    case "transform": {
      const variables = new Map([[spec.variable, unknownValue(impliedType(spec.wrapped))]]);
      return evaluate(spec.expression, { variables, parent: spec.scope }).value.type;
    }
    case "expression":
    case "blockTuple":
    case "blockObject":
      return dynamicType;
  }
}
