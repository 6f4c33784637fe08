import { parseDuration, toMilliseconds } from "./duration.ts";

/** A mistake in a body that a client sent; the message is what it gets to read. */
export class WireMistake extends Error {
  override readonly name = "WireMistake";
}

/**
 * One JSON object as Go's servers read it, field by field: names are taken in CamelCase and in snake_case alike, whatever
 * their letters' case, and null is as absent. A field of another type throws {@link WireMistake}.
 */
export class WireFields {
  readonly #values = new Map<string, unknown>();
  readonly #names: readonly string[];
  readonly #what: string;

  /** `what` names the object in messages. */
  constructor(value: unknown, what: string) {
    this.#what = what;
    if (typeof value !== "object" || value === null || Array.isArray(value))
      throw new WireMistake(`${what} is no JSON object`);
    this.#names = Object.keys(value);
    for (const [name, field] of Object.entries(value)) if (field !== null) this.#values.set(plain(name), field);
  }

  /** A field, as it was spelt, that is none of those; undefined where there is none. */
  unknownOf(known: readonly string[]): string | undefined {
    const plainly = new Set(known.map(plain));
    return this.#names.find((name) => !plainly.has(plain(name)));
  }

  has(name: string): boolean {
    return this.#values.has(plain(name));
  }

  raw(name: string): unknown {
    return this.#values.get(plain(name));
  }

  text(name: string): string {
    const value = this.raw(name) ?? "";
    if (typeof value !== "string") throw this.#mistake(name, "no text");
    return value;
  }

  flag(name: string): boolean {
    const value = this.raw(name) ?? false;
    if (typeof value !== "boolean") throw this.#mistake(name, "neither true nor false");
    return value;
  }

  /** A whole number; `otherwise` where it is absent. */
  whole(name: string, otherwise = 0): number {
    const value = this.raw(name) ?? otherwise;
    if (typeof value !== "number" || !Number.isSafeInteger(value)) throw this.#mistake(name, "no whole number");
    return value;
  }

  /** A whole number from 0 to 2^64-1, which a reader that keeps large numbers gives as a bigint. */
  uint64(name: string): bigint {
    const value = this.raw(name) ?? 0;
    if (typeof value === "bigint" && value >= 0n && value < 1n << 64n) return value;
    if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return BigInt(value);
    throw this.#mistake(name, "no whole number from 0 to 18446744073709551615");
  }

  /** Milliseconds, from a text as `10s`, or from a number of nanoseconds; 0 where it is absent. */
  milliseconds(name: string): number {
    const value = this.raw(name) ?? 0;
    if (typeof value === "number") return value / 1_000_000;
    if (typeof value !== "string") throw this.#mistake(name, "no duration");
    if (value === "") return 0;
    const parsed = parseDuration(value);
    if (!parsed.ok) throw new WireMistake(`${this.#what}: Invalid ${name}: ${parsed.error}`);
    return toMilliseconds(parsed.duration);
  }

  texts(name: string): readonly string[] {
    const value = this.raw(name) ?? [];
    if (!Array.isArray(value) || !value.every((item) => typeof item === "string"))
      throw this.#mistake(name, "no list of texts");
    return value;
  }

  list(name: string): readonly unknown[] {
    const value = this.raw(name) ?? [];
    if (!Array.isArray(value)) throw this.#mistake(name, "no list");
    return value;
  }

  /** A map of texts. */
  map(name: string): Readonly<Record<string, string>> {
    const entries = this.entries(name);
    if (!entries.every(([, value]) => typeof value === "string")) throw this.#mistake(name, "no map of texts");
    return Object.fromEntries(entries) as Record<string, string>;
  }

  /** A map, its own names untouched. */
  entries(name: string): readonly (readonly [string, unknown])[] {
    const value = this.raw(name) ?? {};
    if (typeof value !== "object" || Array.isArray(value)) throw this.#mistake(name, "no map");
    return Object.entries(value as object);
  }

  #mistake(name: string, is: string): WireMistake {
    return new WireMistake(`${this.#what}: ${name} is ${is}`);
  }
}

function plain(name: string): string {
  return name.replaceAll("_", "").toLowerCase();
}
