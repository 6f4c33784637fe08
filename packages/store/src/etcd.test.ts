import { afterAll, beforeAll } from "vitest";
import { contractSuite } from "../test/contract-suite.ts";
import type { EtcdServer } from "../test/etcd-server.ts";
import { startEtcd } from "../test/etcd-server.ts";
import { openEtcdStore } from "./etcd.ts";

let etcd: EtcdServer;
let stores = 0;
beforeAll(async () => {
  etcd = await startEtcd();
});
afterAll(() => etcd?.stop());

contractSuite({
  name: "etcd",
  dense: false,
  shortestLease: 2,
  open: async () => {
    const options = { endpoints: [etcd.endpoint], prefix: `test-${stores++}/` };
    const [store, peer] = [await openEtcdStore(options), await openEtcdStore(options)];
    const close = async () => {
      await store.close();
      await peer.close();
    };
    return { store, peer, close };
  },
});
