import { parseDuration, toMilliseconds } from "@millwright/text/duration";
import { BigFloat } from "@millwright/value/number";
import { Unknown } from "@millwright/value/unknown";
import type { Value } from "@millwright/value/value";
import { parseSignal } from "./signal-name.ts";
import type { SettingKind } from "./settings.ts";

/** A setting's value, or what was expected of it (`a duration, such as 30s`). */
export type SettingResult =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly expected: string };

/** Reads a plain value of a file, or the text of a flag, as a setting of that kind. */
export function readSetting(kind: Exclude<SettingKind, "ignored">, plain: unknown): SettingResult {
  const value = readers[kind](plain);
  return value === undefined ? { ok: false, expected: expected[kind] } : { ok: true, value };
}

const expected = {
  text: "a text",
  bool: "true or false",
  whole: "a whole number",
  number: "a number",
  duration: 'a duration with its unit, such as "30s" or "5m"',
  texts: "a list of texts",
  command: 'a command line, or a list of a program and its arguments: ["nginx", "-s", "reload"]',
  signal: "the name of a signal, such as SIGHUP",
  mode: "the mode of a file, such as 0644",
} as const;

const readers: Readonly<Record<Exclude<SettingKind, "ignored">, (plain: unknown) => unknown>> = {
  text: (plain) => (typeof plain === "number" || typeof plain === "boolean" ? String(plain) : textOf(plain)),
  bool: (plain) => (typeof plain === "boolean" ? plain : { true: true, false: false }[textOf(plain) ?? ""]),
  whole: (plain) => (Number.isSafeInteger(numberOf(plain)) ? numberOf(plain) : undefined),
  number: numberOf,
  duration: (plain) => durationOf(textOf(plain)),
  texts: (plain) => textsOf(plain) ?? (textOf(plain) === undefined ? undefined : [plain]),
  command: (plain) => {
    const list = textsOf(plain);
    return list ? (list.length > 0 ? list : undefined) : textOf(plain);
  },
  signal: (plain) => (plain === "" ? null : parseSignal(textOf(plain) ?? " ")),
  mode: (plain) => {
    // The file's number has lost its leading zero, which said that it is octal: HCL 1 has read it as such.
    if (typeof plain === "number") return plain;
    return /^0?[0-7]{3,4}$/.test(textOf(plain) ?? "") ? Number.parseInt(String(plain), 8) : undefined;
  },
};

/** A text in place of a block. */
export interface Shorthand {
  readonly expected: string;
  read(text: string): Readonly<Record<string, unknown>> | undefined;
}

export const shorthands: ReadonlyMap<string, Shorthand> = new Map([
  ["consul", { expected: "the address of a server, or a block", read: (address) => ({ address }) }],
  ["auth", { expected: 'written "user:password", or a block', read: readAuth }],
  ["wait", { expected: 'written "5s:10s" (the least and the most to wait), or a block', read: readWait }],
]);

export function readAuth(text: string): { enabled: boolean; username: string; password: string } | undefined {
  const colon = text.indexOf(":");
  if (text === "") return undefined;
  const [username, password] = colon < 0 ? [text, ""] : [text.slice(0, colon), text.slice(colon + 1)];
  return { enabled: true, username, password };
}

/** `MIN` or `MIN:MAX`; four times the least is the most by default. */
export function readWait(text: string): { enabled: boolean; min: number; max: number } | undefined {
  const [least = "", most] = text.split(":");
  const min = durationOf(least);
  const max = most === undefined || most === "" ? min && min * 4 : durationOf(most);
  if (min === undefined || max === undefined || max < min || text.split(":").length > 2) return undefined;
  return { enabled: true, min, max };
}

/** A value as plain data. */
export function plainOf(value: Value): unknown {
  const { data } = value;
  if (data instanceof Unknown || data === null) return undefined;
  if (typeof data === "string" || typeof data === "boolean") return data;
  if (Array.isArray(data)) return data.map((part) => plainOf(part as Value));
  if (data instanceof Map) return Object.fromEntries([...data].map(([key, part]) => [key, plainOf(part as Value)]));
  return data instanceof BigFloat ? data.toNumber() : undefined;
}

function textOf(plain: unknown): string | undefined {
  return typeof plain === "string" ? plain : undefined;
}

function textsOf(plain: unknown): readonly string[] | undefined {
  return Array.isArray(plain) && plain.every((one) => typeof one === "string") ? plain : undefined;
}

function numberOf(plain: unknown): number | undefined {
  const number = typeof plain === "string" && plain.trim() !== "" ? Number(plain) : plain;
  return typeof number === "number" && Number.isFinite(number) ? number : undefined;
}

function durationOf(text: string | undefined): number | undefined {
  const parsed = parseDuration(text ?? "");
  if (!parsed.ok) return undefined;
  const milliseconds = toMilliseconds(parsed.duration);
  return milliseconds >= 0 ? milliseconds : undefined;
}
