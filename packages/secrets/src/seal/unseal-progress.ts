import { OperationalError } from "@millwright/core/errors";
import { keyBytes } from "../barrier/keyring.ts";
import { secretsErrors } from "../errors.ts";
import { sameKey } from "./seal-record.ts";
import { parseUnsealKey } from "./shares.ts";

/** The unseal keys given so far; kept in memory alone. */
export interface UnsealProgress {
  /** Names the attempt; empty where none is under way. */
  readonly nonce: string;
  readonly keys: readonly Uint8Array[];
}

export const noProgress: UnsealProgress = { nonce: "", keys: [] };

/** The progress with one more key; the same where it was given before. Rejects with `badRequest` what is no key. */
export function withKey(
  progress: UnsealProgress,
  text: string,
  options: { readonly shares: number; readonly nonce: () => string },
): UnsealProgress {
  const key = parseUnsealKey(text.trim());
  if (!key) throw badKey("'key' must be a valid hex or base64 string");
  const length = options.shares === 1 ? keyBytes : keyBytes + 1;
  if (key.byteLength !== length)
    throw badKey(`the key has ${key.byteLength} bytes, and an unseal key of this server has ${length}`);
  if (progress.keys.some((known) => sameKey(known, key))) return progress;
  // Two shares of one point are never both right: the later one takes the earlier one's place.
  const others = options.shares === 1 ? [] : progress.keys.filter((known) => known.at(-1) !== key.at(-1));
  return { nonce: progress.nonce || options.nonce(), keys: [...others, key] };
}

function badKey(why: string): OperationalError {
  return new OperationalError(secretsErrors.badRequest, why);
}
