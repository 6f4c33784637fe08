import { invariant } from "@millwright/core/errors";
import { convert } from "./convert.ts";
import { conformsTo } from "./equality.ts";
import type { Decoded } from "./json.ts";
import { readNumber, writeNumber } from "./msgpack-number.ts";
import { Malformed, MsgpackReader } from "./msgpack-reader.ts";
import { readUnknown, writeUnknown } from "./msgpack-unknown.ts";
import { MsgpackWriter } from "./msgpack-writer.ts";
import type { BigFloat } from "./number.ts";
import type { PathStep } from "./path.ts";
import { typeFromJson, typeToJson } from "./type-json.ts";
import type { ObjectType, Type } from "./types.ts";
import { hasDynamic, withoutOptional } from "./types.ts";
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
} from "./value.ts";

/**
 * A value in MessagePack by the type that is wanted of it, as go-cty's `msgpack.Marshal`, byte for byte: what Terraform and
 * its providers send each other. Unlike in JSON, what is unknown stays unknown, with what is known of it.
 *
 * A value that does not fit `type` is converted first; one that cannot be, a marked one and a capsule are Bugs.
 */
export function encodeMsgpack(value: Value, type: Type): Uint8Array {
  const writer = new MsgpackWriter();
  write(writer, fitting(value, type), type);
  return writer.finish();
}

function fitting(value: Value, type: Type): Value {
  if (conformsTo(value.type, type)) return value;
  const converted = convert(value, type);
  invariant(converted.ok, "a value that is sent fits the type that is expected");
  return converted.value;
}

function write(writer: MsgpackWriter, value: Value, type: Type): void {
  const { data } = value;
  invariant(value.marks.size === 0, "a marked value is not sent");
  if (type.kind === "dynamic" && value.type.kind !== "dynamic") {
    writer.arrayHeader(2);
    writer.binary(Buffer.from(typeToJson(value.type)));
    return write(writer, value, value.type);
  }
  if (data instanceof Unknown) return writeUnknown(writer, value.type, data.refinements);
  if (data === null) return writer.nil();
  switch (type.kind) {
    case "string":
      return writer.string(data as string);
    case "number":
      return writeNumber(writer, data as BigFloat);
    case "bool":
      return writer.bool(data as boolean);
    case "list":
    case "set":
      writer.arrayHeader((data as readonly Value[]).length);
      for (const element of data as readonly Value[]) write(writer, element, type.element);
      return;
    case "tuple":
      writer.arrayHeader(type.elements.length);
      for (const [i, element] of (data as readonly Value[]).entries()) write(writer, element, type.elements[i]!);
      return;
    case "map":
      writer.mapHeader((data as ReadonlyMap<string, Value>).size);
      for (const [key, element] of data as ReadonlyMap<string, Value>) {
        writer.string(key);
        write(writer, element, type.element);
      }
      return;
    case "object":
      return writeObject(writer, data as ReadonlyMap<string, Value>, type);
    default:
      invariant(false, "a capsule is not sent");
  }
}

function writeObject(writer: MsgpackWriter, attributes: ReadonlyMap<string, Value>, type: ObjectType): void {
  writer.mapHeader(type.attributes.size);
  for (const attribute of attributesOf(type)) {
    writer.raw(attribute.key);
    write(writer, attributes.get(attribute.name)!, attribute.type);
  }
}

interface Attribute {
  readonly name: string;
  /** The name in MessagePack. */
  readonly key: Uint8Array;
  readonly type: Type;
  readonly step: PathStep;
}

const prepared = new WeakMap<ObjectType, readonly Attribute[]>();

/** The attributes of a type as they are written, made once for all values of the type. */
function attributesOf(type: ObjectType): readonly Attribute[] {
  let attributes = prepared.get(type);
  if (!attributes) {
    attributes = [...type.attributes].map(([name, attribute]) => {
      const writer = new MsgpackWriter();
      writer.string(name);
      return { name, key: writer.finish(), type: attribute, step: { attribute: name } };
    });
    prepared.set(type, attributes);
  }
  return attributes;
}

/** Reads a value of `type` from MessagePack, as go-cty's `msgpack.Unmarshal`. What follows the value is not looked at. */
export function decodeMsgpack(bytes: Uint8Array, type: Type): Decoded {
  const decoder = new Decoder(bytes);
  try {
    return { ok: true, value: decoder.read(withoutOptional(type)) };
  } catch (error) {
    if (error instanceof Malformed) return { ok: false, path: decoder.path(), message: error.message };
    throw error;
  }
}

class Decoder {
  readonly #reader: MsgpackReader;
  /** The way to what is being read; indexes as mere numbers. */
  readonly #steps: (PathStep | number)[] = [];

  constructor(bytes: Uint8Array) {
    this.#reader = new MsgpackReader(bytes);
  }

  path(): PathStep[] {
    return this.#steps.map((step) => (typeof step === "number" ? { index: numberValue(step) } : step));
  }

  read(type: Type): Value {
    const kind = this.#reader.peek();
    if (kind === "extension") return readUnknown(this.#reader, type);
    if (kind === "nil") {
      this.#reader.nil();
      return nullValue(type);
    }
    switch (type.kind) {
      case "dynamic":
        return this.#dynamic();
      case "string":
        this.#expect(kind === "string" || kind === "binary", "string is required");
        return stringValue(this.#reader.string());
      case "number":
        return numberValue(readNumber(this.#reader));
      case "bool":
        return boolValue(this.#reader.bool());
      case "list":
      case "set":
        this.#expect(kind === "array", `a ${type.kind} is required`);
        return this.#sequence(type);
      case "tuple":
        this.#expect(kind === "array", "a tuple is required");
        return this.#tuple(type.elements);
      case "map":
        this.#expect(kind === "map", "a map is required");
        return this.#map(type);
      case "object":
        this.#expect(kind === "map", "an object is required");
        return this.#object(type);
      default:
        throw new Malformed(`unsupported type ${type.name}`);
    }
  }

  #expect(condition: boolean, message: string): void {
    if (!condition) throw new Malformed(message);
  }

  #dynamic(): Value {
    this.#expect(
      this.#reader.peek() === "array" && this.#reader.arrayHeader() === 2,
      "dynamic value array must have exactly two elements",
    );
    const type = typeFromJson(this.#reader.string());
    if (!type) throw new Malformed("the type of a dynamic value is not one");
    return this.read(type);
  }

  #inside(step: PathStep | number, type: Type): Value {
    this.#steps.push(step);
    const value = this.read(type);
    this.#steps.pop();
    return value;
  }

  #sequence(type: Extract<Type, { readonly kind: "list" | "set" }>): Value {
    const length = this.#reader.arrayHeader();
    const elements: Value[] = [];
    for (let i = 0; i < length; i++) elements.push(this.#inside(i, type.element));
    if (type.kind === "list" && !hasDynamic(type)) return { type, data: elements, marks: noMarks };
    const element = length === 0 || !hasDynamic(type) ? type.element : undefined;
    return type.kind === "list" ? listValue(elements, element) : setValue(elements, element);
  }

  #tuple(types: readonly Type[]): Value {
    this.#expect(this.#reader.arrayHeader() === types.length, `a tuple of length ${types.length} is required`);
    return tupleValue(types.map((type, i) => this.#inside(i, type)));
  }

  #map({ element }: Extract<Type, { readonly kind: "map" }>): Value {
    const length = this.#reader.mapHeader();
    const entries: [string, Value][] = [];
    for (let i = 0; i < length; i++) {
      const key = this.#reader.string();
      entries.push([key, this.#inside({ index: stringValue(key) }, element)]);
    }
    return mapValue(entries, length === 0 || !hasDynamic(element) ? element : undefined);
  }

  /** Names in order and each of them once, as they are written, take the short way. */
  #object(type: ObjectType): Value {
    const length = this.#reader.mapHeader();
    const { size } = type.attributes;
    this.#expect(length === size, `an object with ${size} attributes is required (${length} given)`);
    const attributes = new Map<string, Value>();
    for (const { name, key, type: wanted, step } of attributesOf(type)) {
      if (!this.#reader.skipIf(key)) return this.#objectInAnyOrder(type, attributes);
      attributes.set(name, this.#inside(step, wanted));
    }
    return hasDynamic(type) ? objectValue(attributes) : { type, data: attributes, marks: noMarks };
  }

  #objectInAnyOrder(type: ObjectType, begun: Map<string, Value>): Value {
    while (begun.size < type.attributes.size) {
      const name = this.#reader.string();
      const wanted = type.attributes.get(name);
      this.#expect(wanted !== undefined && !begun.has(name), `unsupported attribute ${JSON.stringify(name)}`);
      begun.set(name, this.#inside({ attribute: name }, wanted!));
    }
    const value = objectValue(begun);
    return hasDynamic(type) ? value : { type, data: value.data, marks: noMarks };
  }
}
