import { similar } from "@millwright/core/similar";
import { quote } from "@millwright/text/quote";
import { convert } from "@millwright/value/convert";
import { friendlyName } from "@millwright/value/friendly";
import type { ObjectType, Type } from "@millwright/value/types";
import { numberType, stringType } from "@millwright/value/types";
import type { Marks, Value } from "@millwright/value/value";
import {
  asArray,
  asMap,
  asNumber,
  asString,
  dynamicValue,
  isKnown,
  unknownValue,
  withMarks,
} from "@millwright/value/value";

/** Why a step into a value is not possible, in the words of a diagnostic. */
export class Refusal {
  readonly summary: string;
  readonly detail: string;

  constructor(summary: string, detail: string) {
    this.summary = summary;
    this.detail = detail;
  }
}

/**
 * `value.name`: an attribute of an object or an element of a map, with the value's own marks added. Of an unknown value it
 * is unknown, of the type it will have.
 */
export function attributeOf(value: Value, name: string): Value | Refusal {
  const { type, data } = value;
  if (data === null) {
    return new Refusal(
      "Attempt to get attribute from null value",
      "This value is null, so it does not have any attributes.",
    );
  }
  switch (type.kind) {
    case "object": {
      if (data instanceof Map) {
        const found = (data as ReadonlyMap<string, Value>).get(name);
        return found ? withMarks(found, value.marks) : noSuchAttribute(value, type, name);
      }
      const attribute = type.attributes.get(name);
      return attribute ? unknownWith(attribute, value.marks) : noSuchAttribute(value, type, name);
    }
    case "map": {
      if (!(data instanceof Map)) return unknownWith(type.element, value.marks);
      const found = (data as ReadonlyMap<string, Value>).get(name);
      if (found) return withMarks(found, value.marks);
      return new Refusal(
        "Missing map element",
        `This map does not have an element with the key ${quote(name)}.${hint(value, name, data.keys())}`,
      );
    }
    case "dynamic":
      return withMarks(dynamicValue, value.marks);
    case "string":
    case "number":
    case "bool":
      return unsupported(`Can't access attributes on a primitive-typed value (${friendlyName(type)}).`);
    case "list":
    case "set":
      return unsupported(attributeOfMany(type, name));
    default:
      return unsupported("This value does not have any attributes.");
  }
}

/**
 * `collection[key]`: an element of a list, tuple or map, or an attribute of an object. The result has the collection's marks
 * and, where the key picks one of many elements of one type, the key's too.
 */
export function elementAt(collection: Value, key: Value): Value | Refusal {
  const { type } = collection;
  if (collection.data === null) {
    return new Refusal("Attempt to index null value", "This value is null, so it does not have any indices.");
  }
  if (key.data === null) return invalidIndex("Can't use a null value as an indexing key.");
  if (key.type.kind === "dynamic") return withMarks(dynamicValue, collection.marks);
  switch (type.kind) {
    case "dynamic":
      return withMarks(dynamicValue, collection.marks);
    case "list":
    case "tuple":
      return elementOfSequence(collection, key);
    case "map":
      return elementOfMap(collection, type.element, key);
    case "object":
      return attributeByKey(collection, type, key);
    case "set":
      return invalidIndex(
        "The elements of a set are known by their value alone: they have no index or key to select one by. Use all of them, with a for expression, or turn the set into a list first.",
      );
    default:
      return invalidIndex("This value does not have any indices.");
  }
}

function elementOfSequence(collection: Value, key: Value): Value | Refusal {
  const { type } = collection;
  const converted = key.type.kind === "number" ? key : converting(key, numberType);
  if (converted instanceof Refusal) return converted;
  const dynamicOr = type.kind === "list" ? type.element : dynamicValue.type;
  if (!isKnown(converted)) return marked(unknownValue(dynamicOr), collection, key);
  const number = asNumber(converted);
  const at = number.toSafeInteger() ?? -1;
  if (!isKnown(collection)) {
    const element = type.kind === "tuple" ? type.elements[at] : dynamicOr;
    return element ? marked(unknownValue(element), collection, key) : noElement(indexFault(converted, type));
  }
  const found = at >= 0 ? asArray(collection)[at] : undefined;
  return found ? marked(found, collection, key) : noElement(indexFault(converted, type, asArray(collection).length));
}

/** What is wrong with an index that leads nowhere; never says the index itself, which may be a secret. */
function indexFault(index: Value, type: Type, length?: number): string {
  const number = asNumber(index);
  if (!number.isInteger)
    return "indexing a sequence requires a whole number, but the given index has a fractional part";
  if (number.isNegative) return "a negative number is not a valid index for a sequence";
  const count = type.kind === "tuple" ? type.elements.length : length;
  if (count === 0) return "the collection has no elements";
  return "the given index is greater than or equal to the length of the collection";
}

function elementOfMap(collection: Value, element: Type, key: Value): Value | Refusal {
  const converted = key.type.kind === "string" ? key : converting(key, stringType);
  if (converted instanceof Refusal) return converted;
  if (!isKnown(converted) || !isKnown(collection)) return marked(unknownValue(element), collection, key);
  const found = asMap(collection).get(asString(converted));
  return found ? marked(found, collection, key) : noElement();
}

function attributeByKey(collection: Value, type: ObjectType, key: Value): Value | Refusal {
  const converted = key.type.kind === "string" ? key : converting(key, stringType);
  if (converted instanceof Refusal) return converted;
  if (!isKnown(converted)) return withMarks(dynamicValue, collection.marks);
  const name = asString(converted);
  if (type.attributes.has(name)) return attributeOf(collection, name);
  if (key.type.kind !== "number") return noElement();
  return invalidIndex(`${noElementText}. An object only supports looking up attributes by name, not by numeric index.`);
}

function converting(key: Value, type: Type): Value | Refusal {
  const result = convert(key, type);
  return result.ok ? result.value : noElement(result.message);
}

const noElementText = "The given key does not identify an element in this collection value";

function noElement(why?: string): Refusal {
  return invalidIndex(why === undefined ? `${noElementText}.` : `${noElementText}: ${why}.`);
}

function invalidIndex(detail: string): Refusal {
  return new Refusal("Invalid index", detail);
}

function unsupported(detail: string): Refusal {
  return new Refusal("Unsupported attribute", detail);
}

function noSuchAttribute(value: Value, type: ObjectType, name: string): Refusal {
  const meant = hint(value, name, type.attributes.keys());
  return unsupported(`This object does not have an attribute named ${quote(name)}.${meant}`);
}

/** A suggestion, unless the value is marked: its keys may then be secrets too. */
function hint(value: Value, given: string, names: Iterable<string>): string {
  return value.marks.size === 0 ? didYouMean(given, names) : "";
}

function attributeOfMany(type: Extract<Type, { kind: "list" | "set" }>, name: string): string {
  if (type.element.kind !== "object") return "This value does not have any attributes.";
  if (type.kind === "set") {
    return "Can't access attributes on a set of objects. Did you mean to access an attribute across all elements of the set?";
  }
  const what = type.element.attributes.has(name) ? `attribute ${quote(name)}` : "an attribute";
  return `Can't access attributes on a list of objects. Did you mean to access ${what} for a specific element of the list, or across all elements of the list?`;
}

/** ` Did you mean "x"?` where a candidate is near, else nothing; to be put behind a sentence. */
export function didYouMean(given: string, candidates: Iterable<string>): string {
  // Among names of a letter or two, everything is near to everything.
  const meant = given.length < 3 ? undefined : similar(given, candidates);
  return meant === undefined ? "" : ` Did you mean ${quote(meant)}?`;
}

function unknownWith(type: Type, marks: Marks): Value {
  return withMarks(unknownValue(type), marks);
}

function marked(found: Value, collection: Value, key: Value): Value {
  return withMarks(withMarks(found, collection.marks), key.marks);
}
