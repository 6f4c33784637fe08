/**
 * A tombstone: what one commit deleted or took out of a list, and when, in milliseconds since 1970. It keeps the index of
 * those lists from falling.
 */
export interface Tombstone {
  readonly at: number;
  /** Keys of the key-value store. */
  readonly keys: readonly string[];
  /** Prefixes of the key-value store that were deleted as a whole. */
  readonly prefixes: readonly string[];
  /** Of the other tables: what is no longer as it was (see `tables.ts`). */
  readonly topics?: readonly string[];
}

export function encodeTombstone(tombstone: Tombstone): Uint8Array {
  return Buffer.from(JSON.stringify(tombstone));
}

export function decodeTombstone(value: Uint8Array): Tombstone {
  return JSON.parse(Buffer.from(value).toString()) as Tombstone;
}
