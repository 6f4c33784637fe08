import { formatRange } from "@millwright/core/source";
import { quote } from "@millwright/text/quote";
import { convert } from "@millwright/value/convert";
import { dynamicType, stringType } from "@millwright/value/types";
import type { Mark, Value } from "@millwright/value/value";
import {
  asString,
  boolValue,
  dynamicValue,
  isKnown,
  nullValue,
  objectValue,
  stringValue,
  tupleValue,
  withMarks,
} from "@millwright/value/value";
import type { JsonNode, JsonObjectNode, JsonProperty } from "./ast.ts";
import type { Context } from "./context.ts";
import { failedSince, refuse } from "./context.ts";
import { rangeOf } from "./source-file.ts";

/** A JSON value as an expression: strings and names of properties are templates, unless there is no scope. */
export function evaluateJson(node: JsonNode, context: Context): Value {
  switch (node.kind) {
    case "jsonString":
      return context.scope ? context.evaluate(node.template(), context) : stringValue(node.text);
    case "jsonNumber":
      return node.value;
    case "jsonBool":
      return boolValue(node.value);
    case "jsonNull":
      return nullValue(dynamicType);
    case "jsonArray":
      return tupleValue(node.elements.map((element) => evaluateJson(element, context)));
    case "jsonObject":
      return evaluateJsonObject(node, context);
  }
}

function evaluateJsonObject(node: JsonObjectNode, context: Context): Value {
  const attributes = new Map<string, Value>();
  const places = new Map<string, JsonProperty>();
  const marks = new Set<Mark>();
  let known = true;
  for (const property of node.properties) {
    const name = nameOf(property, marks, context);
    const value = evaluateJson(property.value, context);
    if (name === undefined) {
      known = false;
      continue;
    }
    const earlier = places.get(name);
    if (earlier) {
      const detail = `An attribute named ${quote(name)} was already defined at ${formatRange(rangeOf(earlier.nameNode))}.`;
      refuse(context, "Duplicate object attribute", detail, { subject: property.nameNode });
      continue;
    }
    attributes.set(name, value);
    places.set(name, property);
  }
  return known ? withMarks(objectValue(attributes), marks) : dynamicValue;
}

/** The name of a property; undefined where it is unknown or cannot be one. */
function nameOf(property: JsonProperty, marks: Set<Mark>, context: Context): string | undefined {
  if (!context.scope) return property.name;
  const before = context.diagnostics.length;
  const template = property.nameTemplate();
  const value = context.evaluate(template, context);
  if (failedSince(context, before)) return undefined;
  for (const mark of value.marks) marks.add(mark);
  const place = { subject: property.nameNode, expression: template };
  if (value.data === null) {
    refuse(context, "Invalid object key expression", "Cannot use null value as an object key.", place);
    return undefined;
  }
  const converted = convert(value, stringType);
  if (!converted.ok) {
    refuse(
      context,
      "Invalid object key expression",
      `Cannot use this expression as an object key: ${converted.message}.`,
      place,
    );
    return undefined;
  }
  return isKnown(converted.value) ? asString(converted.value) : undefined;
}
