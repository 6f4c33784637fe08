import { messageOf } from "@millwright/core/errors";
import { WireMistake } from "@millwright/text/wire-fields";
import { badRequest } from "./parameters.ts";

/** A body as JSON; whole numbers above 2^53 as bigint. Throws `badRequest` that begins with `complaint`. */
export function parseJson(body: Uint8Array, complaint: string): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body), keepLargeNumbers);
  } catch (error) {
    throw badRequest(`${complaint}: ${messageOf(error)}`);
  }
}

/** Reads what was sent; a mistake in it becomes `badRequest` that begins with `complaint`. */
export function readWire<T>(complaint: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof WireMistake)) throw error;
    throw badRequest(`${complaint}: ${error.message}`);
  }
}

function keepLargeNumbers(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
  const source = context?.source ?? "";
  return /^\d+$/.test(source) ? BigInt(source) : value;
}
