import type { BigFloat } from "@millwright/value/number";
import { negativeInfinity, parseBigFloat, positiveInfinity } from "@millwright/value/number";
import { convert } from "@millwright/value/convert";
import { dynamicType, stringType } from "@millwright/value/types";
import type { Value } from "@millwright/value/value";
import { boolValue, nullValue, numberValue, stringValue } from "@millwright/value/value";
import { formatRfc3339 } from "@millwright/text/time";
import { quote } from "@millwright/text/quote";
import { decodeBase64 } from "./base64.ts";
import { yamlTimestamp } from "./yaml-timestamp.ts";

/** A scalar as YAML's syntax gives it: text, tag (empty where there is none) and how it is written. */
export interface YamlScalar {
  readonly text: string;
  readonly tag: string;
  readonly style: "plain" | "quoted" | "block";
}

export type ResolvedScalar =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly error: string };

const prefix = "tag:yaml.org,2002:";
const resolvable = new Set(
  ["", "str", "bool", "int", "float", "null", "timestamp", "binary"].map((name) => name && prefix + name),
);

const words: ReadonlyMap<string, Value> = new Map([
  ...["y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"].map(
    (word) => [word, boolValue(true)] as const,
  ),
  ...["n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"].map(
    (word) => [word, boolValue(false)] as const,
  ),
  ...["", "~", "null", "Null", "NULL"].map((word) => [word, nullValue(dynamicType)] as const),
  ...[".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"].map((word) => [word, numberValue(positiveInfinity)] as const),
  ...["-.inf", "-.Inf", "-.INF"].map((word) => [word, numberValue(negativeInfinity)] as const),
]);

const integerForm = /^(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$/;
const floatForm = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;

/**
 * The value of a scalar by the rules of the reference (go-cty-yaml): the words of YAML 1.1 for true and false, the numbers
 * of YAML 1.2, dates as RFC 3339 timestamps, and text for the rest. A block is read by the same rules and then made text.
 */
export function resolveScalar(scalar: YamlScalar): ResolvedScalar {
  const resolved = resolve(scalar);
  if (!resolved.ok || scalar.tag !== "" || scalar.style === "plain") return resolved;
  const converted = convert(resolved.value, stringType);
  return converted.ok ? converted : { ok: false, error: converted.message };
}

function resolve({ text, tag, style }: YamlScalar): ResolvedScalar {
  if (!resolvable.has(tag)) return fail(`unsupported tag ${quote(tag)}`);
  const kind = tag.slice(tag === "" ? 0 : prefix.length);
  // Only text that begins like a number, a date or one of the words can be something else than text.
  const isSpecial = text === "" || /^[-+0-9.yYnNtTfFoO~]/.test(text);
  if (!isSpecial || kind === "str" || kind === "binary") return byTag(kind, text, tag);
  if (style === "quoted") return { ok: true, value: stringValue(text) };
  const word = words.get(text);
  if (word) return { ok: true, value: word };
  if (kind === "" && /^\.(?:nan|NaN|NAN)$/.test(text)) return fail("floating point NaN is not supported");
  if (text.startsWith(".")) {
    const number = parseBigFloat(text);
    if (number) return { ok: true, value: numberValue(number) };
  }
  if (/^[-+0-9]/.test(text)) {
    const timestamp = kind === "" || kind === "timestamp" ? yamlTimestamp(text) : undefined;
    if (timestamp) return { ok: true, value: stringValue(formatRfc3339(timestamp)) };
    if (integerForm.test(text)) return byTag("int", text, `${prefix}int`);
    if (floatForm.test(text)) return byTag("float", text, `${prefix}float`);
  }
  return byTag(kind, text, tag);
}

function byTag(kind: string, text: string, tag: string): ResolvedScalar {
  const cannot = `cannot parse ${quote(text)} as ${tag}`;
  switch (kind) {
    case "binary":
      return decodeBase64(text).ok ? { ok: true, value: stringValue(text) } : fail(`${cannot}: not valid base64`);
    case "int":
    case "float": {
      const number = parseNumber(text.replaceAll("_", ""));
      return number ? { ok: true, value: numberValue(number) } : fail(cannot);
    }
    case "null":
      return { ok: true, value: nullValue(dynamicType) };
    case "bool":
    case "timestamp":
      // What is a bool or a timestamp was found before.
      return fail(cannot);
    default:
      return { ok: true, value: stringValue(text) };
  }
}

const largest = 2n ** 64n;

function parseNumber(text: string): BigFloat | bigint | undefined {
  const decimal = parseBigFloat(text);
  if (decimal) return decimal;
  const [, sign, digits] = /^([-+]?)(0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+)$/.exec(text) ?? [];
  if (digits === undefined) return undefined;
  const value = BigInt(digits);
  if (value >= largest) return undefined;
  return sign === "-" ? -value : value;
}

function fail(error: string): ResolvedScalar {
  return { ok: false, error };
}
