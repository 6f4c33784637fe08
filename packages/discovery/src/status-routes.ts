import { jsonReply } from "@millwright/core/http-reply";
import { parseReadOptions } from "@millwright/records/read-options";
import type { NodeIdentity } from "./identity.ts";
import { contactHeaders } from "./reply.ts";
import type { Call, Route } from "./route.ts";
import type { DiscoveryReads } from "./state.ts";

export interface StatusRoutesContext extends DiscoveryReads {
  readonly identity: NodeIdentity;
  readonly pretty: boolean;
}

/** `/v1/status`. Every server writes to the store by itself, so each says of itself that it leads. */
export function statusRoutes(context: StatusRoutesContext): Route[] {
  const everyone = { kind: "everyone", why: "it tells no more than the address that was asked" } as const;
  const answer = (give: () => unknown) => async (call: Call) => {
    const { consistency } = parseReadOptions(call.query);
    if (consistency !== "stale") await context.projection.fresh();
    const { knowsLeader: knownLeader, lastContact } = context.projection;
    const headers = contactHeaders({ knownLeader, lastContact: consistency === "stale" ? lastContact : 0 });
    return jsonReply(give(), context.pretty || call.query.has("pretty"), 200, headers);
  };
  const address = () => `${context.identity.address}:${context.identity.serverPort}`;
  return [
    { method: "GET", pattern: "/v1/status/leader", permission: everyone, blocking: false, handle: answer(address) },
    {
      method: "GET",
      pattern: "/v1/status/peers",
      permission: everyone,
      blocking: false,
      handle: answer(() => [address()]),
    },
  ];
}
