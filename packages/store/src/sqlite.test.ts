import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { contractSuite } from "../test/contract-suite.ts";
import { openSqliteStore } from "./sqlite.ts";

contractSuite({
  name: "sqlite",
  dense: true,
  shortestLease: 1,
  open: async () => {
    const folder = mkdtempSync(join(tmpdir(), "millwright-store-"));
    const store = await openSqliteStore({ path: join(folder, "store.db") });
    const close = async () => {
      await store.close();
      rmSync(folder, { recursive: true });
    };
    return { store, peer: store, close };
  },
});
