import { convert } from "@millwright/value/convert";
import { definitelyNotNull, refine } from "@millwright/value/refine";
import { unifiedType } from "@millwright/value/unify";
import type { Value } from "@millwright/value/value";
import {
  isKnown,
  listValue,
  mapValue,
  objectValue,
  setValue,
  tupleValue,
  unmark,
  withMarks,
} from "@millwright/value/value";

/** The default values in a type constraint: at each place that has some, at any depth. */
export type Defaults =
  | { readonly kind: "collection"; readonly element: Defaults }
  | { readonly kind: "tuple"; readonly elements: readonly (Defaults | undefined)[] }
  | {
      readonly kind: "object";
      /** For attributes that are left out or null. */
      readonly values: ReadonlyMap<string, Value>;
      /** Inside of attributes. */
      readonly attributes: ReadonlyMap<string, Defaults>;
    };

/**
 * The value with defaults filled in where attributes are missing or null, as written: it is yet to be converted to the
 * constraint's type, which also tells where it does not fit. Null and unknown values themselves are left as they are.
 */
export function applyDefaults(value: Value, defaults: Defaults): Value {
  if (value.data === null || !isKnown(value)) return value;
  const [bare, marks] = unmark(value);
  return withMarks(applied(bare, defaults), marks);
}

function applied(value: Value, defaults: Defaults): Value {
  const { type, data } = value;
  switch (type.kind) {
    case "list":
    case "set":
    case "tuple": {
      const elements = (data as readonly Value[]).map((element, at) => inside(element, elementDefaults(defaults, at)));
      if (type.kind === "tuple") return tupleValue(elements);
      const same = elements.length === 0 ? elements : ofOneType(elements);
      if (!same) return tupleValue(elements);
      return type.kind === "list"
        ? listValue(same, same[0]?.type ?? type.element)
        : setValue(same, same[0]?.type ?? type.element);
    }
    case "map":
    case "object": {
      const attributes = filledIn(data as ReadonlyMap<string, Value>, defaults);
      if (type.kind === "object") return objectValue(attributes);
      const names = [...attributes.keys()];
      const same = names.length === 0 ? [] : ofOneType([...attributes.values()]);
      if (!same) return objectValue(attributes);
      return mapValue(
        same.map((element, at) => [names[at]!, element] as const),
        same[0]?.type ?? type.element,
      );
    }
    default:
      return value;
  }
}

function inside(value: Value, defaults: Defaults | undefined): Value {
  return defaults ? applyDefaults(value, defaults) : value;
}

/** A list may stand where a tuple is declared and the reverse; where they cannot fit, conversion will say so. */
function elementDefaults(defaults: Defaults, at: number): Defaults | undefined {
  if (defaults.kind === "collection") return defaults.element;
  return defaults.kind === "tuple" ? defaults.elements[at] : undefined;
}

function attributeDefaults(defaults: Defaults, name: string): Defaults | undefined {
  if (defaults.kind === "collection") return defaults.element;
  return defaults.kind === "object" ? defaults.attributes.get(name) : undefined;
}

function filledIn(given: ReadonlyMap<string, Value>, defaults: Defaults): ReadonlyMap<string, Value> {
  const result = new Map<string, Value>();
  for (const [name, value] of given) result.set(name, inside(value, attributeDefaults(defaults, name)));
  if (defaults.kind !== "object") return result;
  for (const [name, fallback] of defaults.values) {
    const value = result.get(name);
    if (!value || value.data === null) result.set(name, inside(fallback, defaults.attributes.get(name)));
    else if (definitelyNotNull(fallback)) result.set(name, refine(value, { notNull: true }));
  }
  return result;
}

/** The elements of a collection, to which defaults may have been added differently, made one type again. */
function ofOneType(values: readonly Value[]): readonly Value[] | undefined {
  const type = unifiedType(
    values.map((value) => value.type),
    "unsafe",
  );
  if (!type) return undefined;
  const converted: Value[] = [];
  for (const value of values) {
    const result = convert(value, type);
    if (!result.ok) return undefined;
    converted.push(result.value);
  }
  return converted;
}
