import { timingSafeEqual } from "node:crypto";
import { invariant, OperationalError } from "@millwright/core/errors";
import type { Chance } from "@millwright/core/ports";
import { type Entry, keyRange, type Store } from "@millwright/store/contract";
import { keyBytes, unwrapKey, wrapKey } from "../barrier/keyring.ts";
import { layout } from "../barrier/layout.ts";
import { secretsErrors } from "../errors.ts";
import { combineShares } from "./shares.ts";

/** How the server is sealed: the one record of it that can be read while it is. */
export interface SealRecord {
  readonly shares: number;
  readonly threshold: number;
  readonly clusterName: string;
  readonly clusterId: string;
  /** Under which name the data lie in the store. */
  readonly generation: string;
  /** The root key, encrypted with what the unseal keys give together. */
  readonly rootKey: Uint8Array;
}

export function encodeSealRecord(record: SealRecord): Uint8Array {
  const rootKey = Buffer.from(record.rootKey).toString("base64");
  return Buffer.from(JSON.stringify({ format: 1, type: "shamir", ...record, rootKey }));
}

export function decodeSealRecord(bytes: Uint8Array): SealRecord {
  const stored = JSON.parse(Buffer.from(bytes).toString()) as { readonly format: unknown } & Stored;
  const { format, shares, threshold, clusterName, clusterId, generation, rootKey } = stored;
  invariant(format === 1, `${layout.seal} has format ${String(format)}; this version knows format 1`);
  return { shares, threshold, clusterName, clusterId, generation, rootKey: Buffer.from(rootKey, "base64") };
}

type Stored = Omit<SealRecord, "rootKey"> & { readonly rootKey: string };

/** The record as the store has it; nothing before the server is initialized. */
export async function readSealRecord(
  store: Store,
): Promise<{ readonly record: SealRecord; readonly entry: Entry } | undefined> {
  const { entries } = await store.range(keyRange(layout.seal));
  const entry = entries[0];
  return entry && { record: decodeSealRecord(entry.value), entry };
}

/** The root key under an unseal secret. */
export function sealRootKey(unsealSecret: Uint8Array, chance: Chance, rootKey: Uint8Array): Uint8Array {
  return wrapKey(unsealSecret, chance, layout.seal, rootKey);
}

/** Opens the seal. Rejects with `badRequest` where the keys are not those of this seal. */
export async function openSeal(record: SealRecord, keys: readonly Uint8Array[]): Promise<Uint8Array> {
  const secret = await combineShares(keys);
  const rootKey = secret.byteLength === keyBytes ? unwrapKey(secret, layout.seal, record.rootKey) : undefined;
  if (rootKey) return rootKey;
  const which = keys.length === 1 ? "the key is not this server's" : "at least one of the keys given is wrong";
  throw new OperationalError(
    secretsErrors.badRequest,
    `Unseal failed, invalid key: ${which}. Nothing was changed; start over with ${record.threshold} right ` +
      `${record.threshold === 1 ? "key" : "keys"}.`,
  );
}

/** Whether two keys are the same, in constant time. */
export function sameKey(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && timingSafeEqual(a, b);
}
