import { contractSuite } from "../test/contract-suite.ts";
import { openMemoryStore } from "./memory.ts";

contractSuite({
  name: "memory",
  dense: true,
  shortestLease: 1,
  open: async () => {
    const store = openMemoryStore();
    return { store, peer: store, close: () => store.close() };
  },
});
