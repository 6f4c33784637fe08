import type { HttpReply } from "@millwright/core/http";
import { emptyReply } from "@millwright/core/http-reply";
import type { Permission } from "./permissions.ts";
import { readHeaders } from "./reply.ts";
import type { Call, Route } from "./route.ts";
import { restoreSnapshot, takeSnapshot } from "./snapshot.ts";
import type { DiscoveryGenerations } from "./state.ts";

/** `/v1/snapshot`: an archive of everything, which any of our servers can restore, whatever its store. */
export function snapshotRoutes(context: DiscoveryGenerations): Route[] {
  const everything: Permission = { resource: "acl", access: "write" };
  const permission = { kind: "needs", what: "acl:write, as it holds everything", of: () => [everything] } as const;
  const pattern = "/v1/snapshot";
  return [
    { method: "GET", pattern, permission, blocking: false, handle: () => save(context) },
    { method: "PUT", pattern, permission, blocking: false, handle: (call) => restore(context, call) },
  ];
}

async function save(context: DiscoveryGenerations): Promise<HttpReply> {
  const { index, archive } = await takeSnapshot(context);
  const knownLeader = context.projection.knowsLeader;
  const headers = readHeaders({ index, knownLeader, lastContact: 0, consistency: "default", filtered: false });
  return { status: 200, headers: { ...headers, "content-type": "application/x-gzip" }, body: archive };
}

async function restore(context: DiscoveryGenerations, call: Call): Promise<HttpReply> {
  await restoreSnapshot(context, call.request.body());
  return emptyReply(200);
}
