import type { ConsulClient } from "@millwright/clients/consul";
import type { HttpService } from "@millwright/core/http";
import { type Chance, type Clock, type Log, silentLog, systemChance, systemClock } from "@millwright/core/ports";
import { agentCheckRoutes } from "./agent-check-routes.ts";
import { agentHealthRoutes } from "./agent-health-routes.ts";
import { agentInfoRoutes } from "./agent-info-routes.ts";
import { agentMembershipRoutes } from "./agent-membership-routes.ts";
import { agentServiceRoutes } from "./agent-service-routes.ts";
import type { AliasedCheck } from "./alias.ts";
import { AntiEntropy } from "./anti-entropy.ts";
import { CheckRunner } from "./check-runner.ts";
import { configure, type Definitions, readDefinitions } from "./configure.ts";
import type { NodeIdentity } from "./identity.ts";
import { keepNothing, openKeeper } from "./keeper.ts";
import { openIdentity } from "./kept-identity.ts";
import { Member, type Renewal } from "./member.ts";
import { isOnline } from "./membership.ts";
import { nodeService } from "./node-service.ts";
import type { NodeState } from "./node-state.ts";
import { Registry } from "./registry.ts";
import type { Route } from "./route.ts";
import type { RoutesContext } from "./routes-context.ts";
import { serverAuthorizer } from "./server-authorizer.ts";
import { noServer, Servers } from "./servers.ts";
import { type TaskServices, taskServices } from "./task-services.ts";
import { Timetable } from "./timetable.ts";

export interface NodeOptions extends Definitions {
  readonly identity: NodeIdentity;
  /** `host:port` or URLs of discovery; each is asked when those before it do not answer. */
  readonly servers: readonly string[];
  /** Where registrations and the node's token are kept; without one nothing outlives the process. */
  readonly dataFolder?: string;
  readonly joinToken?: () => Promise<string | undefined>;
  /** Which scripts run as checks: none, those of the configuration, or also those that the API registers. */
  readonly scriptChecks: "none" | "local" | "all";
  /** Called for `PUT /v1/agent/leave`, when the node has left: the process is to end. */
  readonly onLeave?: () => void;
  /** Called for `PUT /v1/agent/reload`: reads the configuration again, and gives it to the node. */
  readonly onReload?: () => Promise<void>;
  readonly clock?: Clock;
  readonly chance?: Chance;
  readonly log?: Log;
  /** Indent all JSON. */
  readonly pretty?: boolean;
}

/** One node: its services and checks, and the way to the servers. */
export interface Node {
  /** The whole of Consul's HTTP API: `/v1/agent` from here, all else from a server. */
  readonly handle: HttpService;
  /** What it answers itself, for documentation and tests. */
  readonly routes: readonly Route[];
  readonly state: NodeState;
  /** Services of tasks, for parts of the same process. */
  readonly tasks: TaskServices;
  /** Carries out a read with a server that can, for parts of the same process. Rejects with `noServer`. */
  call<T>(read: (client: ConsulClient) => Promise<T>): Promise<T>;
  /** The node's own token; empty before it has joined. Secret. */
  token(): string;
  /** Resolves when the node has joined once. */
  ready(): Promise<void>;
  /** Takes services and checks of the configuration in place of those it had before. Throws `badConfiguration`. */
  reconfigure(definitions: Definitions): void;
  /** Takes the node and all its services out of the catalog, and stops renewing its liveness. */
  leave(): Promise<void>;
  /** Ends its work; in the catalog it stays until its liveness ends. */
  close(): Promise<void>;
}

/** Opens a node. Rejects with `badConfiguration` where an address, a definition or the data folder cannot be used. */
export async function openNode(options: NodeOptions): Promise<Node> {
  const { identity, scriptChecks, onLeave, onReload, pretty = false } = options;
  const closing = new AbortController();
  const { signal } = closing;
  const parts = await openParts(options);
  const { registry, keeper, timetable, member, antiEntropy, runner, servers, kept, nodeToken, clock } = parts;
  const background = [timetable.run(signal), member.run(signal), antiEntropy.run(signal)];
  const leave = () => leaveDatacenter(options, parts, signal);
  const routes = nodeRoutes({
    ...{ identity, registry, runner, keeper, member, servers, nodeToken, scriptChecks, clock },
    leave: async () => {
      await leave();
      onLeave?.();
    },
    ...(onReload ? { reload: onReload } : {}),
  });
  const authorizer = serverAuthorizer({ servers, kept, clock, signal });
  return {
    routes,
    handle: nodeService({ routes, authorizer, servers, nodeName: identity.name, pretty }),
    get state() {
      return registry.state;
    },
    tasks: taskServices({ registry, keeper, member, clock, signal }),
    call: (read) => servers.call(read, { signal, patienceMilliseconds: longestRead }),
    token: nodeToken,
    ready: () => member.alive(signal),
    reconfigure: (definitions) =>
      configure(registry, readDefinitions(withOwnService({ ...options, ...definitions })), scriptChecks),
    leave,
    close: async () => {
      closing.abort();
      await runner.close();
      await Promise.all(background);
      await keeper.close();
      await servers.close();
    },
  };
}

/** The parts of a node, each of which does one thing; nothing runs yet but the checks' first timers. */
async function openParts(options: NodeOptions) {
  const { identity, dataFolder, clock = systemClock, chance = systemChance, log = silentLog } = options;
  const ports = { clock, chance, log };
  const servers = new Servers(options.servers, ports);
  const kept = await openIdentity(dataFolder, identity);
  const nodeToken = () => kept.get()?.token ?? "";
  const registry = new Registry();
  configure(registry, readDefinitions(withOwnService(options)), options.scriptChecks);
  const keeper = dataFolder === undefined ? keepNothing : await openKeeper({ dataFolder, registry, clock, log });
  const timetable = new Timetable(clock);
  const { joinToken = async () => undefined } = options;
  const antiEntropy = new AntiEntropy({ registry, servers, identity, nodeToken, ...ports });
  const onRenewed = (heard: Renewal) => antiEntropy.hear(heard);
  const member = new Member({ identity, servers, kept, joinToken, onRenewed, ...ports });
  member.listen((state) => antiEntropy.setOnline(isOnline(state)));
  const watchNode = watchChecks(servers, nodeToken);
  const runner = new CheckRunner({ registry, timetable, nodeName: identity.name, watchNode, ...ports });
  return { ...ports, servers, kept, nodeToken, registry, keeper, timetable, member, antiEntropy, runner };
}

type Parts = Awaited<ReturnType<typeof openParts>>;

async function leaveDatacenter({ identity }: NodeOptions, parts: Parts, signal: AbortSignal): Promise<void> {
  const { member, kept, servers, nodeToken, log } = parts;
  member.leave();
  if (kept.get() === undefined) return;
  await servers.call(
    (client, within) => client.catalog.deregister({ node: identity.name }, { token: nodeToken(), signal: within }),
    { signal, patienceMilliseconds: leaveMilliseconds },
  );
  log.write("info", "node: taken out of the catalog", { node: identity.name });
}

const leaveMilliseconds = 5_000;
/** A blocking read takes ten minutes and a sixteenth at most. */
const longestRead = 660_000;
/** What a server's own node says that its server is. */
const consulService = { id: "consul", name: "consul", port: 8300 };

function withOwnService(options: NodeOptions): Definitions {
  const { services = [], checks = [] } = options;
  return { services: options.identity.server ? [consulService, ...services] : services, checks };
}

function nodeRoutes(context: RoutesContext): readonly Route[] {
  return [
    ...agentInfoRoutes(context),
    ...agentServiceRoutes(context),
    ...agentCheckRoutes(context),
    ...agentHealthRoutes(context),
    ...agentMembershipRoutes(context),
  ];
}

function watchChecks(servers: Servers, nodeToken: () => string) {
  return async function* (name: string, signal: AbortSignal): AsyncGenerator<readonly AliasedCheck[]> {
    const [server] = servers.inOrder;
    if (!server) throw noServer([]);
    const settings = { signal, token: nodeToken() };
    for await (const { value } of server.client.health.watchNode(name, settings))
      yield value.map(({ checkId, serviceId, status }) => ({ id: checkId, serviceId, status }));
  };
}
