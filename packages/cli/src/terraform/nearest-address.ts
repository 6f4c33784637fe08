import { similar } from "@millwright/core/similar";

/**
 * "Did you mean …?", with the space before it, for an address that a state does not have: an instance of the resource that
 * was named without a key, or else the most similar. Nothing where none is near.
 */
export function didYouMeanAddress(given: string, known: readonly string[]): string {
  const near = known.find((address) => address.startsWith(`${given}[`)) ?? similar(given, known);
  return near === undefined ? "" : ` Did you mean ${near}?`;
}
