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
import type { AclConfig } from "./server.ts";

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
  readonly pretty: boolean;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly log: Log;
}

/** Opens the jobs server, which asks discovery over HTTP which nodes there are, like any other client. */
export async function openJobs(options: JobsOptions): Promise<{ handle: HttpService; close(): Promise<void> }> {
  const { store, identity, nomad, http, node, folder, acl, pretty, clock, chance, log } = options;
  const [first] = http;
  const client = new ConsulClient({ address: first ? urlOf(first) : "" });
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
    ...(folder === undefined ? {} : { signingKeyFile: join(folder, "jobs-signing-key.pem") }),
    ...(acl ? { authorizer: managementToken({ defaultPolicy: acl.defaultPolicy, token: acl.masterToken }) } : {}),
    ...{ pretty, clock, chance, log },
  });
  const close = async () => {
    await orchestrator.close();
    await client.close();
  };
  return { handle: orchestrator.handle, close };
}
