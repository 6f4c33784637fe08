import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Store } from "@millwright/store/contract";
import { openMemoryStore } from "@millwright/store/memory";
import { openSqliteStore } from "@millwright/store/sqlite";

/** A store for one test. */
export interface TestStore {
  readonly store: Store;
  /** Closes the store and opens it again over the same data; undefined where nothing is kept. */
  reopen?(): Promise<Store>;
  /** Another connection to the same data, where the engine has that. */
  another?(): Promise<Store>;
  dispose(): Promise<void>;
}

export interface StoreKind {
  readonly name: string;
  open(): Promise<TestStore>;
}

const memory: StoreKind = {
  name: "memory",
  open: async () => {
    const store = openMemoryStore();
    return { store, dispose: () => store.close() };
  },
};

const sqlite: StoreKind = {
  name: "sqlite",
  open: async () => {
    const folder = await mkdtemp(join(tmpdir(), "millwright-discovery-"));
    const path = join(folder, "store.sqlite");
    let store = await openSqliteStore({ path });
    return {
      store,
      reopen: async () => {
        await store.close();
        store = await openSqliteStore({ path });
        return store;
      },
      dispose: async () => {
        await store.close();
        await rm(folder, { recursive: true, force: true });
      },
    };
  },
};

/** Every engine that is there. */
export const storeKinds: readonly StoreKind[] = [memory, sqlite];
