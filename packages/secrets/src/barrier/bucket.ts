import { invariant } from "@millwright/core/errors";

/**
 * Many paths in one record, so that neither a path's name nor how many there are can be seen in the store. A bucket holds
 * the paths whose keyed hash begins with its `bits` (`"01101000"`); where it grows too large it is split by the next bit.
 */
export interface Bucket {
  readonly bits: string;
  readonly entries: ReadonlyMap<string, BucketEntry>;
}

export interface BucketEntry {
  /** Random, of 48 bits, never 0: another with every write of the path. */
  readonly revision: number;
  /** Undefined where the value is large and has a record of its own. */
  readonly value: Uint8Array | undefined;
}

/** A value above this has a record of its own. */
export const largeValueBytes = 2 * 1024;
/** A bucket above this is split. */
export const bucketBytes = 4 * 1024;

const padding = 512;
const valuePadding = 4 * 1024;

/** The bytes a bucket's entries take. */
export function sizeOf(bucket: Bucket): number {
  let size = 2 + bucket.bits.length + 4;
  for (const [path, { value }] of bucket.entries) size += entrySize(path, value);
  return size;
}

/**
 * `length of bits (u8) bits, count (u32), then for each entry: length of path (u16) path revision (u48) kind (u8) length
 * of value (u32) value`, and zeros up to a multiple of 512 bytes.
 */
export function encodeBucket(bucket: Bucket): Uint8Array {
  const bytes = Buffer.alloc(padded(sizeOf(bucket), padding));
  let at = bytes.writeUInt8(1, 0);
  at = bytes.writeUInt8(bucket.bits.length, at);
  at += bytes.write(bucket.bits, at, "latin1");
  at = bytes.writeUInt32BE(bucket.entries.size, at);
  for (const [path, { revision, value }] of bucket.entries) {
    at = bytes.writeUInt16BE(Buffer.byteLength(path), at);
    at += bytes.write(path, at);
    at = bytes.writeUIntBE(revision, at, 6);
    at = bytes.writeUInt8(value ? 0 : 1, at);
    at = bytes.writeUInt32BE(value?.byteLength ?? 0, at);
    if (value) bytes.set(value, at);
    at += value?.byteLength ?? 0;
  }
  return bytes;
}

/** Values share the memory of `plain`. */
export function decodeBucket(plain: Uint8Array): Bucket {
  const bytes = Buffer.from(plain.buffer, plain.byteOffset, plain.byteLength);
  invariant(bytes[0] === 1, `a bucket has format ${bytes[0]}; this version knows format 1`);
  let at = 2 + bytes.readUInt8(1);
  const bits = bytes.toString("latin1", 2, at);
  const count = bytes.readUInt32BE(at);
  at += 4;
  const entries = new Map<string, BucketEntry>();
  for (let i = 0; i < count; i++) {
    const pathEnd = at + 2 + bytes.readUInt16BE(at);
    const path = bytes.toString("utf8", at + 2, pathEnd);
    const revision = bytes.readUIntBE(pathEnd, 6);
    const large = bytes.readUInt8(pathEnd + 6) === 1;
    const valueAt = pathEnd + 11;
    at = valueAt + bytes.readUInt32BE(pathEnd + 7);
    entries.set(path, { revision, value: large ? undefined : bytes.subarray(valueAt, at) });
  }
  return { bits, entries };
}

/** A large value: its length (u32), the value, zeros up to a multiple of 4 KiB. */
export function encodeLargeValue(value: Uint8Array): Uint8Array {
  const bytes = Buffer.alloc(padded(4 + value.byteLength, valuePadding));
  bytes.set(value, bytes.writeUInt32BE(value.byteLength, 0));
  return bytes;
}

export function decodeLargeValue(plain: Uint8Array): Uint8Array {
  const bytes = Buffer.from(plain.buffer, plain.byteOffset, plain.byteLength);
  return bytes.subarray(4, 4 + bytes.readUInt32BE(0));
}

function entrySize(path: string, value: Uint8Array | undefined): number {
  return 2 + Buffer.byteLength(path) + 6 + 1 + 4 + (value?.byteLength ?? 0);
}

function padded(size: number, step: number): number {
  return Math.ceil(size / step) * step;
}
