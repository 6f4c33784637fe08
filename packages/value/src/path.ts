import type { BigFloat } from "./number.ts";
import { rawEquals } from "./operations.ts";
import { Unknown } from "./unknown.ts";
import type { Value } from "./value.ts";
import {
  dynamicValue,
  listValue,
  mapValue,
  noMarks,
  numberValue,
  objectValue,
  setValue,
  stringValue,
  tupleValue,
  unknownValue,
  withMarks,
} from "./value.ts";

/** One step into a value: an attribute of an object, or an index (number of a list or tuple, string of a map, element of a set). */
export type PathStep = { readonly attribute: string } | { readonly index: Value };

/** A way from a value to something inside it; empty is the value itself. */
export type Path = readonly PathStep[];

/**
 * What the path leads to, with the marks of all that it leads through; undefined where there is nothing: a null, a name or
 * key that is not there, a step that does not fit the type. Inside of an unknown value everything is unknown.
 */
export function applyPath(value: Value, path: Path): Value | undefined {
  let at: Value | undefined = value;
  for (const step of path) {
    const inside: Value | undefined = applyStep(at, step);
    if (!inside) return undefined;
    at = withMarks(inside, at.marks);
  }
  return at;
}

function applyStep(value: Value, step: PathStep): Value | undefined {
  const { type, data } = value;
  if (type.kind === "dynamic") return data === null ? undefined : dynamicValue;
  if (data === null) return undefined;
  if ("attribute" in step) {
    if (type.kind !== "object") return undefined;
    const attribute = type.attributes.get(step.attribute);
    if (!attribute) return undefined;
    return data instanceof Unknown ? unknownValue(attribute) : (data as ReadonlyMap<string, Value>).get(step.attribute);
  }
  return applyIndex(value, step.index);
}

function applyIndex({ type, data }: Value, key: Value): Value | undefined {
  switch (type.kind) {
    case "set":
      if (data instanceof Unknown) return unknownValue(type.element);
      return (data as readonly Value[]).find((element) => rawEquals(element, key));
    case "map":
      if (key.type.kind !== "string") return undefined;
      if (data instanceof Unknown || key.data instanceof Unknown) return unknownValue(type.element);
      return (data as ReadonlyMap<string, Value>).get(key.data as string);
    case "list":
    case "tuple": {
      if (key.type.kind !== "number") return undefined;
      if (key.data instanceof Unknown) return type.kind === "list" ? unknownValue(type.element) : dynamicValue;
      const place = (key.data as BigFloat | null)?.toSafeInteger() ?? -1;
      if (!(data instanceof Unknown)) return (data as readonly Value[])[place];
      const element = type.kind === "list" ? type.element : type.elements[place];
      return element && unknownValue(element);
    }
    default:
      return undefined;
  }
}

/** The path as HCL writes it: `.tags["Name"][0]`; an element of a set, and a key not known, as `[…]`. */
export function formatPath(path: Path): string {
  return path.map(formatStep).join("");
}

function formatStep(step: PathStep): string {
  if ("attribute" in step) return `.${step.attribute}`;
  const { type, data } = step.index;
  if (typeof data === "string") return `[${JSON.stringify(data)}]`;
  const isNumber = type.kind === "number" && data !== null && !(data instanceof Unknown);
  return isNumber ? `[${(data as BigFloat).toText()}]` : "[…]";
}

export function pathEquals(a: Path, b: Path): boolean {
  return a.length === b.length && startsWith(a, b);
}

/** Whether `path` is `start`, or leads into what `start` leads to. */
export function startsWith(path: Path, start: Path): boolean {
  return start.length <= path.length && start.every((step, i) => stepEquals(step, path[i]!));
}

function stepEquals(a: PathStep, b: PathStep): boolean {
  if ("attribute" in a || "attribute" in b) {
    return "attribute" in a && "attribute" in b && a.attribute === b.attribute;
  }
  return rawEquals(a.index, b.index);
}

/**
 * A text that two steps share only where they are the same; undefined for steps that lead to an element of a set, or to one
 * that is not known.
 */
export function stepKey(step: PathStep): string | undefined {
  if ("attribute" in step) return `.${step.attribute}`;
  const { type, data } = step.index;
  if (typeof data === "string") return `[${data}`;
  const isNumber = type.kind === "number" && data !== null && !(data instanceof Unknown);
  return isNumber ? `#${(data as BigFloat).toText()}` : undefined;
}

/**
 * Calls `visit` with every value that is inside, the outer before the inner, beginning with `value` itself. Where `visit`
 * returns "skip", what is inside of that value is left out. A path that is to be kept has to be copied.
 */
export function walk(value: Value, visit: (path: Path, value: Value) => "skip" | undefined | void): void {
  walkInside([], value, visit);
}

function walkInside(
  path: PathStep[],
  value: Value,
  visit: (path: Path, value: Value) => "skip" | undefined | void,
): void {
  if (visit(path, value) === "skip") return;
  for (const [step, inside] of steps(value)) {
    path.push(step);
    walkInside(path, inside, visit);
    path.pop();
  }
}

/** The values directly inside a value and the steps to them; none where it is null, unknown or primitive. */
export function* steps({ type, data }: Value): Generator<readonly [PathStep, Value]> {
  if (data instanceof Map) {
    for (const [key, inside] of data as ReadonlyMap<string, Value>) {
      yield [type.kind === "object" ? { attribute: key } : { index: stringValue(key) }, inside];
    }
  } else if (Array.isArray(data)) {
    let place = 0;
    for (const inside of data as readonly Value[]) {
      yield [{ index: type.kind === "set" ? inside : numberValue(place++) }, inside];
    }
  }
}

/**
 * The value with everything inside replaced by what `replace` makes of it, the inner before the outer, `value` itself last.
 * What stays the same is not copied. Elements of a collection may change their type together, not one by one. A path that
 * is to be kept has to be copied.
 */
export function transform(value: Value, replace: (path: Path, value: Value) => Value): Value {
  return transformInside([], value, replace);
}

function transformInside(path: PathStep[], value: Value, replace: (path: Path, value: Value) => Value): Value {
  let changed: Value[] | undefined;
  let i = 0;
  for (const [step, inside] of steps(value)) {
    path.push(step);
    const result = transformInside(path, inside, replace);
    path.pop();
    if (result !== inside) {
      changed ??= [...insides(value)];
      changed[i] = result;
    }
    i++;
  }
  return replace(path, changed ? withInsides(value, changed) : value);
}

function insides({ data }: Value): Iterable<Value> {
  return data instanceof Map ? (data as ReadonlyMap<string, Value>).values() : (data as readonly Value[]);
}

/** A value like `value` of these elements, in the order it has them. */
function withInsides(value: Value, elements: readonly Value[]): Value {
  return withMarks(rebuilt(value, elements), value.marks);
}

function rebuilt(value: Value, elements: readonly Value[]): Value {
  const { type, data } = value;
  if (type.kind !== "set" && sameTypes(value, elements)) {
    if (Array.isArray(data)) return { type, data: elements, marks: noMarks };
    const keys = (data as ReadonlyMap<string, Value>).keys();
    return { type, data: new Map(elements.map((v) => [keys.next().value!, v])), marks: noMarks };
  }
  const entries = () => [...(data as ReadonlyMap<string, Value>).keys()].map((key, i) => [key, elements[i]!] as const);
  switch (type.kind) {
    case "list":
      return listValue(elements);
    case "set":
      return setValue(elements);
    case "tuple":
      return tupleValue(elements);
    case "map":
      return mapValue(entries());
    default:
      return objectValue(entries());
  }
}

function sameTypes(value: Value, elements: readonly Value[]): boolean {
  let i = 0;
  for (const inside of insides(value)) {
    if (inside.type !== elements[i++]!.type) return false;
  }
  return true;
}
