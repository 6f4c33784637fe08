import { consulVersion } from "@millwright/core/followed-versions";
import { jsonReply } from "@millwright/core/http-reply";
import type { NodeIdentity } from "./identity.ts";
import type { Route } from "./route.ts";
import type { DiscoveryProjection } from "./state.ts";

export interface AgentRoutesContext {
  readonly identity: NodeIdentity;
  readonly projection: DiscoveryProjection;
  readonly pretty: boolean;
}

/** What of `/v1/agent` a server answers about itself. */
export function agentRoutes(context: AgentRoutesContext): Route[] {
  const { identity, projection } = context;
  return [
    {
      method: "GET",
      pattern: "/v1/agent/self",
      permission: {
        kind: "needs",
        what: "agent:read on this node",
        of: () => [{ resource: "agent", access: "read", name: identity.nodeName }],
      },
      blocking: false,
      handle: async (call) => jsonReply(describe(identity, projection), context.pretty || call.query.has("pretty")),
    },
  ];
}

function describe(identity: NodeIdentity, projection: DiscoveryProjection): object {
  const { datacenter, nodeName, nodeId, address, serverPort, version } = identity;
  const build = `${consulVersion}:millwright-${version}`;
  return {
    Config: {
      Datacenter: datacenter,
      PrimaryDatacenter: datacenter,
      NodeName: nodeName,
      NodeID: nodeId,
      Revision: `millwright-${version}`,
      Server: true,
      Version: consulVersion,
    },
    DebugConfig: {
      Datacenter: datacenter,
      NodeName: nodeName,
      NodeID: nodeId,
      ServerMode: true,
      AdvertiseAddrLAN: address,
    },
    Coord: { Vec: [0, 0, 0, 0, 0, 0, 0, 0], Error: 1.5, Adjustment: 0, Height: 0.00001 },
    Member: {
      Name: nodeName,
      Addr: address,
      Port: serverPort,
      Tags: { build, dc: datacenter, id: nodeId, port: String(serverPort), role: "consul", segment: "" },
      // As the members' protocol numbers them: 1 is alive.
      Status: 1,
      ProtocolMin: 1,
      ProtocolMax: 5,
      ProtocolCur: 2,
      DelegateMin: 2,
      DelegateMax: 5,
      DelegateCur: 4,
    },
    Stats: {
      agent: { blocked_queries: String(projection.blocked) },
      build: { revision: `millwright-${version}`, version: consulVersion, version_metadata: "", prerelease: "" },
      consul: { server: "true", leader: String(projection.knowsLeader), leader_addr: `${address}:${serverPort}` },
      runtime: { arch: process.arch, os: process.platform, version: process.version },
      store: { applied_revision: String(projection.applied) },
    },
    Meta: {},
  };
}
