import { messageOf } from "@millwright/core/errors";
import { fromPlain } from "@millwright/value/json";
import { formatPath } from "@millwright/value/path";
import { parsePlain } from "@millwright/value/plain-json";
import { hasDynamic } from "@millwright/value/types";
import type { Value } from "@millwright/value/value";
import { impliedType } from "./implied-type.ts";
import type { AttributeSchema, BlockSchema, NestedBlockSchema } from "./schema.ts";

/**
 * A JSON object as upgrade functions see it. A value of type `dynamic` is `{ value, type }`, and a number that JavaScript
 * cannot hold is an opaque object, to be passed on as it is.
 */
export type JsonObject = { readonly [name: string]: JsonValue };
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;

/** A state that was read, or why it could not be, as a sentence. */
export type StateFromJson =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly message: string };

/**
 * Reads the attributes that a state file holds, after `change` has brought them to the block's version. Attributes that the
 * schema does not have any more are left out, ones that are missing are null, missing blocks empty.
 */
export async function stateFromJson(
  text: string,
  block: BlockSchema,
  change: (old: JsonObject) => JsonObject | Promise<JsonObject>,
): Promise<StateFromJson> {
  let plain: unknown;
  try {
    plain = parsePlain(text);
  } catch (error) {
    return { ok: false, message: `The state is no JSON: ${messageOf(error)}.` };
  }
  if (!isRecord(plain)) return { ok: false, message: "The state is no JSON object." };
  const decoded = fromPlain(fitted(await change(plain), block), impliedType(block));
  if (decoded.ok) return decoded;
  return {
    ok: false,
    message: `The state does not fit the schema${decoded.path.length > 0 ? ` at ${formatPath(decoded.path)}` : ""}: ${decoded.message}.`,
  };
}

/** The object with exactly the names of the block; anything that is of another shape is left for decoding to refuse. */
function fitted(plain: unknown, block: BlockSchema): unknown {
  if (!isRecord(plain)) return plain;
  const record: Record<string, unknown> = {};
  for (const [name, attribute] of block.attributes) record[name] = fittedAttribute(plain[name] ?? null, attribute);
  for (const [name, nested] of block.blocks) record[name] = fittedBlocks(plain[name] ?? null, nested);
  return record;
}

function fittedAttribute(plain: unknown, { nested }: AttributeSchema): unknown {
  if (!nested || plain === null) return plain;
  const block = { attributes: nested.attributes, blocks: new Map<string, NestedBlockSchema>() };
  return each(plain, nested.nesting, (object) => fitted(object, block));
}

function fittedBlocks(plain: unknown, { nesting, block }: NestedBlockSchema): unknown {
  // Blocks of differing types come with their type, and are read by that.
  const areDynamic = (nesting === "list" || nesting === "map") && hasDynamic(impliedType(block));
  if (plain !== null) return areDynamic ? plain : each(plain, nesting, (object) => fitted(object, block));
  switch (nesting) {
    case "single":
      return null;
    case "group":
      return fitted({}, block);
    case "map":
      return areDynamic ? { value: {}, type: ["object", {}] } : {};
    case "list":
      return areDynamic ? { value: [], type: ["tuple", []] } : [];
    case "set":
      return [];
  }
}

function each(plain: unknown, nesting: NestedBlockSchema["nesting"], change: (object: unknown) => unknown): unknown {
  if (nesting === "single" || nesting === "group") return change(plain);
  if (nesting === "map")
    return isRecord(plain) ? Object.fromEntries(Object.entries(plain).map(([key, v]) => [key, change(v)])) : plain;
  return Array.isArray(plain) ? plain.map(change) : plain;
}

function isRecord(plain: unknown): plain is JsonObject {
  return typeof plain === "object" && plain !== null && !Array.isArray(plain);
}
