import { quote } from "@millwright/text/quote";
import type { FunctionTable } from "../function.ts";
import { answer, defineFunction, failure } from "../function.ts";
import { elementsOf, integerOf, isList, isMap, isTrue, mapGet, operandOf, sortedEntries, typeOf } from "../operand.ts";
import { formatText } from "../print.ts";
import type { CallResult, MapKey, TemplateValue } from "../value.ts";
import { Struct, TypedMap } from "../value.ts";
import { text } from "./arguments.ts";

/** Functions over what lists of keys and services give: records or structs with fields such as `Key` and `Tags`. */
export const groupingFunctions: FunctionTable = new Map([
  ["byKey", defineFunction({ parameters: ["any"], call: ([pairs]) => byKey(pairs!) })],
  ["byMeta", defineFunction({ parameters: ["string", "any"], call: ([keys, list]) => byMeta(text(keys), list!) })],
  ["byPort", defineFunction({ parameters: ["any"], call: ([list]) => group("byPort", list!, portsOf, "int") })],
  ["byTag", defineFunction({ parameters: ["any"], call: ([list]) => group("byTag", list!, tagsOf, "string") })],
  ["explode", defineFunction({ parameters: ["any"], call: ([pairs]) => explode(pairs!) })],
  ["explodeMap", defineFunction({ parameters: ["any"], call: ([map]) => explodeMap(map!) })],
  ["mergeMap", merging("mergeMap", (given, added) => (isTrue(operandOf(given)) ? given : added))],
  [
    "mergeMapWithOverride",
    merging("mergeMapWithOverride", (given, added) => (isTrue(operandOf(added)) ? added : given)),
  ],
]);

/** A field of a record or struct; undefined where it has none. */
function fieldOf(item: TemplateValue, name: string): TemplateValue | undefined {
  if (item instanceof Struct) return Object.hasOwn(item.fields, name) ? item.fields[name] : undefined;
  return isMap(item) ? mapGet(item, name) : undefined;
}

function textField(item: TemplateValue, name: string): string {
  const value = fieldOf(item, name);
  return typeof value === "string" ? value : "";
}

function wrongType(name: string, value: TemplateValue): CallResult {
  return failure(`${name}: wrong argument type ${typeOf(operandOf(value))}`);
}

/** Pairs by the first part of their keys, and then by the rest, which is their key now. */
function byKey(pairs: TemplateValue): CallResult {
  if (pairs !== null && !isList(pairs)) return wrongType("byKey", pairs);
  const groups = new Map<string, Map<string, TemplateValue>>();
  for (const pair of pairs === null ? [] : elementsOf(pairs)) {
    const [top, ...rest] = textField(pair, "Key").split("/");
    const key = rest.join("/");
    if (key === "") continue;
    const found = groups.get(top!) ?? new Map<string, TemplateValue>();
    groups.set(top!, found.set(key, withKey(pair, key)));
  }
  const entries = [...groups].map(
    ([top, inner]) => [top, new TypedMap(inner, "map[string]*dependency.KeyPair", null)] as const,
  );
  return answer(new TypedMap(new Map(entries), "map[string]map[string]*dependency.KeyPair", null));
}

function withKey(pair: TemplateValue, key: string): TemplateValue {
  if (pair instanceof Struct) return new Struct(pair.type, { ...pair.fields, Key: key }, pair.methods);
  return isMap(pair) ? Object.fromEntries([...sortedEntries(pair), ["Key", key]]) : pair;
}

/** A group for each of an item's keys; undefined for an item that is none. */
function group(
  name: string,
  list: TemplateValue,
  keysOf: (item: TemplateValue) => readonly MapKey[] | undefined,
  keyType: string,
): CallResult {
  if (list !== null && !isList(list)) return wrongType(name, list);
  const groups = new Map<MapKey, TemplateValue[]>();
  for (const item of list === null ? [] : elementsOf(list)) {
    const keys = keysOf(item);
    if (!keys) return wrongType(name, list);
    for (const key of keys) groups.set(key, [...(groups.get(key) ?? []), item]);
  }
  return answer(new TypedMap(groups, `map[${keyType}][]interface {}`, null));
}

function tagsOf(item: TemplateValue): readonly MapKey[] | undefined {
  const tags = fieldOf(item, "Tags") ?? fieldOf(item, "ServiceTags");
  if (tags === null) return [];
  return isList(tags) ? elementsOf(tags).filter((tag) => typeof tag === "string") : undefined;
}

function portsOf(item: TemplateValue): readonly MapKey[] | undefined {
  const port = fieldOf(item, "Port") ?? fieldOf(item, "ServicePort");
  const number = port === undefined ? undefined : integerOf(operandOf(port));
  return number === undefined ? undefined : [number];
}

/** The values of `keys`, a list with commas, are joined by underscores; `|int` fills a number up to five digits. */
function byMeta(keys: string, list: TemplateValue): CallResult {
  const wanted = keys.split(",").map((key) => key.trim().split("|"));
  for (const [key, type] of wanted) {
    if (type !== undefined && type !== "int") return failure(`byMeta: ${quote(`${key}|${type}`)}: only |int is known`);
  }
  const fault = isList(list)
    ? elementsOf(list)
        .map((item) => metaFault(item, wanted))
        .find((found) => found)
    : undefined;
  return fault ?? group("byMeta", list, (item) => [wanted.map((key) => metaText(item, key)).join("_")], "string");
}

function metaOf(item: TemplateValue, key: string): string {
  return textField(fieldOf(item, "ServiceMeta") ?? {}, key);
}

function metaText(item: TemplateValue, [key = "", type]: readonly string[]): string {
  const value = metaOf(item, key);
  return type === "int" ? value.padStart(5, "0") : value;
}

function metaFault(item: TemplateValue, wanted: readonly (readonly string[])[]): CallResult | undefined {
  for (const [key = "", type] of wanted) {
    const value = metaOf(item, key);
    if (type === "int" && !/^-?[0-9]+$/.test(value))
      return failure(`byMeta: ${quote(value)} of ${quote(key)} is no number`);
  }
  return undefined;
}

function explode(pairs: TemplateValue): CallResult {
  if (pairs !== null && !isList(pairs)) return wrongType("explode", pairs);
  const items = pairs === null ? [] : elementsOf(pairs);
  return nest(
    "explode",
    items.map((pair) => [textField(pair, "Key"), fieldOf(pair, "Value") ?? ""] as const),
  );
}

function explodeMap(map: TemplateValue): CallResult {
  if (!isMap(map)) return wrongType("explodeMap", map);
  return nest(
    "explodeMap",
    sortedEntries(map).map(([key, value]) => [String(key), value] as const),
  );
}

/** Maps in each other, along the slashes in the keys. */
function nest(name: string, pairs: readonly (readonly [string, TemplateValue])[]): CallResult {
  const root = new Map<string, TemplateValue>();
  // Which of the maps were made here: a value may be a map too, and is not added to.
  const made = new Set<TemplateValue>([root]);
  for (const [path, value] of pairs) {
    let map = root;
    const parts = path.split("/");
    for (const [i, part] of parts.slice(0, -1).entries()) {
      const found = map.get(part);
      if (found !== undefined && !made.has(found)) {
        const rest = parts.slice(i).join("/");
        const shown = formatText("%q", [operandOf(found)]);
        return failure(
          `${name}: not a map: ${quote(i === 0 ? path : rest)}: ${quote(part)} already has value ${shown}`,
        );
      }
      const inner = found instanceof Map ? (found as Map<string, TemplateValue>) : new Map<string, TemplateValue>();
      map.set(part, inner);
      made.add(inner);
      map = inner;
    }
    const last = parts.at(-1)!;
    if (last !== "") map.set(last, value);
  }
  return answer(root);
}

const deepest = 500;

function merging(name: string, choose: (given: TemplateValue, added: TemplateValue) => TemplateValue) {
  return defineFunction({
    parameters: ["any", "any"],
    call: ([given, added]) => {
      if (!isMap(given!)) return wrongType(name, given!);
      return isMap(added!) ? answer(merged(given!, added!, choose, 0)) : wrongType(name, added!);
    },
  });
}

/** Maps in both are merged; of all else, one is chosen. */
function merged(
  given: TemplateValue,
  added: TemplateValue,
  choose: (given: TemplateValue, added: TemplateValue) => TemplateValue,
  depth: number,
): TemplateValue {
  if (!isMap(given) || !isMap(added) || depth > deepest) return choose(given, added);
  const result = new Map<string, TemplateValue>();
  for (const [key, value] of sortedEntries(given)) result.set(String(key), value);
  for (const [key, value] of sortedEntries(added)) {
    const earlier = result.get(String(key));
    result.set(String(key), earlier === undefined ? value : merged(earlier, value, choose, depth + 1));
  }
  return result;
}
