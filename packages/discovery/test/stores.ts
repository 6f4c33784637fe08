import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Store } from "@millwright/store/contract";
import { openEtcdStore } from "@millwright/store/etcd";
import { type EtcdServer, startEtcd } from "@millwright/store/etcd-server";
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
  /** To be called before the first `open`, and `stop` after the last: an engine may need a process. */
  start(): Promise<void>;
  stop(): Promise<void>;
  open(): Promise<TestStore>;
}

const nothing = async () => undefined;

const memory: StoreKind = {
  name: "memory",
  start: nothing,
  stop: nothing,
  open: async () => {
    const store = openMemoryStore();
    return { store, dispose: () => store.close() };
  },
};

const sqlite: StoreKind = {
  name: "sqlite",
  start: nothing,
  stop: nothing,
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

let etcdServer: EtcdServer | undefined;
let etcdStores = 0;

const etcd: StoreKind = {
  name: "etcd",
  start: async () => {
    etcdServer = await startEtcd();
  },
  stop: async () => {
    await etcdServer?.stop();
  },
  open: async () => {
    const options = { endpoints: [etcdServer!.endpoint], prefix: `discovery-${etcdStores++}/` };
    const opened: Store[] = [];
    const another = async () => {
      const store = await openEtcdStore(options);
      opened.push(store);
      return store;
    };
    const store = await another();
    return {
      store,
      another,
      reopen: async () => {
        for (const old of opened.splice(0)) await old.close();
        return another();
      },
      dispose: async () => {
        for (const left of opened.splice(0)) await left.close();
      },
    };
  },
};

/** Every engine. */
export const storeKinds: readonly StoreKind[] = [memory, sqlite, etcd];
