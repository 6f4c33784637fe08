import { hostname } from "node:os";
import { join } from "node:path";
import { type Chance, type Clock, type Log, silentLog, systemChance, systemClock } from "@millwright/core/ports";
import { openDiscovery } from "@millwright/discovery/discovery";
import { allowAll, type Authorizer, staticTokens } from "@millwright/discovery/permissions";
import type { Store } from "@millwright/store/contract";
import { type DataFolder, openDataFolder } from "@millwright/daemon/data-folder";
import { formatAddress, listen, type ListenAddress, type Listener } from "@millwright/daemon/listener";

/** How a server is to run; everything has a default that suits one machine. */
export interface ServerConfig {
  /** Where Consul's HTTP API is served; `127.0.0.1:8500` by default. */
  readonly http?: readonly ListenAddress[];
  /** Take free ports where the wanted ones are taken. */
  readonly freePortsIfTaken?: boolean;
  readonly store?: StoreConfig;
  readonly nodeName?: string;
  readonly datacenter?: string;
  /** Under which others reach this server; 127.0.0.1 by default. */
  readonly advertiseAddress?: string;
  readonly acl?: AclConfig;
  /** Indent all JSON. */
  readonly pretty?: boolean;
  readonly version?: string;
  readonly clock?: Clock;
  readonly chance?: Chance;
  readonly log?: Log;
}

export type StoreConfig =
  /** Gone with the process. */
  | { readonly kind: "memory" }
  /** A file in the data folder, which is made where it is not there. */
  | { readonly kind: "sqlite"; readonly dataFolder: string }
  /** An etcd cluster; the data folder keeps this node's identity. */
  | {
      readonly kind: "etcd";
      readonly endpoints: readonly string[];
      readonly prefix: string;
      readonly dataFolder: string;
    };

/** Access control with one token that may do everything, and a policy for requests without a token. */
export interface AclConfig {
  readonly defaultPolicy: "allow" | "deny";
  readonly masterToken: string;
}

export interface RunningServer {
  /** Where Consul's HTTP API is served, with the ports that were taken. */
  readonly http: readonly ListenAddress[];
  readonly nodeId: string;
  /** Answers what is under way, ends waits early, frees store and ports. */
  close(): Promise<void>;
}

const serverPort = 8300;
const graceMilliseconds = 10_000;

/**
 * Starts a server. Rejects with an operational error that says what to do where a port is taken, the data folder cannot
 * be used or the store cannot be opened; nothing is left running then.
 */
export async function startServer(config: ServerConfig = {}): Promise<RunningServer> {
  const { clock = systemClock, chance = systemChance, log = silentLog, version = "0.1.0" } = config;
  const opened: (() => Promise<void>)[] = [];
  const closeAll = async () => {
    for (const close of opened.splice(0).reverse()) await close();
  };
  try {
    const folder = await openFolder(config.store, chance);
    const store = await openStore(config.store ?? { kind: "memory" });
    opened.push(() => store.close());
    const identity = {
      datacenter: config.datacenter ?? "dc1",
      nodeName: config.nodeName ?? hostname(),
      nodeId: folder?.nodeId ?? chance.uuid(),
      address: config.advertiseAddress ?? "127.0.0.1",
      serverPort,
      version,
    };
    const pretty = config.pretty ?? false;
    const discovery = await openDiscovery({
      store,
      identity,
      authorizer: authorizerOf(config.acl),
      pretty,
      clock,
      chance,
      log,
    });
    opened.push(() => discovery.close());
    const listeners: Listener[] = [];
    for (const address of config.http ?? [{ kind: "tcp", host: "127.0.0.1", port: 8500 } as const]) {
      const { freePortsIfTaken: freePortIfTaken = false } = config;
      const shared = { service: discovery.handle, clock, log, requestId: () => chance.uuid(), freePortIfTaken };
      const listener = await listen({ ...shared, address });
      listeners.push(listener);
      opened.push(() => listener.close(graceMilliseconds));
      log.write("info", "server: listening", { address: formatAddress(listener.address) });
    }
    const http = listeners.map(({ address }) => address);
    await folder?.writeRunning({ pid: process.pid, startedAt: clock.now(), version, http: http.map(formatAddress) });
    opened.push(async () => folder?.removeRunning());
    return { http, nodeId: identity.nodeId, close: closeAll };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

async function openFolder(store: StoreConfig | undefined, chance: Chance): Promise<DataFolder | undefined> {
  return store && store.kind !== "memory" ? openDataFolder(store.dataFolder, chance) : undefined;
}

// Each engine is loaded only where it is used.
async function openStore(config: StoreConfig): Promise<Store> {
  switch (config.kind) {
    case "memory": {
      const { openMemoryStore } = await import("@millwright/store/memory");
      return openMemoryStore();
    }
    case "sqlite": {
      const { openSqliteStore } = await import("@millwright/store/sqlite");
      return openSqliteStore({ path: join(config.dataFolder, "discovery.sqlite") });
    }
    case "etcd": {
      const { openEtcdStore } = await import("@millwright/store/etcd");
      return openEtcdStore({ endpoints: config.endpoints, prefix: config.prefix });
    }
  }
}

function authorizerOf(acl: AclConfig | undefined): Authorizer {
  return acl ? staticTokens({ defaultPolicy: acl.defaultPolicy, master: acl.masterToken }) : allowAll;
}
