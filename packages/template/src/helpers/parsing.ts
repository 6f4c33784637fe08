import { messageOf } from "@millwright/core/errors";
import { quote } from "@millwright/text/quote";
import { parse as parseYamlText } from "yaml";
import type { FunctionTable } from "../function.ts";
import { answer, failure } from "../function.ts";
import { readFloat } from "../number-literal.ts";
import type { CallResult, IntegerType, MapKey, TemplateValue } from "../value.ts";
import { SizedInteger, TypedMap } from "../value.ts";
import { tryTexts } from "./arguments.ts";

/** Each takes an empty text as the zero of its type: before a key is there, its placeholder is such a text. */
export const parsingFunctions: FunctionTable = new Map([
  ["parseBool", tryTexts(1, (s) => parseBool(s!))],
  ["parseFloat", tryTexts(1, (s) => parseFloat64(s!))],
  ["parseInt", tryTexts(1, (s) => parseInteger("parseInt", s!))],
  ["parseJSON", tryTexts(1, (s) => parseJson(s!))],
  ["parseUint", tryTexts(1, (s) => parseInteger("parseUint", s!))],
  ["parseYAML", tryTexts(1, (s) => parseYaml(s!))],
]);

const integerRules: Readonly<Record<"parseInt" | "parseUint", { go: string; type: IntegerType; form: RegExp }>> = {
  parseInt: { go: "strconv.ParseInt", type: "int64", form: /^[+-]?[0-9]+$/ },
  parseUint: { go: "strconv.ParseUint", type: "uint64", form: /^[0-9]+$/ },
};

/** Go's number of a decimal text, or its complaint. */
export function parseInteger(name: "parseInt" | "parseUint", s: string): CallResult {
  const { go, type, form } = integerRules[name];
  if (s === "") return answer(new SizedInteger(0n, type));
  const complaint = `${name}: ${go}: parsing ${quote(s)}`;
  if (!form.test(s)) return failure(`${complaint}: invalid syntax`);
  const value = BigInt(s.replace(/^\+/, ""));
  const isInRange = type === "int64" ? BigInt.asIntN(64, value) === value : BigInt.asUintN(64, value) === value;
  return isInRange ? answer(new SizedInteger(value, type)) : failure(`${complaint}: value out of range`);
}

function parseBool(s: string): CallResult {
  if (/^(?:|0|f|F|FALSE|false|False)$/.test(s)) return answer(false);
  if (/^(?:1|t|T|TRUE|true|True)$/.test(s)) return answer(true);
  return failure(`parseBool: strconv.ParseBool: parsing ${quote(s)}: invalid syntax`);
}

function parseFloat64(s: string): CallResult {
  if (s === "") return answer(0);
  if (/^[+-]?(?:inf|infinity)$/i.test(s)) {
    return answer(s.startsWith("-") ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY);
  }
  if (/^nan$/i.test(s)) return answer(Number.NaN);
  const complaint = `parseFloat: strconv.ParseFloat: parsing ${quote(s)}`;
  const value = readFloat(s);
  if (value === undefined) return failure(`${complaint}: invalid syntax`);
  return Number.isFinite(value) ? answer(value) : failure(`${complaint}: value out of range`);
}

function parseJson(s: string): CallResult {
  if (s === "") return answer({});
  try {
    return answer(JSON.parse(s) as TemplateValue);
  } catch (error) {
    if (error instanceof SyntaxError) return failure(`the text is no JSON: ${error.message}`);
    throw error;
  }
}

/** Of the functions that read YAML: more aliases than this are taken as an attempt to make the text grow without end. */
const mostAliases = 100;

function parseYaml(s: string): CallResult {
  if (s === "") return answer({});
  try {
    const parsed: unknown = parseYamlText(s, {
      version: "1.1",
      intAsBigInt: true,
      mapAsMap: true,
      maxAliasCount: mostAliases,
      logLevel: "error",
      // Go gives times, of day too, as the text they were written as.
      customTags: (tags) => tags.filter((tag) => typeof tag === "string" || !isTimeTag(tag)),
    });
    return answer(fromYaml(parsed));
  } catch (error) {
    // The library has no other way to say it: neither a fault in the text nor one that is too deep for the stack.
    return failure(`the text is no YAML: ${messageOf(error).split("\n")[0]}`);
  }
}

function isTimeTag(tag: { readonly tag: string; readonly format?: string }): boolean {
  return tag.tag.endsWith(":timestamp") || tag.format === "TIME";
}

function fromYaml(value: unknown): TemplateValue {
  if (Array.isArray(value)) return value.map(fromYaml);
  if (value instanceof Map) {
    const entries = new Map([...value].map(([key, element]) => [keyOf(key), fromYaml(element)] as const));
    return new TypedMap(entries, "map[interface {}]interface {}", null);
  }
  if (value instanceof Uint8Array) return Buffer.from(value).toString();
  if (value instanceof Set) return fromYaml(new Map([...value].map((key) => [key, null])));
  return (value ?? null) as TemplateValue;
}

function keyOf(key: unknown): MapKey {
  return typeof key === "bigint" || typeof key === "number" || typeof key === "boolean" ? key : String(key);
}
