import type { Value } from "@millwright/value/value";
import type { BlockSchema } from "./schema.ts";

/** A JSON object as upgrade functions see it. */
export type JsonObject = { readonly [name: string]: JsonValue };
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;

export function stateFromJson(
  _json: string,
  _block: BlockSchema,
  _change: (old: JsonObject) => JsonObject,
): { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly message: string } {
  return { ok: false, message: "not yet" };
}
