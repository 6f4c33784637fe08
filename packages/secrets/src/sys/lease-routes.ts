import type { EngineReply } from "../engine.ts";
import type { GuardedCall, Route, RouteReply } from "../http/route.ts";
import { refusal } from "../replies.ts";

const policy = { kind: "policy" } as const;
const sudo = { kind: "sudo" } as const;

/** The leases, under their paths of today and those of 2016. */
export function leaseRoutes(): readonly Route[] {
  return [
    { method: "POST", pattern: "/v1/sys/leases/lookup", permission: policy, handle: lookup },
    { method: "LIST", pattern: "/v1/sys/leases/lookup", permission: sudo, handle: list },
    { method: "LIST", pattern: "/v1/sys/leases/lookup/*prefix", permission: sudo, handle: list },
    { method: "GET", pattern: "/v1/sys/leases/count", permission: sudo, handle: count },
    { method: "POST", pattern: "/v1/sys/leases/renew", permission: policy, handle: renew },
    { method: "POST", pattern: "/v1/sys/leases/renew/*id", permission: policy, handle: renew },
    { method: "POST", pattern: "/v1/sys/leases/revoke", permission: policy, handle: revoke },
    { method: "POST", pattern: "/v1/sys/leases/revoke/*id", permission: policy, handle: revoke },
    { method: "POST", pattern: "/v1/sys/leases/revoke-prefix/*prefix", permission: sudo, handle: revokePrefix },
    { method: "POST", pattern: "/v1/sys/leases/revoke-force/*prefix", permission: sudo, handle: revokeForce },
    { method: "POST", pattern: "/v1/sys/renew", permission: policy, onTop: true, handle: renew },
    { method: "POST", pattern: "/v1/sys/renew/*id", permission: policy, onTop: true, handle: renew },
    { method: "POST", pattern: "/v1/sys/revoke", permission: policy, onTop: true, handle: revoke },
    { method: "POST", pattern: "/v1/sys/revoke/*id", permission: policy, onTop: true, handle: revoke },
    { method: "POST", pattern: "/v1/sys/revoke-prefix/*prefix", permission: sudo, onTop: true, handle: revokePrefix },
    { method: "POST", pattern: "/v1/sys/revoke-force/*prefix", permission: sudo, onTop: true, handle: revokeForce },
  ];
}

async function lookup({ core, fields }: GuardedCall): Promise<EngineReply> {
  const id = fields.text("lease_id") ?? "";
  const lease = id === "" ? undefined : await core.leases.lookup(id);
  if (!lease) return refusal(400, id === "" ? "lease_id must be specified" : "invalid lease");
  const shown = {
    id: lease.id,
    issue_time: timeOf(lease.issued),
    expire_time: timeOf(lease.expires),
    last_renewal: timeOf(lease.lastRenewal),
    renewable: lease.renewable,
    ttl: lease.ttl,
  };
  return { kind: "data", data: lease.irrevocable === undefined ? shown : { ...shown, irrevocable: lease.irrevocable } };
}

async function list({ core, params }: GuardedCall): Promise<EngineReply> {
  const prefix = params["prefix"] ?? "";
  const keys = await core.leases.list(prefix === "" ? "" : `${prefix}/`);
  return keys.length === 0 ? { kind: "missing" } : { kind: "data", data: { keys } };
}

async function count({ core, fields }: GuardedCall): Promise<EngineReply> {
  const found = await core.leases.count();
  const isIrrevocable = fields.text("type") === "irrevocable";
  const counts = Object.entries(found.byMount).map(([path, mount]) => [
    path,
    isIrrevocable ? mount.irrevocable : mount.total,
  ]);
  const total = isIrrevocable ? found.irrevocable : found.total;
  return { kind: "data", data: { lease_count: total, counts: Object.fromEntries(counts) } };
}

async function renew({ core, fields, params }: GuardedCall): Promise<RouteReply> {
  const id = idOf(fields, params);
  if (id === "") return refusal(400, "lease_id must be specified");
  const increment = Math.max(0, fields.seconds("increment") ?? 0);
  return { kind: "renewed", lease: await core.leases.renew(id, increment) };
}

async function revoke({ core, fields, params }: GuardedCall): Promise<EngineReply> {
  const id = idOf(fields, params);
  if (id === "") return refusal(400, "lease_id must be specified");
  await core.leases.revoke(id);
  return { kind: "done" };
}

async function revokePrefix({ core, params }: GuardedCall): Promise<EngineReply> {
  await core.leases.revokePrefix(params["prefix"] ?? "");
  return { kind: "done" };
}

async function revokeForce({ core, params }: GuardedCall): Promise<EngineReply> {
  await core.leases.revokeForce(params["prefix"] ?? "");
  return { kind: "done" };
}

function idOf(fields: GuardedCall["fields"], params: Readonly<Record<string, string>>): string {
  return (params["id"] || (fields.text("lease_id") ?? "")).replace(/^\/+/, "");
}

function timeOf(milliseconds: number | undefined): string | null {
  return milliseconds === undefined ? null : new Date(milliseconds).toISOString();
}
