import { convertUnknown, settledType } from "./conversion-unknown.ts";
import { lengthBounds } from "./equality.ts";
import { mismatch } from "./mismatch.ts";
import type { BigFloat } from "./number.ts";
import { parseBigFloat } from "./number.ts";
import type { PathStep } from "./path.ts";
import type { ObjectType, Type } from "./types.ts";
import { hasDynamic, isCollection, isPrimitive, listType, typeEquals, withoutOptional } from "./types.ts";
import { unifiedType } from "./unify.ts";
import { Unknown } from "./unknown.ts";
import type { Value } from "./value.ts";
import {
  boolValue,
  listValue,
  mapValue,
  noMarks,
  nullValue,
  numberValue,
  objectValue,
  setValue,
  stringValue,
  tupleValue,
  unknownValue,
  withMarks,
} from "./value.ts";

/** Whether only conversions are wanted that no value can make fail, or also those that depend on the value. */
export type Certainty = "safe" | "unsafe";

/** Turns a value of the type that it was made for into another, or says why it cannot. */
export type Conversion = (value: Value) => Value | Failure;

/** Why a value cannot be converted, and where: the path grows from the inside out as the failure is handed up. */
export class Failure {
  readonly message: string;
  readonly path: readonly PathStep[];

  constructor(message: string, path: readonly PathStep[] = []) {
    this.message = message;
    this.path = path;
  }

  within(step: PathStep): Failure {
    return new Failure(this.message, [step, ...this.path]);
  }
}

/** The conversion between two types, undefined where there is none. */
export function conversion(from: Type, to: Type, certainty: Certainty): Conversion | undefined {
  if (from === to || to.kind === "dynamic" || typeEquals(from, to)) return keep;
  const ofKnown = conversionOfKnown(from, to, certainty);
  return (
    ofKnown &&
    ((value) => {
      const { data, marks } = value;
      if (data === null) return withMarks(nullValue(settledType(value.type, withoutOptional(to))), marks);
      if (data instanceof Unknown) return withMarks(convertUnknown(value, withoutOptional(to)), marks);
      if (marks.size === 0) return ofKnown(value);
      const result = ofKnown({ type: value.type, data, marks: noMarks });
      return result instanceof Failure ? result : withMarks(result, marks);
    })
  );
}

function keep(value: Value): Value {
  return value;
}

/** The conversion of values that are known, not null and not marked themselves. */
function conversionOfKnown(from: Type, to: Type, certainty: Certainty): Conversion | undefined {
  if (from.kind === "dynamic") return certainty === "unsafe" ? (value) => convertLate(value, to) : undefined;
  if (isPrimitive(from)) return conversionOfPrimitive(from, to, certainty);
  switch (to.kind) {
    case "object":
      if (from.kind === "object") return objectToObject(from, to, certainty);
      return from.kind === "map" && certainty === "unsafe" ? mapToObject(from.element, to) : undefined;
    case "tuple":
      return from.kind === "tuple" ? tupleToTuple(from.elements, to.elements, certainty) : undefined;
    case "map":
      if (from.kind === "map") return mapToMap(from.element, to.element, certainty);
      return from.kind === "object" ? objectToMap(from, to.element, certainty) : undefined;
    case "list":
    case "set":
      if (from.kind === "tuple") return tupleToSequence(from.elements, to.kind, to.element, certainty);
      // A list made a set loses its order and repeats, so that is not safe.
      if (from.kind === "list" && to.kind === "set" && certainty === "safe") return undefined;
      return from.kind === "list" || from.kind === "set"
        ? toSequence(from.element, to.kind, to.element, certainty)
        : undefined;
    default:
      return undefined;
  }
}

/** What is done about a value whose type was not known when the conversion was asked for. */
function convertLate(value: Value, to: Type): Value | Failure {
  const convertIt = conversion(value.type, to, "unsafe");
  return convertIt ? convertIt(value) : new Failure(mismatch(value.type, to));
}

function conversionOfPrimitive(from: Type, to: Type, certainty: Certainty): Conversion | undefined {
  if (to.kind === "string") {
    if (from.kind === "number") return (value) => stringValue((value.data as BigFloat).toText());
    return (value) => stringValue(String(value.data));
  }
  if (from.kind !== "string" || certainty === "safe") return undefined;
  if (to.kind === "number") return textToNumber;
  return to.kind === "bool" ? textToBool : undefined;
}

function textToNumber({ data }: Value): Value | Failure {
  const number = parseBigFloat(data as string);
  return number ? numberValue(number) : new Failure("a number is required");
}

function textToBool({ data }: Value): Value | Failure {
  if (data === "true" || data === "1") return boolValue(true);
  if (data === "false" || data === "0") return boolValue(false);
  const lower = (data as string).toLowerCase();
  const hint = lower === "true" || lower === "false" ? `; to convert from string, use lowercase "${lower}"` : "";
  return new Failure(`a bool is required${hint}`);
}

function objectToObject(from: ObjectType, to: ObjectType, certainty: Certainty): Conversion | undefined {
  const conversions: [name: string, convert: Conversion | undefined][] = [];
  for (const [name, wanted] of to.attributes) {
    const had = from.attributes.get(name);
    const convertIt = had && conversion(had, wanted, certainty);
    if (!convertIt && (had || !to.optional.has(name))) return undefined;
    conversions.push([name, convertIt]);
  }
  const type = fixedType(to);
  return ({ data }) => {
    const attributes = new Map<string, Value>();
    for (const [name, convertIt] of conversions) {
      const value = convertIt
        ? convertIt((data as ReadonlyMap<string, Value>).get(name)!)
        : nullValue(withoutOptional(to.attributes.get(name)!));
      if (value instanceof Failure) return value.within({ attribute: name });
      attributes.set(name, value);
    }
    return type ? { type, data: attributes, marks: noMarks } : objectValue(attributes);
  };
}

/** The type that all results of a conversion have, where it leaves nothing to the values. */
function fixedType(to: Type): Type | undefined {
  return hasDynamic(to) ? undefined : withoutOptional(to);
}

function tupleToTuple(from: readonly Type[], to: readonly Type[], certainty: Certainty): Conversion | undefined {
  if (from.length !== to.length) return undefined;
  const conversions = conversionsOf(from, (_, i) => to[i]!, certainty);
  return (
    conversions &&
    (({ data }) => {
      const elements = convertEach(data as readonly Value[], (i) => conversions[i]!);
      return elements instanceof Failure ? elements : tupleValue(elements);
    })
  );
}

function conversionsOf(
  from: readonly Type[],
  to: (from: Type, i: number) => Type,
  certainty: Certainty,
): Conversion[] | undefined {
  const conversions: Conversion[] = [];
  for (const [i, type] of from.entries()) {
    const convertIt = conversion(type, to(type, i), certainty);
    if (!convertIt) return undefined;
    conversions.push(convertIt);
  }
  return conversions;
}

function convertEach(elements: readonly Value[], at: (i: number) => Conversion): Value[] | Failure {
  const results: Value[] = [];
  for (let i = 0; i < elements.length; i++) {
    const result = at(i)(elements[i]!);
    if (result instanceof Failure) return result.within({ index: numberValue(i) });
    results.push(result);
  }
  return results;
}

type Sequence = "list" | "set";

function sequence(kind: Sequence, elements: readonly Value[], element: Type): Value | Failure {
  if (!sameTypes(elements)) return new Failure(`element types must all match for conversion to ${kind}`);
  const given = elements.length === 0 || !hasDynamic(element) ? withoutOptional(element) : undefined;
  return kind === "list" ? listValue(elements, given) : setValue(elements, given);
}

/** Whether the elements can stand in one collection: one type, beside nulls and unknowns of no type yet. */
function sameTypes(elements: Iterable<Value>): boolean {
  let type: Type | undefined;
  for (const value of elements) {
    if (value.type === type || value.type.kind === "dynamic") continue;
    if (type && !typeEquals(type, value.type)) return false;
    type ??= value.type;
  }
  return true;
}

function toSequence(from: Type, kind: Sequence, to: Type, certainty: Certainty): Conversion | undefined {
  const convertIt = conversion(from, to, certainty);
  const wanted = to.kind === "dynamic" ? from : to;
  return (
    convertIt &&
    ((value) => {
      const [least, most] = lengthBounds(value);
      // Elements of a set that are not known may turn out to be one, so there is no telling which place each will have.
      if (kind === "list" && least !== most) return unknownValue(listType(settledType(from, withoutOptional(to))));
      const elements =
        convertIt === keep
          ? (value.data as readonly Value[])
          : convertEach(value.data as readonly Value[], () => convertIt);
      return elements instanceof Failure ? elements : sequence(kind, elements, wanted);
    })
  );
}

function tupleToSequence(
  from: readonly Type[],
  kind: Sequence,
  to: Type,
  certainty: Certainty,
): Conversion | undefined {
  if (from.length === 0) return () => sequence(kind, [], to);
  const element = to.kind === "dynamic" ? commonType(from, certainty) : to;
  const conversions = element && conversionsOf(from, () => element, certainty);
  return (
    conversions &&
    (({ data }) => {
      const converted = convertEach(data as readonly Value[], (i) => conversions[i]!);
      if (converted instanceof Failure) return converted;
      const elements = kind === "list" && hasDynamic(element) ? toCommonType(converted, certainty) : converted;
      return elements instanceof Failure ? elements : sequence(kind, elements, element);
    })
  );
}

/** The one type that all types convert to; "any" is none, unless all of them are. */
function commonType(types: readonly Type[], certainty: Certainty): Type | undefined {
  const type = unifiedType(types, certainty);
  return type?.kind === "dynamic" && types.some((t) => t.kind !== "dynamic") ? undefined : type;
}

/** Converted elements may still differ where their common type has `dynamic`. */
function toCommonType(elements: readonly Value[], certainty: Certainty): readonly Value[] | Failure {
  const types = elements.map((v) => v.type);
  const common = unifiedType(types, certainty);
  if (!common) return new Failure("cannot find a common base type for all elements");
  const conversions = conversionsOf(types, () => common, certainty);
  return conversions ? convertEach(elements, (i) => conversions[i]!) : elements;
}

function mapToMap(from: Type, to: Type, certainty: Certainty): Conversion | undefined {
  const convertIt = conversion(from, to, certainty);
  const wanted = to.kind === "dynamic" ? from : to;
  return (
    convertIt && (({ data }) => toMap(data as ReadonlyMap<string, Value>, () => convertIt, wanted, "safe", "element"))
  );
}

function objectToMap(from: ObjectType, to: Type, certainty: Certainty): Conversion | undefined {
  const types = [...from.attributes.values()];
  if (types.length === 0) return () => mapValue([], withoutOptional(to));
  const element = to.kind === "dynamic" ? unifiedType(types, certainty) : to;
  const conversions = element && conversionsOf(types, () => element, certainty);
  return (
    conversions &&
    (({ data }) => {
      return toMap(data as ReadonlyMap<string, Value>, (i) => conversions[i]!, element, certainty, "attribute");
    })
  );
}

/** `noun` is what the elements are called where they came from. */
function toMap(
  entries: ReadonlyMap<string, Value>,
  at: (i: number) => Conversion,
  element: Type,
  certainty: Certainty,
  noun: "element" | "attribute",
): Value | Failure {
  const keys = [...entries.keys()];
  const results: Value[] = [];
  let i = 0;
  for (const [key, value] of entries) {
    const result = at(i++)(value);
    if (result instanceof Failure) return result.within({ index: stringValue(key) });
    results.push(result);
  }
  const mayDiffer = results.length > 0 && (isCollection(element) || element.kind === "object") && hasDynamic(element);
  const elements = mayDiffer ? toCommonType(results, certainty) : results;
  if (elements instanceof Failure) return elements;
  if (!sameTypes(elements)) return new Failure(`${noun} types must all match for conversion to map`);
  const given = elements.length === 0 || !hasDynamic(element) ? withoutOptional(element) : undefined;
  return mapValue(
    keys.map((key, at) => [key, elements[at]!] as const),
    given,
  );
}

function mapToObject(from: Type, to: ObjectType): Conversion | undefined {
  const conversions = new Map<string, Conversion | undefined>();
  for (const [name, wanted] of to.attributes) {
    const convertIt = conversion(from, wanted, "unsafe");
    if (!convertIt && !to.optional.has(name)) return undefined;
    conversions.set(name, convertIt);
  }
  return ({ data }) => {
    const entries = data as ReadonlyMap<string, Value>;
    const attributes: [string, Value][] = [];
    for (const [name, convertIt] of conversions) {
      const value = entries.get(name);
      const type = to.attributes.get(name)!;
      if (!value) {
        if (!to.optional.has(name)) return new Failure(`map has no element for required attribute "${name}"`);
        attributes.push([name, nullValue(withoutOptional(type))]);
        continue;
      }
      if (!convertIt) {
        return new Failure(`map element type is incompatible with attribute "${name}": ${mismatch(value.type, type)}`);
      }
      const converted = convertIt(value);
      if (converted instanceof Failure) return converted.within({ index: stringValue(name) });
      attributes.push([name, converted]);
    }
    return objectValue(attributes);
  };
}
