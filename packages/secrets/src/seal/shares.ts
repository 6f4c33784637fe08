import { combine, split } from "shamir-secret-sharing";

/**
 * An unseal key among several is a share in Shamir's scheme over GF(2^8): the values of one polynomial for each byte of the
 * secret, and then the point at which they were taken, as Vault's are. Where there is one key alone, it is the secret.
 */
export async function splitSecret(
  secret: Uint8Array,
  shares: number,
  threshold: number,
): Promise<readonly Uint8Array[]> {
  if (shares === 1) return [secret];
  return split(Uint8Array.from(secret), shares, threshold);
}

/** Puts shares together. Any shares of a right form give bytes: whether they are the secret, only its use shows. */
export async function combineShares(shares: readonly Uint8Array[]): Promise<Uint8Array> {
  // The library takes Uint8Array itself, and no Buffer.
  return shares.length === 1 ? shares[0]! : combine(shares.map((share) => Uint8Array.from(share)));
}

/** What is wrong with a number of unseal keys and how many of them are needed; nothing where it is right. */
export function faultOfShares(shares: number, threshold: number): string | undefined {
  if (!Number.isInteger(shares) || shares < 1 || shares > 255)
    return "invalid seal configuration: the number of unseal keys (secret_shares) must be from 1 to 255";
  if (!Number.isInteger(threshold) || threshold < 1)
    return "invalid seal configuration: how many keys unseal (secret_threshold) must be at least 1";
  if (threshold > shares) return "invalid seal configuration: secret_threshold must not be above secret_shares";
  if (shares > 1 && threshold === 1)
    return "invalid seal configuration: secret_threshold must be above 1 where there are several unseal keys";
  return undefined;
}

/** Reads an unseal key, hex or base64 as it was told at init; nothing where it is neither. */
export function parseUnsealKey(text: string): Uint8Array | undefined {
  if (/^([0-9a-f]{2})+$/i.test(text)) return Buffer.from(text, "hex");
  if (/^[A-Za-z0-9+/]+={0,2}$/.test(text) && text.length % 4 === 0) return Buffer.from(text, "base64");
  return undefined;
}
