import { invariant } from "@millwright/core/errors";

/**
 * The few parts of DER that a certificate is written with; each gives the whole element: tag, length, content.
 * Source: ITU-T X.690, sections 8 and 10.
 */
export const der = {
  sequence: (...elements: readonly Uint8Array[]) => element(0x30, Buffer.concat(elements)),
  set: (...elements: readonly Uint8Array[]) => element(0x31, Buffer.concat(elements)),
  boolean: (value: boolean) => element(0x01, Uint8Array.of(value ? 0xff : 0x00)),
  /** A number that is not negative, as big-endian bytes. */
  integer: (magnitude: Uint8Array) => element(0x02, signed(magnitude)),
  octets: (content: Uint8Array) => element(0x04, content),
  /** Whole bytes, but for the last one's `unused` bits. */
  bits: (content: Uint8Array, unused = 0) => element(0x03, Buffer.concat([Uint8Array.of(unused), content])),
  /** In dotted notation. */
  identifier: (dotted: string) => element(0x06, arcs(dotted)),
  utf8: (text: string) => element(0x0c, Buffer.from(text, "utf8")),
  time,
  /** `[tag]` around whole elements. */
  explicit: (tag: number, content: Uint8Array) => element(0xa0 | tag, content),
  /** `[tag]` in place of a primitive element's own. */
  implicit: (tag: number, content: Uint8Array) => element(0x80 | tag, content),
};

function element(tag: number, content: Uint8Array): Uint8Array {
  return Buffer.concat([Uint8Array.of(tag), lengthOf(content), content]);
}

function lengthOf({ length }: Uint8Array): Uint8Array {
  if (length < 0x80) return Uint8Array.of(length);
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest >>>= 8) bytes.unshift(rest & 0xff);
  return Uint8Array.of(0x80 | bytes.length, ...bytes);
}

/** Two's complement in as few bytes as possible. */
function signed(magnitude: Uint8Array): Uint8Array {
  const first = magnitude.findIndex((byte) => byte !== 0);
  if (first < 0) return Uint8Array.of(0);
  const bytes = magnitude.subarray(first);
  return bytes[0]! < 0x80 ? bytes : Buffer.concat([Uint8Array.of(0), bytes]);
}

function arcs(dotted: string): Uint8Array {
  const [first, second, ...rest] = dotted.split(".").map(Number);
  invariant(first !== undefined && second !== undefined, "an object identifier has two arcs or more");
  return Uint8Array.from([first * 40 + second, ...rest].flatMap(base128));
}

function base128(arc: number): readonly number[] {
  const bytes = [arc & 0x7f];
  for (let rest = arc >>> 7; rest > 0; rest >>>= 7) bytes.unshift((rest & 0x7f) | 0x80);
  return bytes;
}

/** UTCTime until 2049 and GeneralizedTime from then on, as certificates must have them (RFC 5280, 4.1.2.5). */
function time(at: Date): Uint8Array {
  const digits = at
    .toISOString()
    .slice(0, 19)
    .replace(/[^0-9]/g, "");
  const short = at.getUTCFullYear() >= 1950 && at.getUTCFullYear() < 2050;
  return short ? element(0x17, Buffer.from(`${digits.slice(2)}Z`)) : element(0x18, Buffer.from(`${digits}Z`));
}
