import type { Type } from "./types.ts";

/** A type in English, for messages about values: `string`, `list of string`, `object`, `tuple`, `dynamic`. */
export function friendlyName(type: Type): string {
  return nameOf(type, "dynamic", "dynamic");
}

/** A type in English where it is what is wanted: as {@link friendlyName}, with `any type` and `list of any single type`. */
export function friendlyNameForConstraint(type: Type): string {
  return nameOf(type, "any type", "any single type");
}

function nameOf(type: Type, anything: string, anyElement: string): string {
  switch (type.kind) {
    case "dynamic":
      return anything;
    case "list":
    case "set":
    case "map": {
      const element = type.element.kind === "dynamic" ? anyElement : nameOf(type.element, anything, anyElement);
      return `${type.kind} of ${element}`;
    }
    case "capsule":
      return type.name;
    default:
      return type.kind;
  }
}

/** A type as HCL's type constraints write it: `map(string)`, `object({a=string,b=optional(any)})`. */
export function typeText(type: Type): string {
  switch (type.kind) {
    case "dynamic":
      return "any";
    case "list":
    case "set":
    case "map":
      return `${type.kind}(${typeText(type.element)})`;
    case "tuple":
      return `tuple([${type.elements.map(typeText).join(",")}])`;
    case "object": {
      const attributes = [...type.attributes].map(([name, attribute]) => {
        const text = typeText(attribute);
        return `${nameText(name)}=${type.optional.has(name) ? `optional(${text})` : text}`;
      });
      return `object({${attributes.join(",")}})`;
    }
    case "capsule":
      return type.name;
    default:
      return type.kind;
  }
}

const identifier = /^\p{ID_Start}[\p{ID_Continue}-]*$/u;

function nameText(name: string): string {
  return identifier.test(name) ? name : JSON.stringify(name);
}
