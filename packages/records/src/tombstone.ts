/**
 * A tombstone: what one commit deleted or took out of a list, and when, in milliseconds since 1970. It keeps the index of
 * those lists from falling.
 */
export interface Tombstone {
  readonly at: number;
  /** Keys of the remembered table. */
  readonly keys: readonly string[];
  /** Prefixes of the remembered table that were deleted as a whole. */
  readonly prefixes: readonly string[];
  /** Of any table: the topics of what is no longer as it was. */
  readonly topics?: readonly string[];
}

export function encodeTombstone(tombstone: Tombstone): Uint8Array {
  return Buffer.from(JSON.stringify(tombstone));
}

export function decodeTombstone(value: Uint8Array): Tombstone {
  return JSON.parse(Buffer.from(value).toString()) as Tombstone;
}
