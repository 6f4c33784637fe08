import { join } from "node:path";
import { ConsulClient } from "@millwright/clients/consul";
import type { HttpService } from "@millwright/core/http";
import type { Chance, Clock, Log } from "@millwright/core/ports";
import type { ListenAddress } from "@millwright/daemon/listener";
import type { NodeIdentity as ServerIdentity } from "@millwright/discovery/identity";
import { discoveryMembership } from "@millwright/orchestrator/discovery-membership";
import { openOrchestrator } from "@millwright/orchestrator/orchestrator";
import { managementToken } from "@millwright/orchestrator/permissions";
import type { Store } from "@millwright/store/contract";
import type { OwnNode } from "./own-node.ts";
import { urlOf } from "./own-node.ts";
import type { AclConfig, ServerConfig } from "./server.ts";

export interface JobsOptions {
  readonly store: Store;
  readonly identity: ServerIdentity;
  readonly region: string | undefined;
  /** Where this server's APIs are to be found. */
  readonly nomad: readonly ListenAddress[];
  readonly http: readonly ListenAddress[];
  readonly node: OwnNode;
  /** The data folder, for the key that identities are signed with; without one it ends with the process. */
  readonly folder: string | undefined;
  readonly acl: AclConfig | undefined;
  readonly gateCommands: ServerConfig["gateCommands"];
  readonly pretty: boolean;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly log: Log;
}

/** Opens the jobs server, which asks discovery over HTTP which nodes there are, like any other client. */
export async function openJobs(options: JobsOptions): Promise<{ handle: HttpService; close(): Promise<void> }> {
  const { store, identity, nomad, http, node, folder, acl, pretty, clock, chance, log } = options;
  const [first] = http;
  const ownAddress = first ? urlOf(first) : "";
  const client = new ConsulClient({ address: ownAddress });
  const asked = new DiscoveryClients(ownAddress, acl?.masterToken);
  const api = nomad.find((address) => address.kind === "tcp");
  const orchestrator = await openOrchestrator({
    store,
    identity: {
      region: options.region ?? "global",
      datacenter: identity.datacenter,
      name: identity.nodeName,
      address: identity.address,
      port: api?.port ?? 0,
      version: identity.version,
    },
    membership: discoveryMembership({ client, token: () => node.token(), clock, log }),
    gates: { commands: options.gateCommands ?? null, discovery: (address) => asked.at(address) },
    ...(folder === undefined ? {} : { signingKeyFile: join(folder, "jobs-signing-key.pem") }),
    ...(acl ? { authorizer: managementToken({ defaultPolicy: acl.defaultPolicy, token: acl.masterToken }) } : {}),
    ...{ pretty, clock, chance, log },
  });
  const close = async () => {
    await orchestrator.close();
    await Promise.all([client.close(), asked.close()]);
  };
  return { handle: orchestrator.handle, close };
}

/** So many addresses of others are remembered, and so many bytes are taken of an answer: jobs name them. */
const mostOthers = 100;
const mostBytes = 16 << 20;

/** The clients that gates ask how services are, one for each address. */
class DiscoveryClients {
  readonly #own: ConsulClient;
  readonly #others = new Map<string, ConsulClient>();

  /** `token` is this server's own, and shown to its own discovery alone. */
  constructor(address: string, token: string | undefined) {
    this.#own = new ConsulClient({ address, ...(token === undefined ? {} : { token }) });
  }

  at(address: string | undefined): ConsulClient {
    if (address === undefined) return this.#own;
    const client = this.#others.get(address) ?? new ConsulClient({ address }, { attempts: 1, mostBytes });
    this.#others.delete(address);
    this.#others.set(address, client);
    const [[oldest, unused] = []] = this.#others;
    if (this.#others.size > mostOthers && oldest !== undefined) {
      this.#others.delete(oldest);
      void unused?.close();
    }
    return client;
  }

  async close(): Promise<void> {
    await Promise.all([this.#own, ...this.#others.values()].map((client) => client.close()));
  }
}
