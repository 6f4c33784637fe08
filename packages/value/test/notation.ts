import { bigFloat } from "../src/number.ts";
import type { Path } from "../src/path.ts";
import { refine } from "../src/refine.ts";
import { typeFromPlain, typeToJson } from "../src/type-json.ts";
import type { Type } from "../src/types.ts";
import { typeEquals } from "../src/types.ts";
import type { Refinements } from "../src/unknown.ts";
import { Unknown } from "../src/unknown.ts";
import type { Value } from "../src/value.ts";
import {
  asNumber,
  boolValue,
  listValue,
  mapValue,
  mark,
  nullValue,
  numberValue,
  objectValue,
  setValue,
  stringValue,
  tupleValue,
  unknownValue,
} from "../src/value.ts";

/** A type in cty's JSON form, a value in a short JSON form: how the tables in `testdata` have them. */
export type TypeNotation = string | readonly unknown[];
export type ValueNotation =
  | readonly ["s" | "n", string]
  | readonly ["b", boolean]
  | readonly ["null", TypeNotation]
  | readonly ["unk", TypeNotation, RefinementNotation?]
  | readonly ["list" | "set", TypeNotation, readonly ValueNotation[]]
  | readonly ["map", TypeNotation, Readonly<Record<string, ValueNotation>>]
  | readonly ["tuple", readonly ValueNotation[]]
  | readonly ["obj", Readonly<Record<string, ValueNotation>>]
  | readonly ["mark", string, ValueNotation];

export interface RefinementNotation {
  readonly notNull?: true;
  readonly prefix?: string;
  readonly min?: readonly [string, boolean];
  readonly max?: readonly [string, boolean];
  readonly minLen?: number;
  readonly maxLen?: number;
}

export function typeOf(notation: TypeNotation): Type {
  const type = typeFromPlain(notation);
  if (!type) throw new Error(`no type: ${JSON.stringify(notation)}`);
  return type;
}

export function refinementsOf(notation: RefinementNotation): Refinements {
  const { notNull, prefix, min, max, minLen, maxLen } = notation;
  return {
    ...(notNull && { notNull }),
    ...(prefix !== undefined && { prefix }),
    ...(min && { minimum: { value: bigFloat(min[0]), inclusive: min[1] } }),
    ...(max && { maximum: { value: bigFloat(max[0]), inclusive: max[1] } }),
    ...(minLen !== undefined && { minimumLength: minLen }),
    ...(maxLen !== undefined && { maximumLength: maxLen }),
  };
}

export function valueOf(notation: ValueNotation): Value {
  switch (notation[0]) {
    case "s":
      return stringValue(notation[1]);
    case "n":
      return numberValue(bigFloat(notation[1]));
    case "b":
      return boolValue(notation[1]);
    case "null":
      return nullValue(typeOf(notation[1]));
    case "unk": {
      const value = unknownValue(typeOf(notation[1]));
      return notation[2] ? refine(value, refinementsOf(notation[2])) : value;
    }
    case "list":
      return listValue(notation[2].map(valueOf), notation[2].length > 0 ? undefined : typeOf(notation[1]));
    case "set":
      return setValue(notation[2].map(valueOf), notation[2].length > 0 ? undefined : typeOf(notation[1]));
    case "map": {
      const entries = entriesOf(notation[2]);
      return mapValue(entries, entries.length > 0 ? undefined : typeOf(notation[1]));
    }
    case "tuple":
      return tupleValue(notation[1].map(valueOf));
    case "obj":
      return objectValue(entriesOf(notation[1]));
    case "mark":
      return mark(valueOf(notation[2]), notation[1]);
  }
}

function entriesOf(record: Readonly<Record<string, ValueNotation>>): (readonly [string, Value])[] {
  return Object.entries(record).map(([key, inside]) => [key, valueOf(inside)] as const);
}

/** A value as text that says everything about it; an element that is not of the type it should be is an error. */
export function show(value: Value): string {
  const marks = [...value.marks].sort().map((m) => `!${m}`);
  return showBare(value) + marks.join("");
}

function showBare(value: Value): string {
  const { type, data } = value;
  if (data === null) return `null(${typeToJson(type)})`;
  if (data instanceof Unknown) return `unk(${typeToJson(type)})${showRefinements(data.refinements ?? {})}`;
  switch (type.kind) {
    case "string":
      return JSON.stringify(data);
    case "number":
      return asNumber(value).toText();
    case "bool":
      return String(data);
    case "list":
    case "set":
      return `${type.kind}(${typeToJson(type.element)})[${showAll(data as readonly Value[], () => type.element)}]`;
    case "tuple":
      return `[${showAll(data as readonly Value[], (i) => type.elements[i]!)}]`;
    case "map":
      return `map(${typeToJson(type.element)}){${showEntries(data as ReadonlyMap<string, Value>, () => type.element)}}`;
    case "object":
      return `{${showEntries(data as ReadonlyMap<string, Value>, (name) => type.attributes.get(name)!)}}`;
    default:
      throw new Error(`nothing to show for ${type.kind}`);
  }
}

function showAll(elements: readonly Value[], typeAt: (i: number) => Type): string {
  return elements.map((v, i) => showAs(v, typeAt(i))).join(",");
}

function showEntries(entries: ReadonlyMap<string, Value>, typeAt: (key: string) => Type): string {
  return [...entries].map(([key, v]) => `${JSON.stringify(key)}:${showAs(v, typeAt(key))}`).join(",");
}

function showAs(value: Value, type: Type): string {
  if (!typeEquals(value.type, type))
    throw new Error(`${typeToJson(value.type)} stands where ${typeToJson(type)} should`);
  return show(value);
}

function showRefinements(r: Refinements): string {
  let text = r.notNull ? "+notnull" : "";
  if (r.prefix) text += `+prefix${JSON.stringify(r.prefix)}`;
  if (r.minimum) text += `+min${r.minimum.value.toText()}${r.minimum.inclusive}`;
  if (r.maximum) text += `+max${r.maximum.value.toText()}${r.maximum.inclusive}`;
  if (r.minimumLength) text += `+minlen${r.minimumLength}`;
  if (r.maximumLength !== undefined) text += `+maxlen${r.maximumLength}`;
  return text;
}

export function showPath(path: Path): string {
  return path
    .map((step) => {
      if ("attribute" in step) return `.${step.attribute}`;
      return step.index.data instanceof Unknown ? "[?]" : `[${show(step.index)}]`;
    })
    .join("");
}
