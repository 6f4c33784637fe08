import { Bug } from "@millwright/core/errors";
import { setKey } from "./json-parser.ts";
import type { ObjectType, Type } from "./types.ts";
import {
  boolType,
  dynamicType,
  listType,
  mapType,
  numberType,
  objectType,
  setType,
  stringType,
  tupleType,
} from "./types.ts";

const texts = new WeakMap<Type, string>();

/** A type as JSON, the way go-cty has it: `"string"`, `["list","string"]`, `["object",{"a":"dynamic"},["a"]]`. */
export function typeToJson(type: Type): string {
  let text = texts.get(type);
  if (text === undefined) {
    text = textOf(type);
    texts.set(type, text);
  }
  return text;
}

// Written by hand, as an object of JavaScript would put names that look like numbers first.
function textOf(type: Type): string {
  switch (type.kind) {
    case "list":
    case "set":
    case "map":
      return `["${type.kind}",${typeToJson(type.element)}]`;
    case "tuple":
      return `["tuple",[${type.elements.map(typeToJson).join(",")}]]`;
    case "object": {
      const attributes = [...type.attributes].map(
        ([name, attribute]) => `${JSON.stringify(name)}:${typeToJson(attribute)}`,
      );
      const optional = optionalNames(type);
      return `["object",{${attributes.join(",")}}${optional.length > 0 ? `,${JSON.stringify(optional)}` : ""}]`;
    }
    default:
      return JSON.stringify(typeToPlain(type));
  }
}

function optionalNames(type: ObjectType): string[] {
  return [...type.attributes.keys()].filter((name) => type.optional.has(name));
}

/** What {@link typeToJson} writes, as parsed JSON. A capsule type has no such form: a Bug. */
export function typeToPlain(type: Type): unknown {
  switch (type.kind) {
    case "list":
    case "set":
    case "map":
      return [type.kind, typeToPlain(type.element)];
    case "tuple":
      return [type.kind, type.elements.map(typeToPlain)];
    case "object": {
      const attributes: Record<string, unknown> = {};
      for (const [name, attribute] of type.attributes) setKey(attributes, name, typeToPlain(attribute));
      const optional = optionalNames(type);
      return optional.length > 0 ? [type.kind, attributes, optional] : [type.kind, attributes];
    }
    case "capsule":
      throw new Bug(`the capsule type ${type.name} has no JSON form`);
    default:
      return type.kind;
  }
}

/** Reads what {@link typeToJson} writes; undefined where the text is no type. */
export function typeFromJson(text: string): Type | undefined {
  let plain: unknown;
  try {
    plain = JSON.parse(text);
  } catch {
    return undefined;
  }
  return typeFromPlain(plain);
}

const named: Readonly<Record<string, Type>> = {
  string: stringType,
  number: numberType,
  bool: boolType,
  dynamic: dynamicType,
};

/** Reads parsed JSON as a type; undefined where it is none. */
export function typeFromPlain(plain: unknown): Type | undefined {
  if (typeof plain === "string") return Object.hasOwn(named, plain) ? named[plain] : undefined;
  if (!Array.isArray(plain)) return undefined;
  const [kind, inside, optional] = plain as readonly unknown[];
  if (kind === "tuple") return tupleFromPlain(inside);
  if (kind === "object") return objectFromPlain(inside, optional ?? []);
  const element = typeFromPlain(inside);
  if (!element) return undefined;
  if (kind === "list") return listType(element);
  if (kind === "set") return setType(element);
  return kind === "map" ? mapType(element) : undefined;
}

function tupleFromPlain(plain: unknown): Type | undefined {
  // The reference writes the types of an empty tuple as null when it made it from no list at all.
  if (plain === null) return tupleType([]);
  if (!Array.isArray(plain)) return undefined;
  const elements = plain.map(typeFromPlain);
  return elements.every((t) => t !== undefined) ? tupleType(elements) : undefined;
}

function objectFromPlain(plain: unknown, optional: unknown): Type | undefined {
  if (typeof plain !== "object" || plain === null || Array.isArray(plain) || !Array.isArray(optional)) return undefined;
  const attributes: [string, Type][] = [];
  for (const [name, attribute] of Object.entries(plain)) {
    const type = typeFromPlain(attribute);
    if (!type) return undefined;
    attributes.push([name.normalize("NFC"), type]);
  }
  const names = optional.filter((name) => typeof name === "string");
  return objectType(attributes, names);
}
