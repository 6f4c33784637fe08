import { consulVersion } from "@millwright/core/followed-versions";
import type { HttpReply } from "@millwright/core/http";
import { emptyReply, jsonReply } from "@millwright/core/http-reply";
import { topicOf } from "@millwright/records/table";
import { answerList, type CatalogContext, isPretty } from "./catalog-context.ts";
import { nameOf, needs, nodeRead } from "./catalog-routes.ts";
import type { Call, Route } from "./route.ts";

/**
 * What tools ask of a cluster's servers and of the distances between nodes, told as it is: a server keeps everything in its
 * store, so each is the one voter and the leader of its own answers; and nodes have no coordinates.
 */
export function operatorRoutes(context: CatalogContext): Route[] {
  const operator: Route["permission"] = {
    kind: "needs",
    what: "operator:read",
    of: () => [{ resource: "operator", access: "read" }],
  };
  const since = new Date(context.clock.now()).toISOString();
  const get = (pattern: string, permission: Route["permission"], handle: Route["handle"]): Route => {
    return { method: "GET", pattern, permission, blocking: false, handle };
  };
  const unplaced = needs("nothing: nodes have no coordinates");
  return [
    get("/v1/operator/raft/configuration", operator, (call) => configuration(context, call)),
    get("/v1/operator/autopilot/health", operator, (call) => serverHealth(context, call, since)),
    get("/v1/coordinate/datacenters", unplaced, async (call) => jsonReply([], isPretty(context, call))),
    { ...get("/v1/coordinate/nodes", unplaced, (call) => noNodes(context, call)), blocking: true },
    {
      method: "GET",
      pattern: "/v1/coordinate/node/*node",
      permission: { kind: "needs", what: "node:read", of: (call) => [nodeRead({ name: call.params.node ?? "" })] },
      blocking: false,
      handle: async (call) => {
        nameOf(call, "node", "node name");
        return emptyReply(404);
      },
    },
  ];
}

async function configuration(context: CatalogContext, call: Call): Promise<HttpReply> {
  const { identity, projection } = context;
  await projection.fresh();
  const server = {
    ID: identity.nodeId,
    Node: identity.nodeName,
    Address: `${identity.address}:${identity.serverPort}`,
    Leader: true,
    ProtocolVersion: "3",
    Voter: true,
    LastIndex: projection.state.indexOf(projection.applied),
  };
  return jsonReply({ Servers: [server], Index: 0 }, isPretty(context, call));
}

async function serverHealth(context: CatalogContext, call: Call, since: string): Promise<HttpReply> {
  const { identity, projection } = context;
  const healthy = projection.knowsLeader;
  const server = {
    ID: identity.nodeId,
    Name: identity.nodeName,
    Address: `${identity.address}:${identity.serverPort}`,
    SerfStatus: "alive",
    Version: consulVersion,
    Leader: true,
    LastContact: `${Math.trunc(projection.lastContact)}ms`,
    LastTerm: 0,
    LastIndex: projection.state.indexOf(projection.applied),
    Healthy: healthy,
    Voter: true,
    StableSince: since,
  };
  const body = { Healthy: healthy, FailureTolerance: 0, Servers: [server] };
  // As Consul tells a cluster that is not well, so that a probe need not read the body.
  return jsonReply(body, isPretty(context, call), healthy ? 200 : 429);
}

function noNodes(context: CatalogContext, call: Call): Promise<HttpReply> {
  const answer = () => ({ value: [], hidden: false });
  return answerList(context, call, { topics: [topicOf("node")], answer, item: (item: never) => item });
}
