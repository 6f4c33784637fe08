import type { HttpService } from "@millwright/core/http";
import { type Chance, type Clock, type Log, systemChance, systemClock } from "@millwright/core/ports";
import { forward } from "./forward.ts";
import type { NodeState } from "./node-state.ts";
import { Registry } from "./registry.ts";
import type { Route } from "./route.ts";
import { Servers } from "./servers.ts";

/** Who a node is. */
export interface NodeIdentity {
  readonly name: string;
  /** A UUID that stays with the data folder. */
  readonly id: string;
  readonly datacenter: string;
  /** Under which others reach this node; an IP address. */
  readonly address: string;
  /** Of this program. */
  readonly version: string;
  readonly meta?: Readonly<Record<string, string>>;
  /** Whether it is a server's own node. */
  readonly server: boolean;
  readonly httpPort?: number;
  readonly dnsPort?: number;
}

export interface NodeOptions {
  readonly identity: NodeIdentity;
  /** `host:port` or URLs of discovery; each is asked when those before it do not answer. */
  readonly servers: readonly string[];
  /** Where registrations and the node's token are kept; without one nothing outlives the process. */
  readonly dataFolder?: string;
  readonly joinToken?: () => Promise<string | undefined>;
  /** Which scripts run as checks: none, those of the configuration, or also those that the API registers. */
  readonly scriptChecks: "none" | "local" | "all";
  /** Services, with their checks, in the form of Consul's configuration files. */
  readonly services?: readonly unknown[];
  /** Checks in the form of Consul's configuration files. */
  readonly checks?: readonly unknown[];
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
  /** Resolves when the node has joined once. */
  ready(): Promise<void>;
  /** Takes the node and all its services out of the catalog, and stops renewing its liveness. */
  leave(): Promise<void>;
  /** Ends its work; in the catalog it stays until its liveness ends. */
  close(): Promise<void>;
}

/** Opens a node. Rejects with `badConfiguration` where an address, a definition or the data folder cannot be used. */
export async function openNode(options: NodeOptions): Promise<Node> {
  const { clock = systemClock, chance = systemChance } = options;
  const servers = new Servers(options.servers, { clock, chance });
  const registry = new Registry();
  return {
    handle: (request) => forward(servers, request),
    routes: [],
    get state() {
      return registry.state;
    },
    ready: async () => undefined,
    leave: async () => undefined,
    close: () => servers.close(),
  };
}
