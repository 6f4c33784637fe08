import { OperationalError } from "@millwright/core/errors";
import { parseDuration, toMilliseconds } from "@millwright/text/duration";
import { secretsErrors } from "./errors.ts";

/**
 * The fields of a request's body, which come from outside and in the several forms that Vault's clients send: a number may be
 * text, a list may be one text with commas, a map may be a list of `key=value`. Each call gives undefined where the field is
 * not there (or null), and throws `badRequest` where it is of another form.
 */
export interface Fields {
  has(name: string): boolean;
  text(name: string): string | undefined;
  /** Trimmed, without empty ones. */
  texts(name: string): readonly string[] | undefined;
  boolean(name: string): boolean | undefined;
  integer(name: string): number | undefined;
  /** A length of time: whole seconds as a number or text, or `90s`, `1h30m`, `2d`. */
  seconds(name: string): number | undefined;
  /** Names with texts; other plain values as JSON writes them. */
  textMap(name: string): Readonly<Record<string, string>> | undefined;
  /** Names with values of any kind. */
  map(name: string): Readonly<Record<string, unknown>> | undefined;
}

export function fieldsOf(data: Readonly<Record<string, unknown>>): Fields {
  const read = <T>(name: string, expected: string, parse: (value: unknown) => T | undefined): T | undefined => {
    const value = Object.hasOwn(data, name) ? data[name] : undefined;
    if (value === undefined || value === null) return undefined;
    const parsed = parse(value);
    if (parsed === undefined) throw new OperationalError(secretsErrors.badRequest, `${name}: ${expected} is expected`);
    return parsed;
  };
  return {
    has: (name) => Object.hasOwn(data, name) && data[name] !== null && data[name] !== undefined,
    text: (name) => read(name, "a text", textOf),
    texts: (name) => read(name, "a list of texts", textsOf),
    boolean: (name) => read(name, "true or false", booleanOf),
    integer: (name) => read(name, "a whole number", integerOf),
    seconds: (name) => read(name, 'a length of time such as "90s" or "1h"', secondsOf),
    textMap: (name) => read(name, "an object of texts", textMapOf),
    map: (name) => read(name, "an object", mapOf),
  };
}

/** Some 292 years, as far as Go's durations go: a moment that far off is still one that can be written. */
const longestSeconds = 9_223_372_036;

/** Whole seconds of a length of time as it comes in a body or a policy; rounded up where there is a fraction. */
export function secondsOf(value: unknown): number | undefined {
  const seconds = readSeconds(value);
  return seconds !== undefined && Math.abs(seconds) <= longestSeconds ? seconds : undefined;
}

function readSeconds(value: unknown): number | undefined {
  const integer = integerOf(value);
  if (integer !== undefined) return integer;
  if (typeof value !== "string") return undefined;
  if (value === "") return 0;
  // Days are not Go's, but Vault takes them.
  const days = /^(\d+)d$/.exec(value);
  if (days) return Number(days[1]) * 86_400;
  const parsed = parseDuration(value);
  return parsed.ok ? Math.ceil(toMilliseconds(parsed.duration) / 1000) : undefined;
}

function textOf(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : undefined;
}

function textsOf(value: unknown): readonly string[] | undefined {
  const items =
    typeof value === "string" ? value.split(",") : Array.isArray(value) ? value.map(textOf) : [textOf(value)];
  if (!items.every((item) => item !== undefined)) return undefined;
  return items.map((item) => item.trim()).filter((item) => item !== "");
}

function booleanOf(value: unknown): boolean | undefined {
  if (typeof value === "boolean") return value;
  if (value === "true" || value === "1" || value === 1) return true;
  return value === "false" || value === "0" || value === 0 || value === "" ? false : undefined;
}

function integerOf(value: unknown): number | undefined {
  const number = typeof value === "string" && /^-?\d{1,15}$/.test(value) ? Number(value) : value;
  return typeof number === "number" && Number.isSafeInteger(number) ? number : undefined;
}

function mapOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  if (typeof value === "string" && value.trim().startsWith("{")) return parsedMap(value);
  const pairs = textsOf(value);
  if (!pairs?.every((pair) => pair.includes("="))) return undefined;
  return Object.fromEntries(
    pairs.map((pair) => [pair.slice(0, pair.indexOf("=")).trim(), pair.slice(pair.indexOf("=") + 1).trim()]),
  );
}

function parsedMap(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return mapOf(JSON.parse(text));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function textMapOf(value: unknown): Readonly<Record<string, string>> | undefined {
  const map = mapOf(value);
  if (!map) return undefined;
  return Object.fromEntries(
    Object.entries(map).map(([key, item]) => [key, typeof item === "string" ? item : JSON.stringify(item)]),
  );
}
