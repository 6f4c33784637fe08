import { clientErrors } from "@millwright/clients/errors";
import type { VaultClient, VaultSecret } from "@millwright/clients/vault";
import { type VaultCallOptions, VaultRefusal } from "@millwright/clients/vault-api";
import { isKind, OperationalError } from "@millwright/core/errors";

type Data = Readonly<Record<string, unknown>>;

/** What is at a path; undefined where nothing is, or where nothing is mounted. */
export async function readIfThere(
  client: VaultClient,
  path: string,
  options: VaultCallOptions,
): Promise<VaultSecret | undefined> {
  try {
    return await client.read(path, options);
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

/** Deletes what is at a path. That it is gone already, with what it was mounted in, is no error. */
export async function deleteIfThere(client: VaultClient, path: string, options: VaultCallOptions): Promise<void> {
  try {
    await client.delete(path, options);
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}

/** Whether an error says that the object, or the mount that it was in, is not there. */
export function isGone(error: unknown): boolean {
  if (isKind(error, clientErrors.notFound)) return true;
  if (!(error instanceof OperationalError) || !(error.cause instanceof VaultRefusal)) return false;
  return error.cause.errors.some((text) => /no secret engine mount at/i.test(text));
}

export function textAt(data: Data, name: string): string {
  const value = data[name];
  return typeof value === "string" ? value : "";
}

/** A whole number; a text with a unit is a duration, and gives its seconds. */
export function numberAt(data: Data, name: string): number {
  const value = data[name];
  if (typeof value === "number" || typeof value === "bigint") return Number(value);
  return typeof value === "string" ? secondsOf(value) : 0;
}

export function boolAt(data: Data, name: string): boolean {
  return data[name] === true;
}

export function objectAt(data: Data, name: string): Data {
  const value = data[name];
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Data) : {};
}

export function textsAt(data: Data, name: string): readonly string[] {
  const value = data[name];
  return Array.isArray(value) ? value.map(String) : [];
}

/** As {@link textsAt}; where the server has none, what was there before, so that null and empty are one and the same. */
export function textsLike(data: Data, name: string, before: readonly string[] | null): readonly string[] | null {
  const found = textsAt(data, name);
  return found.length === 0 && (before === null || before.length === 0) ? before : found;
}

/** As {@link textsLike}, for a map of texts. */
export function mapLike(data: Data, name: string, before: TextMap | null): TextMap | null {
  const found = Object.entries(objectAt(data, name)).map(([key, value]) => [key, String(value)] as const);
  const isNone = found.length === 0 && (before === null || Object.keys(before).length === 0);
  return isNone ? before : Object.fromEntries(found);
}

export type TextMap = Readonly<Record<string, string>>;

// Go's form: 1h30m0s, with the units that seconds and what is above them have.
function secondsOf(text: string): number {
  const parts = text.matchAll(/(\d+(?:\.\d+)?)(h|m|s)/g);
  const sum = [...parts].reduce((total, [, n, unit]) => total + Number(n) * { h: 3600, m: 60, s: 1 }[unit as "s"], 0);
  return text.startsWith("-") ? -sum : sum;
}

/** The plan's value; where the configuration is silent and nothing but the form of emptiness differs, that of before. */
export function keepEmpty<T>(planned: T | null | undefined, before: T | null | undefined): T | null | undefined {
  return planned === null && before !== undefined && isEmpty(before) ? before : planned;
}

function isEmpty(value: unknown): boolean {
  if (value === null || value === "" || value === 0 || value === false) return true;
  return typeof value === "object" && Object.keys(value).length === 0;
}

/** A number; where the server has 0, what was there before, so that null and 0 are one and the same. */
export function numberLike(data: Data, name: string, before: number | null): number | null {
  return numberAt(data, name) || (before === null || before === 0 ? before : 0);
}

/** As {@link numberLike}, for true and false. */
export function boolLike(data: Data, name: string, before: boolean | null): boolean | null {
  return boolAt(data, name) || (before === null ? null : false);
}

/** As {@link numberLike}, for a text; `default` is the word of servers for one that nobody said. */
export function textLike(data: Data, name: string, before: string | null): string | null {
  const text = textAt(data, name);
  const isUnsaid = text === "" || text === "default";
  return isUnsaid && (before === null || before === "" || before === text) ? before : text;
}

/** A map of lists as a map of texts with commas, in the form that was there before where it says the same. */
export function listsLike(data: Data, name: string, before: TextMap | null): TextMap | null {
  const found = Object.entries(objectAt(data, name)).map(([key, value]) => {
    const values = Array.isArray(value) ? value.map(String) : [String(value)];
    const same = before?.[key]?.split(",").map((one) => one.trim());
    const isSame = same?.join(",") === values.join(",");
    return [key, isSame ? (before?.[key] ?? "") : values.join(",")] as const;
  });
  return found.length === 0 && (before === null || Object.keys(before).length === 0)
    ? before
    : Object.fromEntries(found);
}
