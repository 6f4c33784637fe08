import { consulVersion } from "@millwright/core/followed-versions";
import { arch, cpus, freemem, hostname, platform, totalmem, uptime } from "node:os";
import type { HttpReply } from "@millwright/core/http";
import { OperationalError } from "@millwright/core/errors";
import { memberView, selfView } from "./agent-views.ts";
import { livenessCheck } from "./compare-catalog.ts";
import { onlyGranted } from "./permissions.ts";
import { jsonReply } from "@millwright/core/http-reply";
import type { Call, Route } from "./route.ts";
import { agentPermission, type RoutesContext } from "./routes-context.ts";

/** What a node says of itself, and of the datacenter's members. */
export function agentInfoRoutes(context: RoutesContext): Route[] {
  const { identity, registry, member, servers } = context;
  const get = (pattern: string, permission: Route["permission"], give: (call: Call) => unknown): Route => ({
    method: "GET",
    pattern,
    permission,
    blocking: false,
    handle: async (call) => jsonReply(await give(call), call.pretty),
  });
  const reads = agentPermission("read", context);
  return [
    get("/v1/agent/self", reads, () =>
      selfView(identity, registry.state, { membership: member.state.kind, addresses: servers.addresses }),
    ),
    get("/v1/agent/host", reads, () => describeHost(context)),
    get("/v1/agent/metrics", reads, () => describeMetrics(context)),
    get("/v1/agent/version", { kind: "everyone", why: "it tells no more than the program's version" }, () => ({
      SHA: "",
      BuildDate: "0001-01-01T00:00:00Z",
      HumanVersion: consulVersion,
      FIPS: "",
    })),
    membersRoute(context),
  ];
}

type MemberView = Parameters<typeof memberView>[0];

function membersRoute(context: RoutesContext): Route {
  // What was known last holds while no server can be reached.
  let known: readonly MemberView[] = [];
  return {
    method: "GET",
    pattern: "/v1/agent/members",
    permission: { kind: "needs", what: "node:read on each member that is shown", of: () => [] },
    blocking: false,
    handle: async (call): Promise<HttpReply> => {
      known = await readMembers(call, context).catch((error: unknown) => {
        if (error instanceof OperationalError) return known;
        throw error;
      });
      const self = selfMember(context);
      const all = [self, ...known.filter(({ name }) => name !== self.name)];
      const isWide = call.query.has("wan") && call.query.get("wan") !== "0";
      const asked = isWide ? all.filter(({ server }) => server) : all;
      const seen = await onlyGranted(call.grants, asked, ({ name }) => ({ resource: "node", access: "read", name }));
      const views = seen.map((view) =>
        memberView(isWide ? { ...view, name: `${view.name}.${view.datacenter}` } : view),
      );
      return jsonReply(views, call.pretty);
    },
  };
}

function selfMember({ identity }: RoutesContext): MemberView {
  const { name, id, address, datacenter, version, server } = identity;
  return { name, id, address, datacenter, version, server, isAlive: true };
}

const patienceMilliseconds = 5_000;

async function readMembers(call: Call, { servers, nodeToken }: RoutesContext): Promise<readonly MemberView[]> {
  const token = nodeToken();
  return servers.call(
    async (client, signal) => {
      const [nodes, checks, consul] = await Promise.all([
        client.catalog.nodes({ token, signal }),
        client.health.state("critical", { token, signal }),
        client.catalog.service("consul", { token, signal }),
      ]);
      const lost = new Set(checks.value.filter(({ checkId }) => checkId === livenessCheck).map(({ node }) => node));
      const serverNames = new Set(consul.value.map(({ node }) => node.node));
      return nodes.value.map(({ node: name, id, address, datacenter }) => ({
        name,
        id,
        address,
        datacenter,
        server: serverNames.has(name),
        isAlive: !lost.has(name),
      }));
    },
    { signal: call.request.signal, patienceMilliseconds },
  );
}

function describeHost({ clock }: RoutesContext): object {
  const total = totalmem();
  const free = freemem();
  return {
    Memory: { total, available: free, used: total - free, free },
    CPU: cpus().map(({ model, speed }, cpu) => ({ cpu, modelName: model, mhz: speed })),
    Host: {
      hostname: hostname(),
      uptime: Math.round(uptime()),
      os: platform(),
      platform: platform(),
      kernelArch: arch(),
    },
    // Nanoseconds, as Consul's has it.
    CollectionTime: clock.now() * 1_000_000,
    Errors: null,
  };
}

function describeMetrics({ registry, member, clock }: RoutesContext): object {
  const { services, checks } = registry.state;
  const statuses = Map.groupBy(checks.values(), ({ status }) => status);
  const unsent = [...services.values(), ...checks.values()].filter(({ sync }) => sync.kind !== "synced").length;
  const gauges: readonly (readonly [string, number])[] = [
    ["consul.agent.services", services.size],
    ["consul.agent.checks", checks.size],
    ["consul.agent.checks.passing", statuses.get("passing")?.length ?? 0],
    ["consul.agent.checks.warning", statuses.get("warning")?.length ?? 0],
    ["consul.agent.checks.critical", statuses.get("critical")?.length ?? 0],
    ["consul.agent.unsent", unsent],
    ["consul.agent.alive", member.state.kind === "alive" ? 1 : 0],
    ["consul.runtime.alloc_bytes", process.memoryUsage().heapUsed],
  ];
  return {
    Timestamp: new Date(clock.now()).toISOString().replace("T", " ").replace("Z", " +0000 UTC"),
    Gauges: gauges.map(([Name, Value]) => ({ Name, Value, Labels: {} })),
    Points: [],
    Counters: [],
    Samples: [],
  };
}
