import { messageOf, OperationalError } from "@millwright/core/errors";
import { config, createMessage, enums, readKey, readSignature, verify } from "openpgp";
import { sourceErrors } from "./errors.ts";

/** A key that a registry says a provider's developer signs with. */
export interface SigningKey {
  readonly id: string;
  readonly armored: string;
}

export interface Signer {
  readonly by: "hashicorp" | "its developer";
  readonly keyId: string;
}

/** The fingerprint of the key that HashiCorp signs its releases with, as its page on security publishes it. */
const fingerprintOfHashicorp = "c874011f0ab405110d02105534365d9472d7468f";

/**
 * Whose detached OpenPGP signature this is, of those keys. A key may have expired since, but not before it signed. Throws
 * `untrusted` where none of them has made it, and also where there are no keys: what nobody signs is not installed.
 */
export async function signerOf(
  bytes: Uint8Array,
  signatureBytes: Uint8Array,
  keys: readonly SigningKey[],
  what: string,
): Promise<Signer> {
  if (keys.length === 0) throw untrusted(`The registry names no key that signs the ${what}, so nobody vouches for it.`);
  const signature = await readSignature({ binarySignature: signatureBytes }).catch((error: unknown) => {
    throw untrusted(`The signature of the ${what} cannot be read: ${messageOf(error)}.`);
  });
  const date = signature.packets[0]?.created ?? new Date();
  const faults: string[] = [];
  for (const { id, armored } of keys) {
    try {
      const key = await readKey({ armoredKey: armored });
      const message = await createMessage({ binary: bytes });
      const { signatures } = await verify({ message, signature, verificationKeys: key, date, config: rules });
      for (const { verified } of signatures) await verified;
      if (signatures.length === 0) throw new Error("it holds no signature");
      const by = key.getFingerprint() === fingerprintOfHashicorp ? "hashicorp" : "its developer";
      return { by, keyId: id || key.getKeyID().toHex().toUpperCase() };
    } catch (error) {
      faults.push(`${id || "a key without a name"}: ${messageOf(error)}`);
    }
  }
  throw untrusted(
    `The list of checksums of the ${what} is signed by none of the keys that its registry names (${faults.join("; ")}). Nothing of it was kept. Somebody may have changed it on the way; ask the provider's developers.`,
  );
}

// DSA keys are old, and registries still take them.
const rules = { ...config, rejectPublicKeyAlgorithms: new Set([enums.publicKey.elgamal]) };

function untrusted(message: string): OperationalError {
  return new OperationalError(sourceErrors.untrusted, message);
}
