import { badAnswer } from "./consul-api.ts";

/**
 * One JSON object of an answer, read field by field. A field that is absent or null reads as empty, as Consul's own client
 * takes it; one of another type is a broken answer, and throws `badAnswer`.
 */
export class WireObject {
  readonly #fields: Readonly<Record<string, unknown>>;
  readonly #what: string;

  /** `what` says what was asked for, for messages. */
  constructor(wire: unknown, what: string) {
    if (typeof wire !== "object" || wire === null || Array.isArray(wire)) throw badAnswer(what, "it is no JSON object");
    this.#fields = wire as Readonly<Record<string, unknown>>;
    this.#what = what;
  }

  text(name: string): string {
    const value = this.#fields[name] ?? "";
    if (typeof value !== "string") throw this.#broken(name, "no text");
    return value;
  }

  number(name: string): number {
    const value = this.#fields[name] ?? 0;
    if (typeof value !== "number" && typeof value !== "bigint") throw this.#broken(name, "no number");
    return Number(value);
  }

  flag(name: string): boolean {
    const value = this.#fields[name] ?? false;
    if (typeof value !== "boolean") throw this.#broken(name, "neither true nor false");
    return value;
  }

  texts(name: string): readonly string[] {
    return textsOf(this.#fields[name], `${this.#what}: ${name}`);
  }

  /** A map of texts. */
  map(name: string): Readonly<Record<string, string>> {
    const entries = Object.entries(this.#fields[name] ?? {});
    if (!entries.every(([, value]) => typeof value === "string")) throw this.#broken(name, "no map of texts");
    return Object.fromEntries(entries) as Record<string, string>;
  }

  object(name: string): WireObject {
    return new WireObject(this.#fields[name] ?? {}, `${this.#what}: ${name}`);
  }

  /** A field whose absence means something; undefined where it is absent or null. */
  optional(name: string): unknown {
    return this.#fields[name] ?? undefined;
  }

  objects(name: string): readonly WireObject[] {
    return wireObjects(this.#fields[name], `${this.#what}: ${name}`);
  }

  #broken(name: string, how: string) {
    return badAnswer(this.#what, `its ${name} is ${how}`);
  }
}

/** A list of objects; null is an empty one. Throws `badAnswer`. */
export function wireObjects(wire: unknown, what: string): readonly WireObject[] {
  if (wire === null || wire === undefined) return [];
  if (!Array.isArray(wire)) throw badAnswer(what, "it is no list");
  return wire.map((item) => new WireObject(item, what));
}

/** A list of texts; null is an empty one. Throws `badAnswer`. */
export function textsOf(wire: unknown, what: string): readonly string[] {
  if (wire === null || wire === undefined) return [];
  if (!Array.isArray(wire) || !wire.every((item) => typeof item === "string"))
    throw badAnswer(what, "it is no list of texts");
  return wire;
}

/** An object whose values have one form each, e.g. services by id. Throws `badAnswer`. */
export function wireEntries(wire: unknown, what: string): readonly (readonly [string, unknown])[] {
  if (wire === null || wire === undefined) return [];
  if (typeof wire !== "object" || Array.isArray(wire)) throw badAnswer(what, "it is no JSON object");
  return Object.entries(wire);
}
