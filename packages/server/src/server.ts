import { hostname } from "node:os";
import type { HttpService } from "@millwright/core/http";
import { textReply } from "@millwright/core/http-reply";
import { type Chance, type Clock, type Log, silentLog, systemChance, systemClock } from "@millwright/core/ports";
import { type DataFolder, openDataFolder } from "@millwright/daemon/data-folder";
import { formatAddress, type ListenAddress, listen } from "@millwright/daemon/listener";
import { type Discovery, openDiscovery } from "@millwright/discovery/discovery";
import { allowAll, type Authorizer, staticTokens } from "@millwright/discovery/permissions";
import type { Definitions } from "@millwright/node/configure";
import { openSecrets } from "@millwright/secrets/secrets";
import { vaultVersion } from "@millwright/core/followed-versions";
import { claimFolder } from "@millwright/process/claim";
import { type DevSeal, unsealForDevelopment } from "./dev-seal.ts";
import { type JoinToken, openJoinToken } from "./join-token.ts";
import { type OwnNode, openOwnNode } from "./own-node.ts";
import { openStore, type StoreConfig } from "./stores.ts";

export type { StoreConfig } from "./stores.ts";

/** How a server is to run; everything has a default that suits one machine. */
export interface ServerConfig {
  /** Where Consul's HTTP API is served; `127.0.0.1:8500` by default. */
  readonly http?: readonly ListenAddress[];
  /** Where Vault's HTTP API is served; nowhere by default, and no secrets are kept then. */
  readonly vault?: readonly ListenAddress[];
  /** Where Nomad's HTTP API is served; nowhere by default, and no jobs are run then. */
  readonly nomad?: readonly ListenAddress[];
  /** Where names are answered, over UDP and TCP; nowhere by default. */
  readonly dns?: readonly { readonly host: string; readonly port: number }[];
  /** Take free ports where the wanted ones are taken. */
  readonly freePortsIfTaken?: boolean;
  /** What discovery keeps its data in; memory by default. */
  readonly store?: StoreConfig;
  /** What secrets are kept in; the same store as discovery's by default. */
  readonly secretsStore?: StoreConfig;
  /** Initialise and unseal the secrets without being asked, for development; sealed until somebody unseals by default. */
  readonly devSeal?: DevSeal;
  /** A file with the token that nodes join with; `join-token` in the data folder by default. */
  readonly joinTokenFile?: string;
  /** Let nodes join without a token: for a server without access control, where everybody may write everything anyway. */
  readonly openJoin?: boolean;
  readonly nodeName?: string;
  /** A UUID; that of the data folder by default. */
  readonly nodeId?: string;
  /** What to say of this server's node. */
  readonly meta?: Readonly<Record<string, string>>;
  readonly datacenter?: string;
  /** Of the jobs; `global` by default. */
  readonly region?: string;
  /** Under which others reach this server; 127.0.0.1 by default. */
  readonly advertiseAddress?: string;
  /** Which scripts run as checks of this server's own node; none by default. */
  readonly scriptChecks?: "none" | "local" | "all";
  /** What that node registers beside what the server serves, in the form of Consul's configuration files. */
  readonly services?: readonly unknown[];
  readonly checks?: readonly unknown[];
  /** Called for `PUT /v1/agent/reload`. */
  readonly onReload?: () => Promise<void>;
  readonly acl?: AclConfig;
  /** Where commands of jobs' gates run, as this server; none are run by default. */
  readonly gateCommands?: { readonly folder: string; readonly env: Readonly<Record<string, string | undefined>> };
  /** Indent all JSON. */
  readonly pretty?: boolean;
  readonly version?: string;
  readonly clock?: Clock;
  readonly chance?: Chance;
  readonly log?: Log;
}

/** Access control with one token that may do everything, and a policy for requests without a token. */
export interface AclConfig {
  readonly defaultPolicy: "allow" | "deny";
  readonly masterToken: string;
}

export interface RunningServer {
  /** Where Consul's HTTP API is served, with the ports that were taken. */
  readonly http: readonly ListenAddress[];
  /** Where Vault's HTTP API is served. */
  readonly vault: readonly ListenAddress[];
  /** Where Nomad's HTTP API is served. */
  readonly nomad: readonly ListenAddress[];
  /** Where names are answered. */
  readonly dns: readonly { readonly host: string; readonly port: number }[];
  readonly nodeId: string;
  readonly joinToken: JoinToken;
  /** The file with the root token of a server that was unsealed for development. */
  readonly rootTokenFile: string | undefined;
  /** Takes services and checks in place of those that the configuration had before. Throws `badConfiguration`. */
  reconfigure(definitions: Definitions): void;
  /** Closes and opens the audit devices' files, after a rotation of logs. */
  reopenLogs(): Promise<void>;
  /** Answers what is under way, ends waits early, frees stores and ports. */
  close(): Promise<void>;
}

const serverPort = 8300;
const graceMilliseconds = 10_000;
const defaultHttp: ListenAddress = { kind: "tcp", host: "127.0.0.1", port: 8500 };

/**
 * Starts a server: discovery and secrets, each over its store, and a node for itself, which speaks to discovery over HTTP
 * like any other. Rejects with an operational error that says what to do where a port is taken, the data folder cannot be
 * used or a store cannot be opened; nothing is left running then.
 */
export async function startServer(config: ServerConfig = {}): Promise<RunningServer> {
  const opened: Opened = { closers: [] };
  const close = async () => {
    for (const closeOne of opened.closers.splice(0).reverse()) await closeOne();
  };
  try {
    return await start(config, opened, close);
  } catch (error) {
    await close();
    throw error;
  }
}

interface Opened {
  /** In the order in which things were opened: each may use those before it, so they are closed from the last on. */
  readonly closers: (() => Promise<void>)[];
}

async function start(config: ServerConfig, opened: Opened, close: () => Promise<void>): Promise<RunningServer> {
  const { clock = systemClock, chance = systemChance, log = silentLog } = config;
  const ports = { clock, chance, log };
  const version = config.version ?? "0.1.0";
  const folder = await openFolder(config.store, chance);
  // A store of its own in the folder keeps others away; over etcd two servers would share the folder's identity.
  if (folder && config.store?.kind === "etcd") {
    const claim = await claimFolder(folder.path, "server.pid");
    opened.closers.push(() => claim.release());
  }
  const stores = await openStores(config, opened);
  const nodeId = config.nodeId ?? folder?.nodeId ?? chance.uuid();
  const identity = { ...identityOf(config), nodeId, version };
  const joinToken = await openJoinToken(
    {
      ...(config.joinTokenFile === undefined ? {} : { file: config.joinTokenFile }),
      ...(folder ? { dataFolder: folder.path } : {}),
    },
    chance,
  );
  const pretty = config.pretty ?? false;
  const authorizer = authorizerOf(config.acl);
  const joining = { joinToken: joinToken.token, openJoin: config.openJoin === true && config.acl === undefined };
  const discoveryOptions = { store: stores.discovery, identity, authorizer, pretty, ...joining };
  const discovery = await openDiscovery({ ...discoveryOptions, ...ports });
  opened.closers.push(() => discovery.close());
  const listenAll = listening(config, ports, opened);
  const own: { node?: OwnNode } = {};
  const consul: HttpService = (request) => consulApi(request, discovery, own.node);
  const http = await listenAll(config.http ?? [defaultHttp], consul, "-http-port");
  const keeping = { store: stores.secrets, version: vaultVersion, devMounts: config.devSeal !== undefined };
  const secrets = servesSecrets(config) ? await openSecrets({ ...keeping, ...ports }) : undefined;
  if (secrets) opened.closers.push(() => secrets.close());
  const vault = secrets ? await listenAll(config.vault ?? [], secrets.handle, "-vault-port") : [];
  const jobs: { service?: HttpService } = {};
  const jobsApi: HttpService = async (request) =>
    jobs.service?.(request) ?? textReply(503, "The server is starting. Try again in a moment.");
  const nomad = await listenAll(config.nomad ?? [], jobsApi, "-nomad-port");
  own.node = await openOwnNode({ identity, http, vault, nomad, config, joinToken: joinToken.token, ...ports });
  opened.closers.push(() => own.node?.close() ?? Promise.resolve());
  if (nomad.length > 0) {
    const place = { store: stores.discovery, identity, nomad, http, node: own.node, folder: folder?.path };
    // A server without jobs does not load what runs them.
    const { openJobs } = await import("./jobs.ts");
    const opening = await openJobs({
      ...{ ...place, region: config.region, acl: config.acl, gateCommands: config.gateCommands, pretty, ...ports },
    });
    opened.closers.push(() => opening.close());
    jobs.service = opening.handle;
  }
  const { dns } = own.node;
  // Last of all, so that a start that fails makes no keys.
  const rootTokenFile = secrets && config.devSeal ? await unsealForDevelopment(secrets, config.devSeal) : undefined;
  const apis = { http: http.map(formatAddress), vault: vault.map(formatAddress), nomad: nomad.map(formatAddress) };
  const told = { ...apis, dns: dns.map(formatDns) };
  await folder?.writeRunning({ pid: process.pid, startedAt: clock.now(), version, ...told });
  opened.closers.push(async () => folder?.removeRunning());
  return {
    http,
    vault,
    nomad,
    dns,
    nodeId,
    joinToken,
    rootTokenFile,
    reconfigure: (definitions) => own.node?.reconfigure(definitions),
    reopenLogs: async () => secrets?.reopenAudit(),
    close,
  };
}

interface Ports {
  readonly clock: Clock;
  readonly chance: Chance;
  readonly log: Log;
}

/** What listens on all of some addresses, and gives those that came of them. */
function listening(config: ServerConfig, { clock, chance, log }: Ports, { closers }: Opened) {
  return async (addresses: readonly ListenAddress[], service: HttpService, portFlag: string) => {
    const found: ListenAddress[] = [];
    for (const address of addresses) {
      const shared = { service, clock, log, portFlag, requestId: () => chance.uuid() };
      const listener = await listen({ ...shared, address, freePortIfTaken: config.freePortsIfTaken ?? false });
      closers.push(() => listener.close(graceMilliseconds));
      log.write("info", "server: listening", { address: formatAddress(listener.address) });
      found.push(listener.address);
    }
    return found;
  };
}

function identityOf({ datacenter = "dc1", nodeName = hostname(), advertiseAddress = "127.0.0.1" }: ServerConfig) {
  return { datacenter, nodeName, address: advertiseAddress, serverPort };
}

// The server's own node answers for itself; everything else of Consul's API is discovery's.
const consulApi = (request: Parameters<HttpService>[0], discovery: Discovery, node: OwnNode | undefined) =>
  node && request.path.startsWith("/v1/agent/") ? node.handle(request) : discovery.handle(request);

async function openFolder(store: StoreConfig | undefined, chance: Chance): Promise<DataFolder | undefined> {
  return store && store.kind !== "memory" ? openDataFolder(store.dataFolder, chance) : undefined;
}

function servesSecrets({ vault = [] }: ServerConfig): boolean {
  return vault.length > 0;
}

async function openStores(config: ServerConfig, opened: Opened) {
  const { store = { kind: "memory" }, secretsStore } = config;
  const discovery = await openStore(store, "discovery");
  opened.closers.push(() => discovery.close());
  if (!secretsStore || !servesSecrets(config)) return { discovery, secrets: discovery };
  if (secretsStore.kind === "sqlite") await openDataFolder(secretsStore.dataFolder, systemChance);
  const secrets = await openStore(secretsStore, "secrets");
  opened.closers.push(() => secrets.close());
  return { discovery, secrets };
}

function authorizerOf(acl: AclConfig | undefined): Authorizer {
  return acl ? staticTokens({ defaultPolicy: acl.defaultPolicy, master: acl.masterToken }) : allowAll;
}

function formatDns({ host, port }: { readonly host: string; readonly port: number }): string {
  return formatAddress({ kind: "tcp", host, port });
}
