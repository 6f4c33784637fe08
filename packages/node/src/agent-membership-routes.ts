import type { HttpReply } from "@millwright/core/http";
import { maintenanceCheck, nodeMaintenanceId } from "./maintenance.ts";
import { published } from "./published.ts";
import { emptyReply } from "@millwright/core/http-reply";
import { parseEnable } from "./agent-service-routes.ts";
import { badRequest, notFound } from "./request-body.ts";
import type { Call, Route } from "./route.ts";
import { agentPermission, param, type RoutesContext } from "./routes-context.ts";

/** Joining, leaving, reading the configuration again, and maintenance of the whole node. */
export function agentMembershipRoutes(context: RoutesContext): Route[] {
  const put = (pattern: string, permission: Route["permission"], handle: Route["handle"]): Route => ({
    method: "PUT",
    pattern,
    permission,
    blocking: false,
    handle,
  });
  const writes = agentPermission("write", context);
  const removes: Route["permission"] = {
    kind: "needs",
    what: "agent:write on the node that is removed",
    of: (call) => [{ resource: "agent", access: "write", name: param(call, "node") }],
  };
  return [
    put("/v1/agent/join/*address", writes, (call) => join(call, context)),
    put("/v1/agent/leave", writes, async () => {
      await context.leave();
      return emptyReply(200);
    }),
    put("/v1/agent/force-leave/:node", removes, (call) => forceLeave(call, context)),
    put("/v1/agent/reload", writes, async () => {
      await context.reload?.();
      return emptyReply(200);
    }),
    put("/v1/agent/maintenance", writes, (call) => setMaintenance(call, context)),
  ];
}

const defaultPort = 8500;
const joinMilliseconds = 5_000;

/** Adds a server's HTTP address, and waits until the node has joined. */
async function join(call: Call, { servers, member }: RoutesContext): Promise<HttpReply> {
  const given = param(call, "address");
  if (given === "") throw badRequest("Missing address to join");
  const hasPort = given.includes("://") || /:\d+$/.test(given);
  servers.add(hasPort ? given : `${given}:${defaultPort}`);
  member.tryNow();
  const over = AbortSignal.any([call.request.signal, AbortSignal.timeout(joinMilliseconds)]);
  try {
    await member.alive(over);
  } catch {
    const state = member.state;
    const why = "why" in state && state.why !== undefined ? state.why : "no server has answered yet";
    throw badRequest(`Not joined: ${why}\nThe node goes on trying. Check the address and the join token.`);
  }
  return emptyReply(200);
}

/** Removes a node that does not live any more from the catalog; one that lives comes back by itself. */
async function forceLeave(call: Call, { servers }: RoutesContext): Promise<HttpReply> {
  const node = param(call, "node");
  const { token } = call;
  const signal = call.request.signal;
  await servers.call(
    async (client, within) => {
      const known = await client.catalog.node(node, { token, signal: within });
      if (!known.value) throw notFound(`agent: No node found with name '${node}'`);
      await client.catalog.deregister({ node }, { token, signal: within });
    },
    { signal, patienceMilliseconds: joinMilliseconds },
  );
  return emptyReply(200);
}

async function setMaintenance(call: Call, context: RoutesContext): Promise<HttpReply> {
  const { registry, keeper } = context;
  if (!parseEnable(call.query)) registry.dispatch({ kind: "check-deregistered", id: nodeMaintenanceId });
  else {
    const check = maintenanceCheck("", call.query.get("reason") ?? "");
    registry.dispatch({ kind: "check-registered", check, origin: { from: "api", token: call.token } });
  }
  await keeper.flush();
  await published(context, { check: nodeMaintenanceId }, call.request.signal);
  return emptyReply(200);
}
