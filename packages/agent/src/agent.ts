import { hostname } from "node:os";
import { OperationalError } from "@millwright/core/errors";
import type { HttpRequest } from "@millwright/core/http";
import { type Chance, type Clock, type Log, silentLog, systemChance, systemClock } from "@millwright/core/ports";
import { type DataFolder, openDataFolder } from "@millwright/daemon/data-folder";
import { formatAddress, type ListenAddress, listen } from "@millwright/daemon/listener";
import type { Definitions } from "@millwright/node/configure";
import { type Dns, type DnsAddress, openDns } from "@millwright/node/dns";
import { openCatalogSource } from "@millwright/node/dns-catalog-source";
import type { DnsSettings } from "@millwright/node/dns-config";
import { type Node, openNode } from "@millwright/node/node";
import { claimFolder } from "@millwright/process/claim";
import type { JobParts, Jobs } from "./client/open-jobs.ts";
import type { ClientSettings } from "./client/settings.ts";
import { agentErrors } from "./errors.ts";
import { ownAddress } from "./own-address.ts";

/** How an agent is to run; everything has a default that suits one machine. */
export interface AgentConfig extends Definitions {
  /** Where the node's identity and registrations are kept; without one nothing outlives the process. */
  readonly dataFolder?: string;
  /** Where Consul's HTTP API is served; `127.0.0.1:8500` by default. */
  readonly http?: readonly ListenAddress[];
  /** Where names are answered, over UDP and TCP; `127.0.0.1:8600` by default. */
  readonly dns?: readonly DnsAddress[];
  /** Take free ports where the wanted ones are taken. */
  readonly freePortsIfTaken?: boolean;
  /** `host:port` or URLs of the servers' Consul HTTP API. */
  readonly servers: readonly string[];
  readonly joinToken?: () => Promise<string | undefined>;
  /** The host's name by default. */
  readonly nodeName?: string;
  /** A UUID; that of the data folder by default. */
  readonly nodeId?: string;
  readonly datacenter?: string;
  /** Under which others reach this node; found out by default. */
  readonly advertiseAddress?: string;
  readonly meta?: Readonly<Record<string, string>>;
  /** Which scripts run as checks: none (the default), those of the configuration, or also those of the API. */
  readonly scriptChecks?: "none" | "local" | "all";
  /** Of names that are answered; `consul.` by default. */
  readonly domain?: string;
  readonly recursors?: readonly DnsAddress[];
  /** Times and limits of DNS answers. */
  readonly dnsSettings?: DnsSettings;
  /** How it runs jobs; without it, it runs none. Needs a data folder. */
  readonly client?: ClientSettings;
  /** Called when `PUT /v1/agent/leave` has taken the node out of the datacenter. */
  readonly onLeave?: () => void;
  /** Called for `PUT /v1/agent/reload`. */
  readonly onReload?: () => Promise<void>;
  /** Indent all JSON. */
  readonly pretty?: boolean;
  readonly version?: string;
  readonly clock?: Clock;
  readonly chance?: Chance;
  readonly log?: Log;
}

export interface RunningAgent {
  /** Where Consul's HTTP API is served, with the ports that were taken. */
  readonly http: readonly ListenAddress[];
  /** Where names are answered. */
  readonly dns: readonly DnsAddress[];
  /** Where Nomad's HTTP API is answered; nowhere without jobs. */
  readonly nomad: readonly ListenAddress[];
  readonly nodeId: string;
  readonly nodeName: string;
  /** Resolves when the node has joined once. */
  ready(): Promise<void>;
  /** Resolves when the servers of jobs know the node; at once where it runs none. */
  registered(): Promise<void>;
  /** Takes services and checks in place of those that the configuration had before. Throws `badConfiguration`. */
  reconfigure(definitions: Definitions): void;
  /** Takes the node out of the datacenter. */
  leave(): Promise<void>;
  /** Ends every task of jobs; for those who end all that they have started. */
  stopTasks(): Promise<void>;
  /** Ends it: answers what is under way, frees the ports. Tasks go on running, and are found at the next start. */
  close(): Promise<void>;
}

const graceMilliseconds = 10_000;
const defaultHttp: ListenAddress = { kind: "tcp", host: "127.0.0.1", port: 8500 };
const defaultDns: DnsAddress = { host: "127.0.0.1", port: 8600 };

/**
 * Starts an agent: a node with listeners for Consul's HTTP API and for DNS. It answers at once and joins in the background.
 * Rejects with an operational error that says what to do where a port is taken, the data folder is another agent's or cannot be
 * used, or a definition cannot be; nothing is left running then.
 */
export async function startAgent(config: AgentConfig): Promise<RunningAgent> {
  const closers: (() => Promise<void>)[] = [];
  const close = async () => {
    for (const closeOne of closers.splice(0).reverse()) await closeOne();
  };
  try {
    return await start(config, closers, close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function start(config: AgentConfig, closers: (() => Promise<void>)[], close: () => Promise<void>) {
  const { clock = systemClock, chance = systemChance, log = silentLog, version = "0.1.0" } = config;
  const ports = { clock, chance, log };
  const folder = config.dataFolder === undefined ? undefined : await openDataFolder(config.dataFolder, chance);
  if (folder) {
    // Two processes over one folder would be one node, and each would take the other's services for strange.
    const claim = await claimFolder(folder.path, "agent.pid");
    closers.push(() => claim.release());
  }
  // Listeners come first: a port that is taken ends the start before anybody has heard of the node.
  const own: { node?: Node } = {};
  const http = await listenHttp(config, ports, own, closers);
  const identity = {
    name: config.nodeName ?? hostname(),
    id: config.nodeId ?? folder?.nodeId ?? chance.uuid(),
    datacenter: config.datacenter ?? "dc1",
    address: config.advertiseAddress ?? ownAddress([...config.servers, ...(config.client?.servers ?? [])]),
    version,
    server: false,
    meta: config.meta ?? {},
  };
  const dns = await listenDns(config, { ...ports, identity }, own, closers);
  const node = await openNode({
    ...config,
    ...ports,
    identity: { ...identity, httpPort: portOf(http), dnsPort: dns.addresses[0]?.port },
    scriptChecks: config.scriptChecks ?? "none",
  });
  own.node = node;
  closers.push(() => node.close());
  const client =
    config.client && (await openJobs(config.client, { ...ports, config, folder, identity, node, closers }));
  const nomad = client?.http ?? [];
  await tellRunning(folder, { http, nomad, dns, version, clock }, closers);
  return {
    http,
    nomad,
    dns: dns.addresses,
    nodeId: identity.id,
    nodeName: identity.name,
    ready: () => node.ready(),
    registered: async () => client?.registered(),
    stopTasks: async () => client?.stopTasks(),
    reconfigure: (definitions: Definitions) => node.reconfigure(definitions),
    leave: () => node.leave(),
    close,
  };
}

// Most of the program's code is about jobs: an agent that runs none does not load it.
async function openJobs(settings: ClientSettings, parts: JobParts): Promise<Jobs> {
  const { openJobs: open } = await import("./client/open-jobs.ts");
  return open(settings, parts);
}

interface Ports {
  readonly clock: Clock;
  readonly chance: Chance;
  readonly log: Log;
}

async function listenHttp(
  config: AgentConfig,
  { clock, chance, log }: Ports,
  own: { readonly node?: Node },
  closers: (() => Promise<void>)[],
): Promise<readonly ListenAddress[]> {
  const service = async (request: HttpRequest) => nodeOf(own).handle(request);
  const bound: ListenAddress[] = [];
  for (const address of config.http ?? [defaultHttp]) {
    const shared = { service, clock, log, requestId: () => chance.uuid() };
    const listener = await listen({ ...shared, address, freePortIfTaken: config.freePortsIfTaken ?? false });
    closers.push(() => listener.close(graceMilliseconds));
    log.write("info", "agent: HTTP", { address: formatAddress(listener.address) });
    bound.push(listener.address);
  }
  return bound;
}

async function listenDns(
  config: AgentConfig,
  { identity, ...ports }: Ports & { readonly identity: { readonly name: string; readonly datacenter: string } },
  own: { readonly node?: Node },
  closers: (() => Promise<void>)[],
): Promise<Dns> {
  const source = openCatalogSource({
    call: async (read) => nodeOf(own).call(read),
    token: () => own.node?.token(),
    ...config.dnsSettings,
    ...ports,
  });
  closers.push(() => source.close());
  const dns = await openDns({
    addresses: config.dns ?? [defaultDns],
    source,
    nodeName: identity.name,
    datacenter: identity.datacenter,
    freePortIfTaken: config.freePortsIfTaken ?? false,
    ...config.dnsSettings,
    ...(config.domain === undefined ? {} : { domain: config.domain }),
    ...(config.recursors === undefined ? {} : { recursors: config.recursors }),
    ...ports,
  });
  closers.push(() => dns.close());
  for (const address of dns.addresses) ports.log.write("info", "agent: DNS", { address: formatDns(address) });
  return dns;
}

// Asked in the moment between the listeners' start and the node's.
function nodeOf({ node }: { readonly node?: Node }): Node {
  if (node) return node;
  throw new OperationalError(agentErrors.starting, "The agent is starting. Try again in a moment.");
}

async function tellRunning(
  folder: DataFolder | undefined,
  running: {
    readonly http: readonly ListenAddress[];
    readonly nomad: readonly ListenAddress[];
    readonly dns: Dns;
    readonly version: string;
    readonly clock: Clock;
  },
  closers: (() => Promise<void>)[],
): Promise<void> {
  if (!folder) return;
  const { http, nomad, dns, version, clock } = running;
  const told = {
    http: http.map(formatAddress),
    nomad: nomad.map(formatAddress),
    dns: dns.addresses.map(formatDns),
  };
  await folder.writeRunning({ pid: process.pid, startedAt: clock.now(), version, ...told });
  closers.push(() => folder.removeRunning());
}

function portOf(addresses: readonly ListenAddress[]): number | undefined {
  for (const address of addresses) if (address.kind === "tcp") return address.port;
  return undefined;
}

function formatDns({ host, port }: DnsAddress): string {
  return formatAddress({ kind: "tcp", host, port });
}
