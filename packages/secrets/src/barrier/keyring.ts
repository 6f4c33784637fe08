import { createCipheriv, createDecipheriv, createHmac } from "node:crypto";
import { invariant, OperationalError } from "@millwright/core/errors";
import type { Chance } from "@millwright/core/ports";
import { secretsErrors } from "../errors.ts";
import { keyObject } from "../key-object.ts";

/** One encryption key. */
export interface KeyTerm {
  readonly term: number;
  readonly key: Uint8Array;
  /** Milliseconds since 1970. */
  readonly installed: number;
}

/**
 * The keys that everything is encrypted with, newest last: new records are written under the newest, old ones are read
 * under theirs. Immutable.
 */
export interface Keyring {
  readonly terms: readonly KeyTerm[];
  /** What places of paths are derived from; stays the same for ever. */
  readonly nameKey: Uint8Array;
}

export const keyBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;
const recordVersion = 1;
const headerBytes = 4 + 1 + nonceBytes;

export function newKeyring(chance: Chance, now: number): Keyring {
  return { terms: [{ term: 1, key: chance.bytes(keyBytes), installed: now }], nameKey: chance.bytes(keyBytes) };
}

/** The keyring with one more term. */
export function withNewTerm(keyring: Keyring, chance: Chance, now: number): Keyring {
  const term = newestTerm(keyring).term + 1;
  return { ...keyring, terms: [...keyring.terms, { term, key: chance.bytes(keyBytes), installed: now }] };
}

export function newestTerm(keyring: Keyring): KeyTerm {
  const newest = keyring.terms.at(-1);
  invariant(newest, "a keyring has a term");
  return newest;
}

/**
 * AES-256-GCM under the newest term: term (4 bytes, big endian), version (1), nonce (12, random), ciphertext and tag.
 * `place` is authenticated with it, so that a record moved elsewhere is no longer one.
 */
export function encryptRecord(keyring: Keyring, chance: Chance, place: string, plain: Uint8Array): Uint8Array {
  const { term, key } = newestTerm(keyring);
  const header = Buffer.alloc(headerBytes);
  header.writeUInt32BE(term, 0);
  header[4] = recordVersion;
  header.set(chance.bytes(nonceBytes), 5);
  return Buffer.concat([header, ...seal(key, header.subarray(5), place, plain)]);
}

/** The term a record was written under. */
export function termOf(record: Uint8Array): number {
  return record.byteLength < headerBytes ? 0 : view(record).readUInt32BE(0);
}

/** Rejects what was not written by {@link encryptRecord} at the same place, with `damaged`. */
export function decryptRecord(keyring: Keyring, place: string, record: Uint8Array): Uint8Array {
  const bytes = view(record);
  const term = keyring.terms.find(({ term }) => term === termOf(record));
  const plain =
    term && bytes[4] === recordVersion
      ? open(term.key, bytes.subarray(5, headerBytes), place, bytes.subarray(headerBytes))
      : undefined;
  if (plain) return plain;
  throw new OperationalError(
    secretsErrors.damaged,
    `The record ${place} of the store cannot be decrypted: it was damaged, changed or put there by somebody else. ` +
      "Put the store back from a copy.",
  );
}

/** One key under another (the root key under the unseal key, the keyring under the root key): nonce, ciphertext, tag. */
export function wrapKey(key: Uint8Array, chance: Chance, place: string, plain: Uint8Array): Uint8Array {
  const nonce = chance.bytes(nonceBytes);
  return Buffer.concat([nonce, ...seal(key, nonce, place, plain)]);
}

/** The inverse of {@link wrapKey}; nothing where the key is not the right one. */
export function unwrapKey(key: Uint8Array, place: string, wrapped: Uint8Array): Uint8Array | undefined {
  if (key.byteLength !== keyBytes) return undefined;
  return open(key, wrapped.subarray(0, nonceBytes), place, wrapped.subarray(nonceBytes));
}

/** A keyed hash, 32 bytes. */
export function keyedHash(keyring: Keyring, purpose: "path" | "bucket" | "value", text: string): Buffer {
  return createHmac("sha256", keyObject(keyring.nameKey)).update(`${purpose}\0${text}`).digest();
}

export function encodeKeyring(keyring: Keyring): Uint8Array {
  const terms = keyring.terms.map(({ key, ...rest }) => ({ ...rest, key: base64(key) }));
  return Buffer.from(JSON.stringify({ format: 1, nameKey: base64(keyring.nameKey), terms }));
}

export function decodeKeyring(bytes: Uint8Array): Keyring {
  const { format, nameKey, terms } = JSON.parse(view(bytes).toString()) as StoredKeyring;
  invariant(format === 1, `the keyring has format ${String(format)}; this version knows format 1`);
  const decoded = terms.map(({ term, installed, key }) => ({ term, installed, key: Buffer.from(key, "base64") }));
  return { nameKey: Buffer.from(nameKey, "base64"), terms: decoded };
}

interface StoredKeyring {
  readonly format: unknown;
  readonly nameKey: string;
  readonly terms: readonly { readonly term: number; readonly installed: number; readonly key: string }[];
}

// Ciphertext and tag, in pieces.
function seal(key: Uint8Array, nonce: Uint8Array, place: string, plain: Uint8Array): readonly Uint8Array[] {
  const cipher = createCipheriv("aes-256-gcm", keyObject(key), nonce, { authTagLength: tagBytes });
  cipher.setAAD(Buffer.from(place));
  return [cipher.update(plain), cipher.final(), cipher.getAuthTag()];
}

function open(key: Uint8Array, nonce: Uint8Array, place: string, sealed: Uint8Array): Buffer | undefined {
  if (sealed.byteLength < tagBytes) return undefined;
  const cipher = createDecipheriv("aes-256-gcm", keyObject(key), nonce, { authTagLength: tagBytes });
  cipher.setAAD(Buffer.from(place));
  cipher.setAuthTag(sealed.subarray(sealed.byteLength - tagBytes));
  const plain = cipher.update(sealed.subarray(0, sealed.byteLength - tagBytes));
  try {
    return Buffer.concat([plain, cipher.final()]);
  } catch {
    // The only thing `final` throws is that the tag does not fit: the key or the place is another, or the bytes are.
    return undefined;
  }
}

function view(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function base64(bytes: Uint8Array): string {
  return view(bytes).toString("base64");
}
