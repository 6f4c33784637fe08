import type { HttpService } from "@millwright/core/http";
import type { Chance, Clock, Log } from "@millwright/core/ports";
import { formatAddress, type ListenAddress } from "@millwright/daemon/listener";
import type { NodeIdentity as ServerIdentity } from "@millwright/discovery/identity";
import type { Definitions } from "@millwright/node/configure";
import { openDns } from "@millwright/node/dns";
import { openCatalogSource } from "@millwright/node/dns-catalog-source";
import { type Node, openNode } from "@millwright/node/node";
import type { ServerConfig } from "./server.ts";

export interface OwnNodeOptions {
  readonly identity: ServerIdentity;
  /** Where this server's APIs are to be found. */
  readonly http: readonly ListenAddress[];
  readonly vault: readonly ListenAddress[];
  readonly nomad: readonly ListenAddress[];
  readonly config: Pick<
    ServerConfig,
    "dns" | "freePortsIfTaken" | "pretty" | "scriptChecks" | "services" | "checks" | "meta" | "onReload"
  >;
  readonly joinToken: string;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly log: Log;
}

/** The node that a server has for itself: what it registers is what the server serves. */
export interface OwnNode {
  readonly handle: HttpService;
  /** Its own token; empty before it has joined. Secret. */
  token(): string;
  readonly dns: readonly { readonly host: string; readonly port: number }[];
  /** Takes services and checks in place of those that the configuration had before. Throws `badConfiguration`. */
  reconfigure(definitions: Definitions): void;
  close(): Promise<void>;
}

/** Opens a server's own node, which speaks to that server over HTTP, like any other node. */
export async function openOwnNode(options: OwnNodeOptions): Promise<OwnNode> {
  const { identity, http, vault, nomad, config, joinToken, ...ports } = options;
  const own = [...vaultService(vault), ...nomadService(nomad)];
  const { datacenter, nodeName: name, nodeId: id, address, version } = identity;
  const node: Node = await openNode({
    identity: { name, id, datacenter, address, version, server: true, httpPort: portOf(http), meta: config.meta ?? {} },
    servers: http.slice(0, 1).map(urlOf),
    joinToken: async () => joinToken,
    scriptChecks: config.scriptChecks ?? "none",
    services: [...own, ...(config.services ?? [])],
    checks: config.checks ?? [],
    pretty: config.pretty ?? false,
    ...(config.onReload ? { onReload: config.onReload } : {}),
    ...ports,
  });
  const reconfigure = ({ services = [], checks = [] }: Definitions) =>
    node.reconfigure({ services: [...own, ...services], checks });
  const source = openCatalogSource({ call: (read) => node.call(read), token: () => node.token(), ...ports });
  const close = async () => {
    await source.close();
    await node.close();
  };
  try {
    const addresses = config.dns ?? [];
    const freePortIfTaken = config.freePortsIfTaken ?? false;
    const dns = await openDns({ addresses, source, nodeName: name, datacenter, freePortIfTaken, ...ports });
    const closeAll = async () => {
      await dns.close();
      await close();
    };
    return { handle: node.handle, token: () => node.token(), dns: dns.addresses, reconfigure, close: closeAll };
  } catch (error) {
    await close();
    throw error;
  }
}

// Sealed, the health endpoint refuses, and nobody is sent here.
function vaultService(vault: readonly ListenAddress[]): readonly unknown[] {
  const port = portOf(vault);
  const first = vault[0];
  if (port === undefined || !first) return [];
  const check = {
    name: "Vault is initialised and unsealed",
    http: `${urlOf(first)}/v1/sys/health?standbyok=true`,
    interval: "2s",
    timeout: "2s",
  };
  return [{ id: `vault:${port}`, name: "vault", port, tags: ["active"], check }];
}

function nomadService(nomad: readonly ListenAddress[]): readonly unknown[] {
  const port = portOf(nomad);
  const first = nomad[0];
  if (port === undefined || !first) return [];
  const check = { name: "Nomad HTTP API", http: `${urlOf(first)}/v1/status/leader`, interval: "10s", timeout: "2s" };
  return [{ id: `nomad:${port}`, name: "nomad", port, tags: ["http"], check }];
}

function portOf(addresses: readonly ListenAddress[]): number | undefined {
  for (const address of addresses) if (address.kind === "tcp") return address.port;
  return undefined;
}

/** What listens on every address is reached on loopback. */
export function urlOf(address: ListenAddress): string {
  if (address.kind === "unix") return formatAddress(address);
  const host = address.host === "0.0.0.0" ? "127.0.0.1" : address.host === "::" ? "::1" : address.host;
  return `http://${formatAddress({ ...address, host })}`;
}
