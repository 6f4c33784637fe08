import { nomadVersion } from "@millwright/core/followed-versions";
import type { HttpReply } from "@millwright/core/http";
import { emptyReply, jsonReply } from "@millwright/core/http-reply";
import type { ServerIdentity } from "../context.ts";
import type { HttpContext } from "./context.ts";
import { readMeta } from "./job-routes.ts";
import { access, everyone, management } from "./needs.ts";
import { isPretty } from "./reading.ts";
import type { Call, Route, RoutePermission } from "./route.ts";

/** What the server says of itself and of the whole: `/v1/agent`, `/v1/status`, `/v1/operator`, `/v1/system`. */
export function agentRoutes(context: HttpContext): Route[] {
  const { identity } = context;
  const address = `${identity.address}:${identity.port}`;
  const get = (pattern: string, permission: RoutePermission, give: (call: Call) => unknown): Route => {
    return {
      method: "GET",
      pattern,
      permission,
      blocking: false,
      handle: async (call) => jsonReply(await give(call), isPretty(context, call)),
    };
  };
  const put = (pattern: string, handle: Route["handle"]): Route => {
    return { method: "PUT", pattern, permission: management, blocking: false, handle };
  };
  const needed = "clients ask it to see whether the server is there";
  const shared = everyone(needed);
  return [
    get("/v1/status/leader", shared, () => address),
    get("/v1/status/peers", shared, () => [address]),
    get("/v1/regions", shared, () => [identity.region]),
    get("/v1/agent/self", access("agent", "read"), () => selfJson(context)),
    get("/v1/agent/members", access("node", "read"), () => membersJson(identity)),
    get("/v1/agent/servers", access("agent", "read"), () => [address]),
    {
      method: "GET",
      pattern: "/v1/agent/health",
      permission: shared,
      blocking: false,
      handle: (call) => health(context, call),
    },
    get("/v1/operator/scheduler/configuration", access("operator", "read"), () => ({
      SchedulerConfig: schedulerConfiguration,
      ...readMeta(1),
    })),
    put("/v1/system/gc", async () => {
      await context.commands.collectGarbage();
      return emptyReply(200);
    }),
    // Summaries are counted when they are asked for: there is nothing to put right.
    put("/v1/system/reconcile/summaries", async () => emptyReply(200)),
    get("/.well-known/jwks.json", everyone("whoever is shown an identity checks it by these keys"), () => ({
      keys: context.jwks(),
    })),
    get("/.well-known/openid-configuration", everyone("it says where the keys are"), () => openIdJson(identity)),
  ];
}

const schedulerConfiguration = {
  SchedulerAlgorithm: "binpack",
  PreemptionConfig: {
    SystemSchedulerEnabled: false,
    SysBatchSchedulerEnabled: false,
    BatchSchedulerEnabled: false,
    ServiceSchedulerEnabled: false,
  },
  MemoryOversubscriptionEnabled: false,
  RejectJobRegistration: false,
  PauseEvalBroker: false,
  CreateIndex: 1,
  ModifyIndex: 1,
} as const;

async function health(context: HttpContext, call: Call): Promise<HttpReply> {
  const types = call.query.getAll("type");
  const isWell = context.projection.knowsLeader;
  const server = { ok: isWell, message: isWell ? "ok" : "no leader" };
  const client = { ok: false, message: "client not enabled" };
  const body = {
    ...(types.includes("client") ? { client } : {}),
    ...(types.length === 0 || types.includes("server") ? { server } : {}),
  };
  const isOk = isWell && !types.includes("client");
  return jsonReply(body, isPretty(context, call), isOk ? 200 : 500);
}

function selfJson({ identity, projection }: HttpContext): object {
  const { region, datacenter, name, address, port, version } = identity;
  return {
    config: {
      Region: region,
      Datacenter: datacenter,
      NodeName: name,
      BindAddr: address,
      Ports: { HTTP: port },
      Server: { Enabled: true },
      Client: { Enabled: false },
      ACL: { Enabled: false },
      Version: { Version: nomadVersion, VersionPrerelease: "", VersionMetadata: `millwright-${version}`, Revision: "" },
    },
    member: memberJson(identity),
    stats: {
      nomad: {
        server: "true",
        leader: String(projection.knowsLeader),
        leader_addr: `${address}:${port}`,
        known_regions: "1",
      },
      runtime: { arch: process.arch, kernel: process.platform, version: process.version },
    },
  };
}

function membersJson(identity: ServerIdentity): object {
  const { name, region, datacenter } = identity;
  return { ServerName: name, ServerRegion: region, ServerDC: datacenter, Members: [memberJson(identity)] };
}

function memberJson({ name, address, port, region, datacenter }: ServerIdentity): object {
  return {
    Name: `${name}.${region}`,
    Addr: address,
    Port: port,
    Tags: { role: "nomad", region, dc: datacenter, build: nomadVersion, vsn: "1", port: String(port) },
    Status: "alive",
    ProtocolMin: 1,
    ProtocolMax: 5,
    ProtocolCur: 2,
    DelegateMin: 2,
    DelegateMax: 5,
    DelegateCur: 4,
  };
}

function openIdJson({ address, port }: ServerIdentity): object {
  const issuer = `http://${address.includes(":") ? `[${address}]` : address}:${port}`;
  return {
    issuer,
    jwks_uri: `${issuer}/.well-known/jwks.json`,
    response_types_supported: ["code"],
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: ["RS256"],
  };
}
