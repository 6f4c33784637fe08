import { OperationalError } from "@millwright/core/errors";
import { discoveryErrors } from "./errors.ts";

/** An unsigned 64-bit number in decimal, as `flags` has it. Throws `badRequest`. */
export function parseUint64(name: string, text: string): bigint {
  const value = /^\d{1,20}$/.test(text) ? BigInt(text) : undefined;
  if (value !== undefined && value < 1n << 64n) return value;
  throw badRequest(`Invalid ${name}: ${JSON.stringify(text)} is no whole number from 0 to 18446744073709551615`);
}

/** An index in a parameter. One above 2^53 is above every index there is, and may lose its last digits. */
export function parseCas(text: string): number {
  return Number(parseUint64("cas", text));
}

export function badRequest(message: string): OperationalError {
  return new OperationalError(discoveryErrors.badRequest, message);
}
