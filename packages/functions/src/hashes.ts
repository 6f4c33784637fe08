import { createHash } from "node:crypto";
import { encodeBase64 } from "./base64.ts";

/** A hash of bytes as text: the names of the functions that make it, of a text and of a file. */
export interface Hash {
  readonly name: string;
  readonly fileName: string;
  readonly description: string;
  digest(bytes: Uint8Array): string;
}

export const hashes: readonly Hash[] = [
  hexHash("md5", "MD5"),
  hexHash("sha1", "SHA-1"),
  hexHash("sha256", "SHA-256"),
  hexHash("sha512", "SHA-512"),
  base64Hash("sha256", "SHA-256"),
  base64Hash("sha512", "SHA-512"),
];

function hexHash(algorithm: string, title: string): Hash {
  return {
    name: algorithm,
    fileName: `file${algorithm}`,
    description: `The ${title} hash in hexadecimal digits`,
    digest: (bytes) => createHash(algorithm).update(bytes).digest("hex"),
  };
}

function base64Hash(algorithm: string, title: string): Hash {
  return {
    name: `base64${algorithm}`,
    fileName: `filebase64${algorithm}`,
    description: `The ${title} hash in Base64`,
    digest: (bytes) => encodeBase64(new Uint8Array(createHash(algorithm).update(bytes).digest())),
  };
}
