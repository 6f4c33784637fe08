import { refinementsOf } from "@millwright/value/refine";
import type { Type } from "@millwright/value/types";
import { dynamicType, listType, tupleType, typeEquals } from "@millwright/value/types";
import type { Value } from "@millwright/value/value";
import {
  asArray,
  dynamicValue,
  emptyTuple,
  isKnown,
  listValue,
  tupleValue,
  unknownValue,
  unmark,
  withMarks,
} from "@millwright/value/value";
import type { Splat, SplatItem } from "./ast.ts";
import type { Context } from "./context.ts";
import { aside, failedSince, inScope, refuse } from "./context.ts";
import { between } from "./span.ts";

/**
 * `source[*].each`: `each` of all elements, a list for a list or set, a tuple for a tuple. Anything else is taken as a tuple
 * of itself, or as an empty one where it is null.
 */
export function evaluateSplat(splat: Splat, context: Context): Value {
  const before = context.diagnostics.length;
  const given = context.evaluate(splat.source, context);
  if (failedSince(context, before)) return dynamicValue;
  const { kind } = given.type;
  const isSequence = kind === "list" || kind === "set" || kind === "tuple";
  if (given.data === null) {
    if (!isSequence) return withMarks(emptyTuple, given.marks);
    refuse(
      context,
      "Splat of null value",
      "Splat expressions (with the * symbol) cannot be applied to null sequences.",
      {
        subject: splat.source,
        context: between(splat.source, splat.marker),
        expression: splat.source,
      },
    );
    return dynamicValue;
  }
  if (kind === "dynamic") return withMarks(dynamicValue, given.marks);
  const source = isSequence ? given : withMarks(tupleValue([given]), given.marks);
  if (!isKnown(source)) return withMarks(unknownResult(splat, source, context), source.marks);
  const result = results(splat, unmark(source)[0], context);
  // Something unknown that may yet be null gives no element or one: not even the type is known.
  const mayBeNull = !isSequence && !isKnown(given) && !refinementsOf(given).notNull;
  return withMarks(mayBeNull ? dynamicValue : result, source.marks);
}

/** The element that the splat around it is at; unknown outside of one. */
export function evaluateSplatItem(item: SplatItem, context: Context): Value {
  for (let scope = context.scope; scope; scope = scope.parent) {
    if (scope.element?.of === item) return scope.element.value;
  }
  return dynamicValue;
}

function eachOf(splat: Splat, element: Value, context: Context): Value {
  const inside = inScope(context, { parent: context.scope, element: { of: splat.item, value: element } });
  return context.evaluate(splat.each, inside);
}

function results(splat: Splat, source: Value, context: Context): Value {
  const before = context.diagnostics.length;
  const values = asArray(source).map((element) => eachOf(splat, element, context));
  // The errors of the type are those of the elements again.
  if (failedSince(context, before)) return unknownValue(resultType(splat, source.type, aside(context)));
  if (source.type.kind === "tuple") return tupleValue(values);
  const [first] = values;
  if (!first) {
    const type = resultType(splat, source.type, context);
    return listValue([], type.kind === "list" ? type.element : dynamicType);
  }
  if (values.every((value) => typeEquals(value.type, first.type))) return listValue(values);
  refuse(
    context,
    "Invalid nested splat expressions",
    "The inner splat gave results of different types, which no list can hold together. Use a for expression instead: its result is a tuple, whose elements may differ in type.",
    { subject: splat.each, context: splat },
  );
  return dynamicValue;
}

/** The type is known before the elements are, and of a list the bounds of its length. */
function unknownResult(splat: Splat, source: Value, context: Context): Value {
  const type = resultType(splat, source.type, context);
  const { minimumLength, maximumLength } = refinementsOf(unmark(source)[0]);
  if (type.kind !== "list") return unknownValue(type, { notNull: true });
  return unknownValue(type, {
    notNull: true,
    ...(minimumLength === undefined ? {} : { minimumLength }),
    ...(maximumLength === undefined ? {} : { maximumLength }),
  });
}

function resultType(splat: Splat, source: Type, context: Context): Type {
  const typeOfEach = (element: Type): Type => eachOf(splat, unknownValue(element), context).type;
  switch (source.kind) {
    case "list":
    case "set":
      return listType(typeOfEach(source.element));
    case "tuple":
      return tupleType(source.elements.map(typeOfEach));
    default:
      return dynamicType;
  }
}
