import type { Chance, Clock, Log } from "@millwright/core/ports";
import type { SecretStorage } from "../storage.ts";
import { endToken } from "../token/token-end.ts";
import { openTokenHash } from "../token/token-hash.ts";
import { tokenStore } from "../token/token-store.ts";
import type { Tokens } from "../token/tokens.ts";
import { watchDeadlines } from "./expiry.ts";
import { LeaseIndex } from "./lease-index.ts";
import { leaseManager } from "./lease-manager.ts";
import type { KeepLeading, Leases, Mounts, SystemTtl } from "./leases.ts";
import { Revoker } from "./revoker.ts";

export interface LifetimeOptions {
  /** Of the server's own: `token/` and `expire/` below it are used, and written in one commit where they belong together. */
  readonly storage: SecretStorage;
  readonly mounts: Mounts;
  readonly ttl: SystemTtl;
  readonly keepLeading: KeepLeading;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly log: Log;
}

/** What ends by itself: tokens and leases, which need each other. */
export interface Lifetimes {
  readonly tokens: Tokens;
  readonly leases: Leases;
  /** Watches the deadlines from now on, where this server leads: called once the engines are open that take back. */
  start(): void;
  /** Resolves once nothing of it runs any more; called at seal, before the engines are closed. */
  close(): Promise<void>;
}

/** Opens both over what is stored. They may be used at once: what was stored is read meanwhile ({@link Leases.loaded}). */
export async function openLifetimes(options: LifetimeOptions): Promise<Lifetimes> {
  const { storage, clock, chance, log, keepLeading } = options;
  const hash = await openTokenHash(storage, chance);
  const closing = new AbortController();
  const { signal } = closing;
  const index = new LeaseIndex({ storage, clock, log, signal });
  const ends = {
    beginLeaseEnd: (id: string) => revoker.beginEnd(id),
    endLease: (id: string) => revoker.end(id),
  };
  const endOptions = { storage, clock, ...ends };
  const revoker = new Revoker({ ...options, index, signal, endToken: (token) => endToken(endOptions, token) });
  let watching: Promise<void> = Promise.resolve();
  return {
    tokens: tokenStore({ ...options, hash, ...ends }),
    leases: leaseManager({ ...options, index, revoker }),
    start: () => {
      watching = keepLeading((term) => watchDeadlines({ index, revoker, clock }, term), signal);
    },
    close: async () => {
      closing.abort();
      index.close();
      await watching;
      await index.settled();
      await revoker.idle();
    },
  };
}
