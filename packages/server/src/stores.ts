import { join } from "node:path";
import type { Store } from "@millwright/store/contract";

/** Where a role keeps what it must not lose. */
export type StoreConfig =
  /** Gone with the process. */
  | { readonly kind: "memory" }
  /** A file in a folder, which is made where it is not there. */
  | { readonly kind: "sqlite"; readonly dataFolder: string }
  /** An etcd cluster; the data folder keeps this node's identity. */
  | {
      readonly kind: "etcd";
      readonly endpoints: readonly string[];
      readonly prefix: string;
      readonly dataFolder: string;
    };

/** Opens a role's store; `name` tells its file from those of other roles. Each engine is loaded only where it is used. */
export async function openStore(config: StoreConfig, name: string): Promise<Store> {
  switch (config.kind) {
    case "memory": {
      const { openMemoryStore } = await import("@millwright/store/memory");
      return openMemoryStore();
    }
    case "sqlite": {
      const { openSqliteStore } = await import("@millwright/store/sqlite");
      return openSqliteStore({ path: join(config.dataFolder, `${name}.sqlite`) });
    }
    case "etcd": {
      const { openEtcdStore } = await import("@millwright/store/etcd");
      return openEtcdStore({ endpoints: config.endpoints, prefix: config.prefix });
    }
  }
}
