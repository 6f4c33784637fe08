import { invariant } from "@millwright/core/errors";

/** What a key holds: the user's bytes and number. */
export interface KvRecord {
  readonly value: Uint8Array;
  /** Unsigned, 64 bits. */
  readonly flags: bigint;
}

const recordFormat = 1;
const recordHeader = 9;

/** One byte of format, eight of flags (big endian), the value. */
export function encodeRecord({ value, flags }: KvRecord): Uint8Array {
  const bytes = Buffer.allocUnsafe(recordHeader + value.byteLength);
  bytes[0] = recordFormat;
  bytes.writeBigUInt64BE(flags, 1);
  bytes.set(value, recordHeader);
  return bytes;
}

/** The value shares the memory of `bytes`. */
export function decodeRecord(bytes: Uint8Array): KvRecord {
  invariant(
    bytes[0] === recordFormat,
    `a key has record format ${bytes[0]}; this version knows format ${recordFormat}`,
  );
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { flags: view.readBigUInt64BE(1), value: view.subarray(recordHeader) };
}
