import { OperationalError } from "@millwright/core/errors";
import { type Store, storeErrors, type Watch } from "../src/contract.ts";

/** A store that can be cut off, and whose watches can be held back or ended as if their place were compacted. */
export interface FaultyStore extends Store {
  /** Calls reject with `unavailable`, and open watches end with it. */
  cut(): void;
  mend(): void;
  /** Watches deliver nothing until they are released. */
  hold(): void;
  release(): void;
  /** Open watches end with `compacted`. */
  compactWatches(): void;
  /** Called before each step, which waits for it. */
  beforeTxn: () => Promise<void>;
}

export function faultyStore(store: Store): FaultyStore {
  let isCut = false;
  let gate: PromiseWithResolvers<void> | undefined;
  const fail = new Set<(error: OperationalError) => void>();
  const refuseWhenCut = () => {
    if (isCut) throw new OperationalError(storeErrors.unavailable, "The store is cut off.");
  };
  const guarded: FaultyStore = {
    ...bound(store),
    txn: async (step) => {
      refuseWhenCut();
      await guarded.beforeTxn();
      return store.txn(step);
    },
    range: async (range, options) => {
      refuseWhenCut();
      return store.range(range, options);
    },
    revision: async () => {
      refuseWhenCut();
      return store.revision();
    },
    watch: (prefixes, from, signal) => {
      const inner = store.watch(prefixes, from, signal);
      return { requestProgress: () => inner.requestProgress(), [Symbol.asyncIterator]: () => deliver(inner) };
    },
    beforeTxn: async () => undefined,
    cut: () => {
      isCut = true;
      for (const end of fail) end(new OperationalError(storeErrors.unavailable, "The store is cut off."));
    },
    mend: () => {
      isCut = false;
    },
    hold: () => {
      gate = Promise.withResolvers();
    },
    release: () => gate?.resolve(),
    compactWatches: () => {
      for (const end of fail) end(new OperationalError(storeErrors.compacted, "The history is compacted."));
    },
  };
  async function* deliver(inner: Watch) {
    refuseWhenCut();
    const failed = Promise.withResolvers<never>();
    failed.promise.catch(() => undefined);
    fail.add(failed.reject);
    const messages = inner[Symbol.asyncIterator]();
    try {
      for (;;) {
        const next = await Promise.race([messages.next(), failed.promise]);
        if (next.done) return;
        await Promise.race([gate?.promise, failed.promise]);
        yield next.value;
      }
    } finally {
      fail.delete(failed.reject);
    }
  }
  return guarded;
}

function bound(store: Store): Store {
  return {
    txn: (step) => store.txn(step),
    range: (range, options) => store.range(range, options),
    revision: () => store.revision(),
    watch: (prefixes, from, signal) => store.watch(prefixes, from, signal),
    grantLease: (ttl) => store.grantLease(ttl),
    renewLease: (lease) => store.renewLease(lease),
    revokeLease: (lease) => store.revokeLease(lease),
    lease: (lease) => store.lease(lease),
    compact: (revision) => store.compact(revision),
    close: () => store.close(),
  };
}
