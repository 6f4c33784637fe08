import { OperationalError } from "@millwright/core/errors";
import type { Chance, Clock } from "@millwright/core/ports";
import { type Entry, keyRange, type Store } from "@millwright/store/contract";
import { secretsErrors } from "../errors.ts";
import {
  decodeKeyring,
  decryptRecord,
  encodeKeyring,
  encryptRecord,
  type Keyring,
  newestTerm,
  termOf,
  unwrapKey,
  withNewTerm,
  wrapKey,
} from "./keyring.ts";
import { layout } from "./layout.ts";

export interface KeysOptions {
  readonly store: Store;
  readonly rootKey: Uint8Array;
  readonly clock: Clock;
  readonly chance: Chance;
}

const longestTerm = 30 * 24 * 60 * 60 * 1000;
const mostEncryptions = 500_000_000;

/** The keyring of an unsealed server, kept equal to the store's where another server rotates it. */
export class Keys {
  readonly #options: KeysOptions;
  #keyring: Keyring;
  #encryptions = 0;

  constructor(options: KeysOptions, keyring: Keyring) {
    this.#options = options;
    this.#keyring = keyring;
  }

  /** Reads the keyring of the store. Rejects with `damaged` where the root key does not open it. */
  static async open(options: KeysOptions): Promise<Keys> {
    const { keyring } = await readKeyring(options);
    return new Keys(options, keyring);
  }

  get keyring(): Keyring {
    return this.#keyring;
  }

  /** Records that this process wrote since it was unsealed or the keyring was rotated. */
  get encryptions(): number {
    return this.#encryptions;
  }

  encrypt(place: string, plain: Uint8Array): Uint8Array {
    this.#encryptions += 1;
    return encryptRecord(this.#keyring, this.#options.chance, place, plain);
  }

  async decrypt(place: string, record: Uint8Array): Promise<Uint8Array> {
    // A term that is not known yet is one that another server has just made: the keyring is written before its first use.
    if (termOf(record) > newestTerm(this.#keyring).term) await this.reload();
    return decryptRecord(this.#keyring, place, record);
  }

  async reload(): Promise<void> {
    const { keyring } = await readKeyring(this.#options);
    if (newestTerm(keyring).term > newestTerm(this.#keyring).term) this.#encryptions = 0;
    this.#keyring = keyring;
  }

  /**
   * Rotates where the newest term is 30 days old or has written much: random nonces are safe for 2^32 records of a key, which
   * this stays far below also where several servers write.
   */
  async rotateWhereWorn(): Promise<void> {
    const age = this.#options.clock.now() - newestTerm(this.#keyring).installed;
    if (age >= longestTerm || this.#encryptions >= mostEncryptions) await this.rotate();
  }

  /** Adds a term, with which everything is written from now on. */
  async rotate(): Promise<void> {
    const { store, rootKey, clock, chance } = this.#options;
    for (;;) {
      const { keyring, entry } = await readKeyring(this.#options);
      const next = withNewTerm(keyring, chance, clock.now());
      const { succeeded } = await store.txn({
        when: [{ range: keyRange(layout.keyring), is: "modified", op: "=", revision: entry.modified }],
        then: [{ op: "put", key: layout.keyring, value: wrapKeyring(rootKey, chance, next) }],
      });
      // Otherwise another server has just rotated: that is not what this caller asked for, so once more.
      if (!succeeded) continue;
      this.#keyring = next;
      this.#encryptions = 0;
      return;
    }
  }
}

/** The keyring as it stands in the store. */
export function wrapKeyring(rootKey: Uint8Array, chance: Chance, keyring: Keyring): Uint8Array {
  return wrapKey(rootKey, chance, layout.keyring, encodeKeyring(keyring));
}

async function readKeyring(options: KeysOptions): Promise<{ readonly keyring: Keyring; readonly entry: Entry }> {
  const { entries } = await options.store.range(keyRange(layout.keyring));
  const entry = entries[0];
  const plain = entry && unwrapKey(options.rootKey, layout.keyring, entry.value);
  if (entry && plain) return { keyring: decodeKeyring(plain), entry };
  throw new OperationalError(
    secretsErrors.damaged,
    `The keyring (${layout.keyring}) of the store is missing, or cannot be decrypted with the root key. Put the store back from a copy.`,
  );
}
