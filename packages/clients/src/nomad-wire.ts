import { OperationalError } from "@millwright/core/errors";
import { clientErrors } from "./errors.ts";

/**
 * Reads one value of an answer; `what` says where it stands, for messages. What is absent or null reads as empty (`""`, 0,
 * false, `[]`, `{}`), as Nomad's own client takes it; a value of another type throws `badAnswer`.
 */
export type WireReader<T> = (wire: unknown, what: string) => T;

/** What a reader reads: the type of a record is taken from its table. */
export type WireOf<R> = R extends WireReader<infer T> ? T : never;

export const text: WireReader<string> = (wire, what) => {
  if (wire === undefined || wire === null) return "";
  if (typeof wire !== "string") throw broken(what, "text");
  return wire;
};

export const flag: WireReader<boolean> = (wire, what) => {
  if (wire === undefined || wire === null) return false;
  if (typeof wire !== "boolean") throw broken(what, "true or false");
  return wire;
};

/** A number that is exact below 2^53: counts, indexes, durations in nanoseconds. */
export const number: WireReader<number> = (wire, what) => {
  if (wire === undefined || wire === null) return 0;
  if (typeof wire !== "number" && typeof wire !== "bigint") throw broken(what, "a number");
  return Number(wire);
};

/** A moment in nanoseconds since 1970; 0 for none. */
export const nanoseconds: WireReader<bigint> = (wire, what) => {
  if (wire === undefined || wire === null) return 0n;
  if (typeof wire === "bigint") return wire;
  if (typeof wire !== "number" || !Number.isInteger(wire)) throw broken(what, "a whole number");
  return BigInt(wire);
};

/** Whatever it is, as it came; to be read by somebody else. */
export const anything: WireReader<unknown> = (wire) => wire ?? null;

/** An object in which everything is left as it came. */
export const object: WireReader<Readonly<Record<string, unknown>>> = (wire, what) => fieldsOf(wire, what);

/** One of some words. Absent is the first. */
export function oneOf<const W extends readonly [string, ...string[]]>(...words: W): WireReader<W[number]> {
  return (wire, what) => {
    const said = text(wire, what) || words[0];
    const word = words.find((one) => one === said);
    if (word === undefined) throw broken(what, `one of ${words.join(", ")}`);
    return word;
  };
}

/** An object with these fields; further ones are passed over. */
export function record<const F extends Readonly<Record<string, WireReader<unknown>>>>(
  fields: F,
): WireReader<{ readonly [K in keyof F]: WireOf<F[K]> }> {
  const entries = Object.entries(fields);
  return (wire, what) => {
    const given = fieldsOf(wire, what);
    const read = entries.map(([name, reader]) => [name, reader(given[name], `${what}: ${name}`)]);
    return Object.fromEntries(read) as { readonly [K in keyof F]: WireOf<F[K]> };
  };
}

export function listOf<T>(reader: WireReader<T>): WireReader<readonly T[]> {
  return (wire, what) => {
    if (wire === undefined || wire === null) return [];
    if (!Array.isArray(wire)) throw broken(what, "a list");
    return wire.map((item, i) => reader(item, `${what}[${i}]`));
  };
}

export const texts: WireReader<readonly string[]> = listOf(text);

/** An object whose values are all of one form, e.g. task states by the task's name. */
export function mapOf<T>(reader: WireReader<T>): WireReader<Readonly<Record<string, T>>> {
  return (wire, what) =>
    Object.fromEntries(
      Object.entries(fieldsOf(wire, what)).map(([name, value]) => [name, reader(value, `${what}: ${name}`)]),
    );
}

/** What may be absent in a way that says something: null then. */
export function nullable<T>(reader: WireReader<T>): WireReader<T | null> {
  return (wire, what) => (wire === undefined || wire === null ? null : reader(wire, what));
}

function fieldsOf(wire: unknown, what: string): Readonly<Record<string, unknown>> {
  if (wire === undefined || wire === null) return {};
  if (typeof wire !== "object" || Array.isArray(wire)) throw broken(what, "an object");
  return wire as Readonly<Record<string, unknown>>;
}

function broken(what: string, expected: string): OperationalError {
  const message = `${what} should be ${expected}, and the answer has something else there. Check that the address is that of a Nomad HTTP API.`;
  return new OperationalError(clientErrors.badAnswer, message);
}
