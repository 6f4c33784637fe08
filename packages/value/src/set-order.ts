import type { BigFloat } from "./number.ts";
import { compareKeys } from "./types.ts";
import { Unknown } from "./unknown.ts";
import type { Value } from "./value.ts";

/**
 * Orders two elements of one set the way go-cty goes through sets: negative, zero or positive.
 *
 * Known before unknown before null; strings by their bytes, numbers by size, false before true. Everything else is
 * ordered by {@link sortKey}. Zero says only that neither comes first; whether two elements are one and the same is for
 * `sameSetElement` to say.
 */
export function compareSetElements(a: Value, b: Value): number {
  const rank = rankOf(a) - rankOf(b);
  if (rank !== 0 || rankOf(a) !== 0) return rank;
  switch (a.type.kind) {
    case "string":
      return compareKeys(a.data as string, b.data as string);
    case "number":
      return compareNumbers(a.data as BigFloat, b.data as BigFloat);
    case "bool":
      return Number(a.data) - Number(b.data);
    default:
      return compareKeys(sortKey(a), sortKey(b));
  }
}

/** The elements in set order. Those that neither come first keep the order they have. */
export function sortSetElements(elements: readonly Value[]): Value[] {
  const kind = elements[0]?.type.kind;
  if (kind === "string" || kind === "number" || kind === "bool" || kind === "dynamic") {
    return [...elements].sort(compareSetElements);
  }
  const keyed = elements.map((v) => ({ v, rank: rankOf(v), key: rankOf(v) === 0 ? sortKey(v) : "" }));
  keyed.sort((a, b) => a.rank - b.rank || compareKeys(a.key, b.key));
  return keyed.map((k) => k.v);
}

// To a set, negative zero is an element of its own.
function compareNumbers(a: BigFloat, b: BigFloat): number {
  return a.compare(b) || Number(b.isNegative) - Number(a.isNegative);
}

function rankOf({ data }: Value): number {
  return data === null ? 2 : data instanceof Unknown ? 1 : 0;
}

/**
 * The text that orders compound elements (the bytes that go-cty hashes set elements by): the values without the names,
 * numbers at ten digits. So two different elements may have one key.
 */
export function sortKey(value: Value): string {
  const parts: string[] = [];
  appendKey(value, parts);
  return parts.join("");
}

function appendKey(value: Value, parts: string[]): void {
  const { data, type } = value;
  if (data === null || data instanceof Unknown) {
    parts.push(data === null ? "~" : "?");
    return;
  }
  switch (type.kind) {
    case "string":
      parts.push(quoted(data as string));
      return;
    case "number":
      parts.push((data as BigFloat).toRoundedText(10));
      return;
    case "bool":
      parts.push(data ? "T" : "F");
      return;
    case "list":
    case "set":
      return appendAll(data as readonly Value[], "[", "]", parts);
    case "tuple":
      return appendAll(data as readonly Value[], "<", ">", parts);
    case "object":
      return appendAll((data as ReadonlyMap<string, Value>).values(), "<", ">", parts);
    case "map":
      parts.push("{");
      for (const [key, v] of data as ReadonlyMap<string, Value>) {
        parts.push(quoted(key), ":");
        appendKey(v, parts);
        parts.push(";");
      }
      parts.push("}");
      return;
    default:
      parts.push("«?»");
  }
}

function appendAll(elements: Iterable<Value>, open: string, close: string, parts: string[]): void {
  parts.push(open);
  for (const v of elements) {
    appendKey(v, parts);
    parts.push(";");
  }
  parts.push(close);
}

const plain = /^[ !#-[\]-~]*$/;
const special = /["\\]|[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu;
const shortEscapes: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\x07": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
};

/** A string between quotes, with what cannot be printed escaped: Go's `%q`. */
function quoted(text: string): string {
  return plain.test(text) ? `"${text}"` : `"${text.replace(special, escaped)}"`;
}

function escaped(character: string): string {
  const short = shortEscapes[character];
  if (short !== undefined) return short;
  const code = character.codePointAt(0)!;
  const hex = code.toString(16);
  if (code < 0x20 || code === 0x7f) return `\\x${hex.padStart(2, "0")}`;
  return code < 0x10000 ? `\\u${hex.padStart(4, "0")}` : `\\U${hex.padStart(8, "0")}`;
}
