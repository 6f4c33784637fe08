import type { FunctionSpec } from "@millwright/hcl/function-spec";
import { quoteCharacter } from "@millwright/text/quote";
import { decodeImplied, encodeSimple, whyNotJson } from "@millwright/value/json";
import { definitelyNotNull, refine, refinementsOf } from "@millwright/value/refine";
import type { Type } from "@millwright/value/types";
import { boolType, dynamicType, numberType, stringType } from "@millwright/value/types";
import type { Value } from "@millwright/value/value";
import { asString, isKnown, isNull, isWhollyKnown, stringValue, unknownValue } from "@millwright/value/value";
import { notNull, refuse, text } from "./define.ts";
import { jsonFault } from "./json-fault.ts";

const jsonencode: FunctionSpec = {
  name: "jsonencode",
  description: "The value as JSON on one line.",
  parameters: [{ name: "val", type: dynamicType, allowNull: true, allowUnknown: true, allowDynamicType: true }],
  returnType: stringType,
  refineResult: notNull,
  call: ([value]) => {
    if (!isWhollyKnown(value!)) return refine(unknownValue(stringType), jsonBeginning(value!));
    if (isNull(value!)) return stringValue("null");
    const why = whyNotJson(value!);
    if (why !== undefined) refuse(why);
    return stringValue(encodeSimple(value!));
  },
};

/** How the JSON of a value will begin that is not wholly known, where its type tells. */
function jsonBeginning(value: Value): { prefix?: string } {
  if (!definitelyNotNull(value)) return {};
  switch (value.type.kind) {
    case "string":
      return { prefix: '"' };
    case "object":
    case "map":
      return { prefix: "{" };
    case "tuple":
    case "list":
    case "set":
      return { prefix: "[" };
    default:
      return {};
  }
}

const jsondecode: FunctionSpec = {
  name: "jsondecode",
  description: "The value that a JSON text says: objects, tuples, strings, numbers, bools and nulls.",
  parameters: [text("str")],
  returnType: ([str]) => (isKnown(str!) ? dynamicType : typeByBeginning(refinementsOf(str!).prefix ?? "")),
  call: ([str]) => {
    const source = asString(str!);
    const decoded = decodeImplied(source);
    return decoded.ok ? decoded.value : refuse(jsonFault(source));
  },
};

/** The type of a JSON document that begins so; refuses what none begins with. */
function typeByBeginning(prefix: string): Type {
  const [first] = prefix.trimStart();
  if (first === undefined || /[{[n]/.test(first)) return dynamicType;
  if (first === '"') return stringType;
  if (/[tf]/.test(first)) return boolType;
  if (/[-.0-9]/.test(first)) return numberType;
  return refuse(`a JSON document cannot begin with the character ${quoteCharacter(first)}`, 0);
}

export const jsonFunctions: readonly FunctionSpec[] = [jsondecode, jsonencode];
