import { pbkdf2, randomBytes } from "node:crypto";
import { promisify } from "node:util";
import type { KeyProvider } from "./key-provider.ts";
import type { PartSettings } from "./part-settings.ts";

const derive = promisify(pbkdf2);
const leastIterations = 200_000;
const leastPassphrase = 16;
const hashes: ReadonlySet<string> = new Set(["sha256", "sha512"]);

interface Metadata {
  /** In base64. */
  readonly salt: string;
  readonly iterations: number;
  readonly hash_function: string;
  readonly key_length: number;
}

/** `key_provider "pbkdf2"`: a key from a passphrase (RFC 8018), or from the key of another provider. */
export const pbkdf2Provider: KeyProvider = {
  arguments: ["passphrase", "chain", "key_length", "iterations", "salt_length", "hash_function"],
  fresh: async (settings) => {
    const metadata: Metadata = {
      salt: randomBytes(settings.number("salt_length") ?? 32).toString("base64"),
      iterations: settings.number("iterations") ?? 600_000,
      hash_function: settings.text("hash_function") ?? "sha512",
      key_length: settings.number("key_length") ?? 32,
    };
    const { iterations, hash_function: hash } = metadata;
    if (iterations < leastIterations)
      throw settings.wrong(`iterations is ${iterations}, and at least ${leastIterations} keep a passphrase safe`);
    if (!hashes.has(hash)) throw settings.wrong('hash_function is "sha512" or "sha256"');
    return { key: await keyOf(secretOf(settings), metadata), metadata };
  },
  again: async (settings, given) => {
    const metadata = metadataOf(given);
    return metadata && keyOf(secretOf(settings), metadata);
  },
};

function secretOf(settings: PartSettings): Uint8Array {
  const passphrase = settings.text("passphrase");
  const chain = settings.key("chain");
  if ((passphrase === undefined) === (chain === undefined))
    throw settings.wrong("it takes a passphrase, or the key of another provider as chain, and not both");
  const secret = chain ?? Buffer.from(passphrase ?? "");
  if (secret.length < leastPassphrase)
    throw settings.wrong(`its passphrase is shorter than ${leastPassphrase} characters`);
  return secret;
}

function keyOf(secret: Uint8Array, { salt, iterations, key_length, hash_function }: Metadata): Promise<Uint8Array> {
  return derive(secret, Buffer.from(salt, "base64"), iterations, key_length, hash_function);
}

function metadataOf(given: unknown): Metadata | undefined {
  const { salt, iterations, hash_function: hash, key_length: length } = (given ?? {}) as Partial<Metadata>;
  if (!salt || !iterations || !hash || !length || !hashes.has(hash)) return undefined;
  return { salt, iterations, hash_function: hash, key_length: length };
}
