import { OperationalError } from "@millwright/core/errors";
import type { Chance, Clock, Log } from "@millwright/core/ports";
import { after, keyRange, prefixRange, type Store } from "@millwright/store/contract";
import { Barrier, prepareBarrier } from "../barrier/barrier.ts";
import { keyBytes, newKeyring } from "../barrier/keyring.ts";
import { Keys, wrapKeyring } from "../barrier/keys.ts";
import { layout } from "../barrier/layout.ts";
import { firstMounts, openCore } from "../core/core.ts";
import { changeMountTable } from "../core/mount-table.ts";
import { secretsErrors } from "../errors.ts";
import type { CoreSettings } from "./open-unsealed.ts";
import { encodeSealRecord, readSealRecord, sealRootKey } from "./seal-record.ts";
import { faultOfShares, splitSecret } from "./shares.ts";
import type { InitRequest, InitResult } from "./status.ts";

export interface InitOptions {
  readonly store: Store;
  readonly clusterName?: string;
  readonly devMounts: boolean;
  readonly core: CoreSettings;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly log: Log;
}

/**
 * Makes a new server's keys, its first mounts and its root token, all under a name of their own; the last write is the one
 * that makes it the server. Rejects with `badRequest` for impossible numbers, with `alreadyInitialized` where there is one.
 */
export async function initialize(request: InitRequest, options: InitOptions): Promise<InitResult> {
  const { store, chance, clock } = options;
  const fault = faultOfShares(request.shares, request.threshold);
  if (fault !== undefined) throw new OperationalError(secretsErrors.badRequest, fault);
  if (await readSealRecord(store)) throw alreadyInitialized();
  const generation = Buffer.from(chance.bytes(8)).toString("hex");
  const rootKey = chance.bytes(keyBytes);
  const unsealSecret = chance.bytes(keyBytes);
  const keyring = newKeyring(chance, clock.now());
  const keys = new Keys({ store, rootKey, clock, chance }, keyring);
  await prepareBarrier({ store, generation, keys });
  const rootToken = await furnish(generation, keys, options);
  const record = {
    shares: request.shares,
    threshold: request.threshold,
    clusterName: options.clusterName ?? `vault-cluster-${Buffer.from(chance.bytes(4)).toString("hex")}`,
    clusterId: chance.uuid(),
    generation,
    rootKey: sealRootKey(unsealSecret, chance, rootKey),
  };
  const shares = await splitSecret(unsealSecret, request.shares, request.threshold);
  const { succeeded } = await store.txn({
    when: [{ range: keyRange(layout.seal), is: "absent" }],
    then: [
      { op: "put", key: layout.seal, value: encodeSealRecord(record) },
      { op: "put", key: layout.keyring, value: wrapKeyring(rootKey, chance, keyring) },
    ],
  });
  await removeOtherGenerations(store);
  if (!succeeded) throw alreadyInitialized();
  const told = shares.map((share) => Buffer.from(share));
  return {
    keys: told.map((share) => share.toString("hex")),
    keysBase64: told.map((share) => share.toString("base64")),
    rootToken,
  };
}

async function furnish(generation: string, keys: Keys, options: InitOptions): Promise<string> {
  const { store, core, devMounts, clock, chance, log } = options;
  const barrier = await Barrier.open({ store, generation, keys, clock, chance, log });
  await changeMountTable(barrier, () => firstMounts(chance, devMounts));
  // Whoever leads over this store leads over another generation of it, if any: nothing is due in this one.
  const keepLeading = async () => undefined;
  const opened = await openCore({ barrier, keys, ...core, keepLeading, clock, chance, log });
  try {
    return (await opened.tokens.createRoot()).clientToken;
  } finally {
    await opened.close();
  }
}

// What an init that was cut off, or came second, has left behind.
async function removeOtherGenerations(store: Store): Promise<void> {
  const found = await readSealRecord(store);
  if (!found) return;
  const own = layout.generation(found.record.generation);
  const all = prefixRange(layout.generations);
  for (let from = all.from; ; ) {
    const { entries, more } = await store.range({ ...all, from }, { limit: 100, keysOnly: true });
    const others = entries.filter(({ key }) => !key.startsWith(own));
    if (others.length > 0) await store.txn({ then: others.map(({ key }) => ({ op: "delete", key })) });
    const last = entries.at(-1);
    if (!more || !last) return;
    from = after(last.key);
  }
}

function alreadyInitialized(): OperationalError {
  return new OperationalError(secretsErrors.alreadyInitialized, "Vault is already initialized");
}
