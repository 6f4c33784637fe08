import { Bug, invariant } from "@millwright/core/errors";
import { convert } from "./convert.ts";
import type { BigFloat } from "./number.ts";
import { parseBigFloat } from "./number.ts";
import type { Path, PathStep } from "./path.ts";
import { steps } from "./path.ts";
import { JsonSyntaxError, setKey } from "./json-parser.ts";
import { numberToPlain, parsePlain, plainNumber, plainNumberText } from "./plain-json.ts";
import { typeFromPlain, typeToJson, typeToPlain } from "./type-json.ts";
import type { ObjectType, Type } from "./types.ts";
import {
  boolType,
  dynamicType,
  emptyObjectType,
  hasDynamic,
  numberType,
  objectType,
  stringType,
  tupleType,
  withoutOptional,
} from "./types.ts";
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
} from "./value.ts";

/** What was read, or why it could not be, as a clause, and where inside of it. */
export type Decoded =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly path: Path; readonly message: string };

/**
 * A value as JSON by the type that is wanted of it, as go-cty's `json.Marshal`: object keys sorted, numbers in full, `<`,
 * `>` and `&` escaped; where `type` is dynamic, `{"value":…,"type":…}`. A value that is unknown, marked or infinite
 * anywhere has no JSON: a Bug; ask {@link whyNotJson} first.
 */
export function encodeJson(value: Value, type: Type): string {
  invariant(value.marks.size === 0, "a marked value is not written as JSON");
  const { data } = value;
  invariant(!(data instanceof Unknown), "an unknown value is not written as JSON");
  if (type.kind === "dynamic" && value.type.kind !== "dynamic") {
    return `{"value":${encodeJson(value, value.type)},"type":${escapeForHtml(typeToJson(value.type))}}`;
  }
  if (data === null) return "null";
  switch (type.kind) {
    case "string":
      return encodeString(data as string);
    case "number":
      invariant((data as BigFloat).isFinite, "an infinity is not written as JSON");
      return (data as BigFloat).toText();
    case "bool":
      return data ? "true" : "false";
    case "list":
    case "set":
      return encodeElements(data as readonly Value[], () => type.element);
    case "tuple":
      return encodeElements(data as readonly Value[], (i) => type.elements[i]!);
    case "map":
      return encodeMap(data as ReadonlyMap<string, Value>, type.element);
    case "object":
      return encodeObject(data as ReadonlyMap<string, Value>, type);
    default:
      throw new Bug("a capsule is not written as JSON");
  }
}

/** A value as JSON by its own type, without a word about that type. */
export function encodeSimple(value: Value): string {
  return encodeJson(value, value.type);
}

function encodeElements(elements: readonly Value[], typeAt: (i: number) => Type): string {
  let text = "[";
  for (let i = 0; i < elements.length; i++) text += (i > 0 ? "," : "") + encodeJson(elements[i]!, typeAt(i));
  return `${text}]`;
}

function encodeMap(entries: ReadonlyMap<string, Value>, element: Type): string {
  let text = "";
  for (const [key, value] of entries)
    text += `${text === "" ? "{" : ","}${encodeString(key)}:${encodeJson(value, element)}`;
  return text === "" ? "{}" : `${text}}`;
}

function encodeObject(attributes: ReadonlyMap<string, Value>, type: ObjectType): string {
  let text = "";
  for (const [name, prefix, attribute] of prefixesOf(type)) {
    text += (text === "" ? "{" : ",") + prefix + encodeJson(attributes.get(name)!, attribute);
  }
  return text === "" ? "{}" : `${text}}`;
}

const prefixes = new WeakMap<ObjectType, readonly (readonly [name: string, prefix: string, type: Type])[]>();

/** The attributes of a type and how each begins in JSON, made once for all values of the type. */
function prefixesOf(type: ObjectType): readonly (readonly [name: string, prefix: string, type: Type])[] {
  let found = prefixes.get(type);
  if (!found) {
    found = [...type.attributes].map(([name, attribute]) => [name, `${encodeString(name)}:`, attribute] as const);
    prefixes.set(type, found);
  }
  return found;
}

const plainText = /^[ !#-%'-;=?-[\]-~]*$/;

function encodeString(text: string): string {
  return plainText.test(text) ? `"${text}"` : escapeForHtml(JSON.stringify(text.toWellFormed()));
}

// Go's encoder makes its output fit for a script element of HTML, and for JavaScript before 2019.
function escapeForHtml(text: string): string {
  return text.replace(/[<>&\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Why a value cannot be written as JSON, as a clause: it is not known, or infinite, somewhere. Undefined where it can. */
export function whyNotJson(value: Value): string | undefined {
  if (value.data instanceof Unknown) return "value is not known";
  if (value.type.kind === "number" && value.data !== null && !(value.data as BigFloat).isFinite) {
    return "cannot serialize infinity as JSON";
  }
  for (const [, inside] of steps(value)) {
    const why = whyNotJson(inside);
    if (why !== undefined) return why;
  }
  return undefined;
}

/**
 * What {@link encodeJson} writes as parsed JSON, to put it into a larger document: `JSON.stringify` writes numbers out in
 * full. Keys that look like numbers go first, as JavaScript has it.
 */
export function toPlain(value: Value, type: Type): unknown {
  invariant(value.marks.size === 0, "a marked value is not written as JSON");
  const { data } = value;
  invariant(!(data instanceof Unknown), "an unknown value is not written as JSON");
  if (type.kind === "dynamic" && value.type.kind !== "dynamic") {
    return { value: toPlain(value, value.type), type: typeToPlain(value.type) };
  }
  if (data === null || typeof data === "string" || typeof data === "boolean") return data;
  switch (type.kind) {
    case "number":
      invariant((data as BigFloat).isFinite, "an infinity is not written as JSON");
      return numberToPlain(data as BigFloat);
    case "list":
    case "set":
      return (data as readonly Value[]).map((v) => toPlain(v, type.element));
    case "tuple":
      return (data as readonly Value[]).map((v, i) => toPlain(v, type.elements[i]!));
    case "map":
    case "object": {
      const record: Record<string, unknown> = {};
      for (const [key, v] of data as ReadonlyMap<string, Value>) {
        setKey(record, key, toPlain(v, type.kind === "map" ? type.element : type.attributes.get(key)!));
      }
      return record;
    }
    default:
      throw new Bug("a capsule is not written as JSON");
  }
}

/** Reads a value of `type` from JSON text or its UTF-8 bytes, as go-cty's `json.Unmarshal`. */
export function decodeJson(json: string | Uint8Array, type: Type): Decoded {
  return withPlain(json, (plain) => decodePlain(plain, type));
}

/** Reads a value of the type that the JSON itself implies: objects and tuples, and no type for null. */
export function decodeImplied(json: string | Uint8Array): Decoded {
  return withPlain(json, (plain) => ({ ok: true, value: impliedValue(plain) }));
}

/** The type of what {@link decodeImplied} reads; undefined where the text is not JSON. */
export function impliedType(json: string | Uint8Array): Type | undefined {
  const decoded = withPlain(json, (plain) => ({ ok: true, value: unknownValue(impliedTypeOf(plain)) }));
  return decoded.ok ? decoded.value.type : undefined;
}

function withPlain(json: string | Uint8Array, read: (plain: unknown) => Decoded): Decoded {
  let plain: unknown;
  try {
    plain = parsePlain(typeof json === "string" ? json : new TextDecoder().decode(json));
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    return { ok: false, path: [], message: error.message };
  }
  return read(plain);
}

/**
 * Reads a value of `type` from parsed JSON. For numbers in full, let `parsePlain` do the parsing. An object may lack
 * attributes, which are null then; attributes that the type has not are refused.
 */
export function fromPlain(plain: unknown, type: Type): Decoded {
  return decodePlain(plain, type);
}

function decodePlain(plain: unknown, type: Type): Decoded {
  const result = read(plain, withoutOptional(type));
  return result instanceof Refusal
    ? { ok: false, path: result.path, message: result.message }
    : { ok: true, value: result };
}

class Refusal {
  readonly message: string;
  readonly path: readonly PathStep[];

  constructor(message: string, path: readonly PathStep[] = []) {
    this.message = message;
    this.path = path;
  }

  within(step: PathStep): Refusal {
    return new Refusal(this.message, [step, ...this.path]);
  }
}

function read(plain: unknown, type: Type): Value | Refusal {
  if (plain === null || plain === undefined) return nullValue(type);
  switch (type.kind) {
    case "string":
      return readString(plain);
    case "number":
      return readNumber(plain);
    case "bool":
      return readBool(plain);
    case "dynamic":
      return readDynamic(plain);
    case "list":
    case "set":
      return readSequence(plain, type);
    case "tuple":
      return readTuple(plain, type.elements);
    case "map":
      return readMap(plain, type.element);
    case "object":
      return readObject(plain, type);
    default:
      return new Refusal(`unsupported type ${type.name}`);
  }
}

function readString(plain: unknown): Value | Refusal {
  if (typeof plain === "string") return stringValue(plain);
  const text = typeof plain === "boolean" ? String(plain) : plainNumberText(plain);
  return text === undefined ? new Refusal("string is required") : stringValue(text);
}

function readNumber(plain: unknown): Value | Refusal {
  if (typeof plain === "string") {
    const parsed = parseBigFloat(plain);
    return parsed ? numberValue(parsed) : new Refusal("a number is required");
  }
  const number = plainNumber(plain);
  return number ? numberValue(number) : new Refusal("number is required");
}

function readBool(plain: unknown): Value | Refusal {
  if (typeof plain === "boolean") return boolValue(plain);
  if (typeof plain !== "string") return new Refusal("bool is required");
  const converted = convert(stringValue(plain), boolType);
  return converted.ok ? converted.value : new Refusal(converted.message);
}

function readDynamic(plain: unknown): Value | Refusal {
  const record = recordOf(plain);
  if (!record) return new Refusal("missing expected {");
  for (const key of Object.keys(record)) {
    if (key !== "type" && key !== "value") return new Refusal(`invalid key "${key}" in dynamically-typed value`);
  }
  if (!Object.hasOwn(record, "type")) return new Refusal("missing type in dynamically-typed value");
  if (!Object.hasOwn(record, "value")) return new Refusal("missing value in dynamically-typed value");
  const type = typeFromPlain(record.type);
  if (!type) return new Refusal("failed to decode type for dynamic value: no such type");
  return read(record.value, type);
}

function recordOf(plain: unknown): Readonly<Record<string, unknown>> | undefined {
  if (typeof plain !== "object" || plain === null || Array.isArray(plain)) return undefined;
  return plainNumberText(plain) === undefined ? (plain as Readonly<Record<string, unknown>>) : undefined;
}

function readSequence(plain: unknown, type: Sequence): Value | Refusal {
  if (!Array.isArray(plain)) return new Refusal("missing expected [");
  const elements: Value[] = [];
  for (let i = 0; i < plain.length; i++) {
    const value = read(plain[i], type.element);
    if (value instanceof Refusal) {
      return value.within({ index: type.kind === "list" ? numberValue(i) : unknownValue(type.element) });
    }
    elements.push(value);
  }
  if (type.kind === "list" && !hasDynamic(type)) return { type, data: elements, marks: noMarks };
  const element = elements.length === 0 || !hasDynamic(type) ? type.element : undefined;
  return type.kind === "list" ? listValue(elements, element) : setValue(elements, element);
}

type Sequence = Extract<Type, { readonly kind: "list" | "set" }>;

function readTuple(plain: unknown, types: readonly Type[]): Value | Refusal {
  if (!Array.isArray(plain)) return new Refusal("missing expected [");
  if (plain.length > types.length) return new Refusal(`too many tuple elements (need ${types.length})`);
  if (plain.length < types.length) return new Refusal(`not enough tuple elements (need ${types.length})`);
  const elements: Value[] = [];
  for (let i = 0; i < plain.length; i++) {
    const value = read(plain[i], types[i]!);
    if (value instanceof Refusal) return value.within({ index: numberValue(i) });
    elements.push(value);
  }
  return tupleValue(elements);
}

function readMap(plain: unknown, element: Type): Value | Refusal {
  const record = recordOf(plain);
  if (!record) return new Refusal("missing expected {");
  const entries: [string, Value][] = [];
  for (const key of Object.keys(record)) {
    const value = read(record[key], element);
    if (value instanceof Refusal) return value.within({ index: stringValue(key) });
    entries.push([key, value]);
  }
  return mapValue(entries, entries.length === 0 || !hasDynamic(element) ? element : undefined);
}

function readObject(plain: unknown, type: ObjectType): Value | Refusal {
  const record = recordOf(plain);
  if (!record) return new Refusal("missing expected {");
  for (const key of Object.keys(record)) {
    if (!type.attributes.has(key)) return new Refusal(`unsupported attribute ${JSON.stringify(key)}`);
  }
  const attributes = new Map<string, Value>();
  for (const [name, attribute] of type.attributes) {
    const value = read(Object.hasOwn(record, name) ? record[name] : null, attribute);
    if (value instanceof Refusal) return value.within({ attribute: name });
    attributes.set(name, value);
  }
  return hasDynamic(type) ? objectValue(attributes) : { type, data: attributes, marks: noMarks };
}

function impliedValue(plain: unknown): Value {
  if (plain === null) return nullValue(dynamicType);
  if (typeof plain === "string") return stringValue(plain);
  if (typeof plain === "boolean") return boolValue(plain);
  if (Array.isArray(plain)) return tupleValue(plain.map(impliedValue));
  const number = plainNumber(plain);
  if (number) return numberValue(number);
  return objectValue(Object.entries(plain as object).map(([name, item]) => [name, impliedValue(item)] as const));
}

function impliedTypeOf(plain: unknown): Type {
  if (plain === null) return dynamicType;
  if (typeof plain === "string") return stringType;
  if (typeof plain === "boolean") return boolType;
  if (Array.isArray(plain)) return tupleType(plain.map(impliedTypeOf));
  if (plainNumberText(plain) !== undefined) return numberType;
  const entries = Object.entries(plain as object);
  if (entries.length === 0) return emptyObjectType;
  return objectType(entries.map(([name, item]) => [name.normalize("NFC"), impliedTypeOf(item)] as const));
}
