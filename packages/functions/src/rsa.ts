import type { KeyObject } from "node:crypto";
import { constants, privateDecrypt } from "node:crypto";

/**
 * The message in an RSA ciphertext with PKCS #1 v1.5 padding (RFC 8017, 7.2.2), or undefined where the ciphertext is not
 * this key's. The padding is taken off here: OpenSSL answers a wrong one with random bytes instead of an error.
 */
export function decryptPkcs1(ciphertext: Uint8Array, key: KeyObject): Uint8Array | undefined {
  const size = Math.ceil((key.asymmetricKeyDetails?.modulusLength ?? 0) / 8);
  if (ciphertext.length > size) return undefined;
  const block = Buffer.alloc(size);
  block.set(ciphertext, size - ciphertext.length);
  let padded: Buffer;
  try {
    padded = privateDecrypt({ key, padding: constants.RSA_NO_PADDING }, block);
  } catch (error) {
    // A ciphertext that is not below the modulus.
    if (error instanceof Error && "code" in error && /^ERR_OSSL/.test(String(error.code))) return undefined;
    throw error;
  }
  const separator = padded.indexOf(0, 2);
  // At least eight bytes of padding stand between the type of block and the zero before the message.
  if (padded[0] !== 0 || padded[1] !== 2 || separator < 10) return undefined;
  return new Uint8Array(padded.subarray(separator + 1));
}
