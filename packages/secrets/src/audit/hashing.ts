import { createHmac } from "node:crypto";
import { keyObject } from "../key-object.ts";

/** How a device writes what may be secret. */
export interface HashingOptions {
  /** Of the device alone. */
  readonly salt: Uint8Array;
  /** Writes everything as it is. */
  readonly isRaw: boolean;
  readonly hashesAccessors: boolean;
}

/** `hmac-sha256:HEX`: shows whether two entries are about the same text, and lets whoever knows the text find it. */
export function hashText(salt: Uint8Array, text: string): string {
  return `hmac-sha256:${createHmac("sha256", keyObject(salt)).update(text).digest("hex")}`;
}

/** JSON whose texts are all hashed; names of fields, numbers and booleans stay, and the texts under `plainKeys`. */
export function hashData(
  options: HashingOptions,
  data: Readonly<Record<string, unknown>>,
  plainKeys: readonly string[] = [],
): Readonly<Record<string, unknown>> {
  if (options.isRaw) return data;
  return Object.fromEntries(
    Object.entries(data).map(([name, value]) => [name, plainKeys.includes(name) ? value : hashValue(options, value)]),
  );
}

function hashValue(options: HashingOptions, value: unknown): unknown {
  if (typeof value === "string") return hashText(options.salt, value);
  if (Array.isArray(value)) return value.map((item) => hashValue(options, item));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, hashValue(options, item)]));
}
