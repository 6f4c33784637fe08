import { OperationalError } from "@millwright/core/errors";
import { discoveryErrors } from "./errors.ts";
import { parseJson, readWire } from "./json-body.ts";
import { largestValue } from "./kv-routes.ts";
import { badRequest } from "./parameters.ts";
import { parseCatalogOperation } from "./txn-catalog-wire.ts";
import type { TxnOperation } from "./txn.ts";

/** An operation as it was sent, or why this one cannot be carried out. */
export type ParsedOperation = TxnOperation | { readonly verb: "refused"; readonly what: string };

const complaint = "Failed to parse body";

const mostOperations = 128;

/** Reads the body of `PUT /v1/txn`; names may be in CamelCase or snake_case. Throws `badRequest`, `tooLarge`, `notThereYet`. */
export function parseOperations(body: Uint8Array): readonly ParsedOperation[] {
  const list = parseJson(body, complaint);
  if (!Array.isArray(list)) throw badRequest("Failed to parse body: expected a list of operations");
  if (list.length > mostOperations) {
    const text = `Transaction contains too many operations (${list.length} > ${mostOperations})`;
    throw new OperationalError(discoveryErrors.tooLarge, text);
  }
  return list.map(parseOperation);
}

function parseOperation(wire: unknown, i: number): ParsedOperation {
  const kinds = fieldsOf(wire, `operation ${i}`);
  for (const on of ["node", "service", "check"] as const) {
    const wire = kinds.get(on);
    if (wire) return readWire(complaint, () => parseCatalogOperation(on, wire));
  }
  if (kinds.get("session")) {
    const text = `operation ${i}: transactions do not end sessions; use PUT /v1/session/destroy`;
    throw new OperationalError(discoveryErrors.notThereYet, text);
  }
  if (!kinds.get("kv")) throw badRequest(`Failed to parse body: operation ${i} has no KV, Node, Service or Check`);
  const fields = fieldsOf(kinds.get("kv"), `operation ${i}`);
  const key = textOf(fields.get("key"), `operation ${i}: Key`);
  const verb = textOf(fields.get("verb"), `operation ${i}: Verb`);
  switch (verb) {
    case "set":
      return { verb, key, ...recordOf(fields, key) };
    case "cas":
      return { verb, key, ...recordOf(fields, key), index: indexOf(fields) };
    case "check-index":
    case "delete-cas":
      return { verb, key, index: indexOf(fields) };
    case "get":
    case "get-or-empty":
    case "get-tree":
    case "check-not-exists":
    case "delete":
    case "delete-tree":
      return { verb, key };
    case "lock":
    case "unlock":
      return { verb, key, ...recordOf(fields, key), session: sessionOf(fields) };
    case "check-session":
      return { verb, key, session: sessionOf(fields) };
    default:
      return { verb: "refused", what: `unknown KV verb ${JSON.stringify(verb)}` };
  }
}

function recordOf(fields: ReadonlyMap<string, unknown>, key: string): { value: Uint8Array; flags: bigint } {
  const text = textOf(fields.get("value") ?? "", "Value");
  if (!/^[A-Za-z0-9+/\r\n]*={0,2}[\r\n]*$/.test(text))
    throw badRequest("Failed to parse body: failed to decode value: it is no base 64");
  const value = Buffer.from(text, "base64");
  if (value.byteLength > largestValue) {
    const message = `Value for key ${JSON.stringify(key)} is too large (${value.byteLength} > ${largestValue} bytes)`;
    throw new OperationalError(discoveryErrors.tooLarge, message);
  }
  return { value, flags: numberOf(fields.get("flags") ?? 0, "Flags") };
}

function sessionOf(fields: ReadonlyMap<string, unknown>): string {
  return textOf(fields.get("session"), "Session");
}

// One above 2^53 is above every index there is, and may lose its last digits.
function indexOf(fields: ReadonlyMap<string, unknown>): number {
  return Number(numberOf(fields.get("index") ?? 0, "Index"));
}

function fieldsOf(wire: unknown, what: string): Map<string, unknown> {
  if (typeof wire !== "object" || wire === null || Array.isArray(wire)) {
    throw badRequest(`Failed to parse body: ${what} is no object`);
  }
  return new Map(Object.entries(wire).map(([name, value]) => [name.replaceAll("_", "").toLowerCase(), value]));
}

function textOf(value: unknown, what: string): string {
  if (typeof value === "string") return value;
  if (value === undefined || value === null) return "";
  throw badRequest(`Failed to parse body: ${what} is no text`);
}

function numberOf(value: unknown, what: string): bigint {
  if (typeof value === "bigint" && value < 1n << 64n) return value;
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return BigInt(value);
  throw badRequest(`Failed to parse body: ${what} is no whole number from 0 to 18446744073709551615`);
}
