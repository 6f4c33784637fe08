import { decodeJson } from "@millwright/value/json";
import { decodeMsgpack, encodeMsgpack } from "@millwright/value/msgpack";
import { formatPath } from "@millwright/value/path";
import type { Type } from "@millwright/value/types";
import type { Value } from "@millwright/value/value";
import { nullValue } from "@millwright/value/value";
import type { DynamicValueMessage } from "./common.ts";
import { MalformedMessage } from "./protobuf-reader.ts";

/** A value without marks on its way, by the type that both sides know of it. */
export function toDynamic(value: Value, type: Type): { readonly msgpack: Uint8Array } {
  return { msgpack: encodeMsgpack(value, type) };
}

/**
 * The value that came; null of that type where none did. Throws {@link MalformedMessage} where it is not of the type:
 * `what` says which value it is.
 */
export function fromDynamic(dynamic: DynamicValueMessage | undefined, type: Type, what: string): Value {
  if (!dynamic || (dynamic.msgpack.length === 0 && dynamic.json.length === 0)) return nullValue(type);
  const decoded = dynamic.msgpack.length > 0 ? decodeMsgpack(dynamic.msgpack, type) : decodeJson(dynamic.json, type);
  if (decoded.ok) return decoded.value;
  const at = decoded.path.length > 0 ? ` at ${formatPath(decoded.path)}` : "";
  throw new MalformedMessage(`${what} is not of its type${at}: ${decoded.message}`);
}
