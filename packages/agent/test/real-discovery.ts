import { systemChance, systemClock, silentLog } from "@millwright/core/ports";
import { formatAddress, type Listener, listen } from "@millwright/daemon/listener";
import { type Discovery, openDiscovery } from "@millwright/discovery/discovery";
import { staticTokens } from "@millwright/discovery/permissions";
import { openMemoryStore } from "@millwright/store/memory";

/** A real server of discovery, in memory, at a port of its own. */
export interface RealDiscovery {
  readonly address: string;
  /** `METHOD /path` of each request. */
  readonly requests: readonly string[];
  /** Stops the server and its listener, keeping the data; `start` goes on at the same address. */
  stop(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

export const joinToken = "join-token-of-the-test";
export const masterToken = "master-token-of-the-test";

export async function realDiscovery(defaultPolicy: "allow" | "deny" | "none" = "none"): Promise<RealDiscovery> {
  const store = openMemoryStore();
  const requests: string[] = [];
  let port = 0;
  let running: { readonly discovery: Discovery; readonly listener: Listener } | undefined;
  const start = async () => {
    const discovery = await openDiscovery({
      store,
      identity: {
        datacenter: "dc1",
        nodeName: "server-1",
        nodeId: "99999999-0000-4000-8000-000000000001",
        address: "127.0.0.1",
        serverPort: 8300,
        version: "0.1.0",
      },
      joinToken,
      ...(defaultPolicy === "none" ? {} : { authorizer: staticTokens({ defaultPolicy, master: masterToken }) }),
    });
    const listener = await listen({
      address: { kind: "tcp", host: "127.0.0.1", port },
      service: (request) => {
        requests.push(`${request.method} ${request.path}`);
        return discovery.handle(request);
      },
      clock: systemClock,
      log: silentLog,
      requestId: () => systemChance.uuid(),
    });
    port = listener.address.kind === "tcp" ? listener.address.port : 0;
    running = { discovery, listener };
  };
  const stop = async () => {
    await running?.discovery.close();
    await running?.listener.close(0);
    running = undefined;
  };
  await start();
  return {
    get address() {
      return formatAddress({ kind: "tcp", host: "127.0.0.1", port });
    },
    requests,
    stop,
    start,
    close: async () => {
      await stop();
      await store.close();
    },
  };
}
