import { invariant } from "@millwright/core/errors";

/**
 * Where the discovery server keeps what, in its store. All state lives under the name of a *generation*; a restore writes
 * a new generation beside the old one and then switches in one commit, so that it is seen whole or not at all.
 *
 *     discovery/meta                          which generation holds, and the base of the public index
 *     discovery/low                           revision up to which tombstones have been swept
 *     discovery/restoring                     held by a liveness lease while a restore or a cleaning is under way
 *     discovery/g/GENERATION/kv/KEY           one key
 *     discovery/g/GENERATION/dead/…           tombstones
 */
export const layout = {
  root: "discovery/",
  meta: "discovery/meta",
  low: "discovery/low",
  restoring: "discovery/restoring",
  generations: "discovery/g/",
  generation: (generation: number) => `discovery/g/${generation}/`,
  kv: (generation: number, key: string) => `discovery/g/${generation}/kv/${key}`,
  dead: (generation: number, name: string) => `discovery/g/${generation}/dead/${name}`,
} as const;

/** What a store key under `discovery/` is about. */
export type Place =
  | { readonly kind: "meta" | "low" | "restoring" }
  | { readonly kind: "kv" | "dead"; readonly generation: number; readonly name: string }
  /** Of a later version of this program, or not ours. */
  | { readonly kind: "other" };

export function placeOf(storeKey: string): Place {
  if (storeKey === layout.meta) return { kind: "meta" };
  if (storeKey === layout.low) return { kind: "low" };
  if (storeKey === layout.restoring) return { kind: "restoring" };
  if (!storeKey.startsWith(layout.generations)) return { kind: "other" };
  const numberEnd = storeKey.indexOf("/", layout.generations.length);
  const tableEnd = storeKey.indexOf("/", numberEnd + 1);
  if (numberEnd < 0 || tableEnd < 0) return { kind: "other" };
  const kind = storeKey.slice(numberEnd + 1, tableEnd);
  if (kind !== "kv" && kind !== "dead") return { kind: "other" };
  const generation = Number(storeKey.slice(layout.generations.length, numberEnd));
  return { kind, generation, name: storeKey.slice(tableEnd + 1) };
}

/** The base of the first generation: keeps every public index above 1, which clients take for "nothing known yet". */
export const firstBase = 10;

/** The value of `discovery/meta`. The public index of a revision is `base + revision`. */
export interface Meta {
  readonly generation: number;
  readonly base: number;
}

export function encodeMeta(meta: Meta): Uint8Array {
  return Buffer.from(JSON.stringify({ format: 1, ...meta }));
}

export function decodeMeta(value: Uint8Array): Meta {
  const { format, generation, base } = JSON.parse(Buffer.from(value).toString()) as Record<string, unknown>;
  invariant(format === 1, `discovery/meta has format ${String(format)}; this version knows format 1`);
  invariant(Number.isSafeInteger(generation) && Number.isSafeInteger(base), "discovery/meta is damaged");
  return { generation: Number(generation), base: Number(base) };
}

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

/** A tombstone: which keys and which whole prefixes one commit deleted, and when, in milliseconds since 1970. */
export interface Tombstone {
  readonly at: number;
  readonly keys: readonly string[];
  readonly prefixes: readonly string[];
}

export function encodeTombstone(tombstone: Tombstone): Uint8Array {
  return Buffer.from(JSON.stringify(tombstone));
}

export function decodeTombstone(value: Uint8Array): Tombstone {
  return JSON.parse(Buffer.from(value).toString()) as Tombstone;
}
