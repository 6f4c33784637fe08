import type { HttpReply } from "@millwright/core/http";
import type { Clock } from "@millwright/core/ports";
import { errorReply, jsonReply } from "../core/outcome.ts";
import type { GuardedCall, OpenCall, Route } from "../http/route.ts";
import type { SealControl } from "../seal/seal-control.ts";
import type { SealStatus } from "../seal/status.ts";

const everyone = (why: string) => ({ kind: "everyone", why }) as const;
const sudo = { kind: "sudo" } as const;

/** Initialization, seal and health. */
export function sealRoutes(control: SealControl, clock: Clock): readonly Route[] {
  const status = everyone("tells nothing but whether the server is sealed, and how many keys are needed");
  const statusReply = async () => jsonReply(200, statusView(await control.status()));
  const health = healthReply(control, clock);
  return [
    { method: "GET", pattern: "/v1/sys/init", permission: status, answer: () => initStatus(control) },
    {
      method: "POST",
      pattern: "/v1/sys/init",
      permission: everyone("works once, before there is anything to protect"),
      answer: (call) => init(control, call),
    },
    { method: "GET", pattern: "/v1/sys/seal-status", permission: status, answer: statusReply },
    {
      method: "POST",
      pattern: "/v1/sys/unseal",
      permission: everyone("the unseal keys themselves are what allows it"),
      answer: (call) => unseal(control, call),
    },
    {
      method: "POST",
      pattern: "/v1/sys/seal",
      permission: sudo,
      handle: async () => ({ kind: "done" }),
      after: () => control.seal(),
    },
    { method: "GET", pattern: "/v1/sys/health", permission: status, answer: health },
    { method: "GET", pattern: "/v1/sys/leader", permission: status, answer: () => leader(control) },
    { method: "GET", pattern: "/v1/sys/ha-status", permission: { kind: "policy" }, onTop: true, handle: haStatus },
  ];
}

async function initStatus(control: SealControl): Promise<HttpReply> {
  return jsonReply(200, { initialized: (await control.status()).initialized });
}

async function init(control: SealControl, { fields }: OpenCall): Promise<HttpReply> {
  const shares = fields.integer("secret_shares") ?? 0;
  const threshold = fields.integer("secret_threshold") ?? 0;
  for (const name of ["pgp_keys", "root_token_pgp_key", "recovery_shares", "recovery_threshold", "stored_shares"])
    if (fields.has(name) && !["", "0"].includes(fields.texts(name)?.join() ?? ""))
      return errorReply(400, [`${name} is not offered: unseal keys are told in clear, once`]);
  const { keys, keysBase64, rootToken } = await control.init({ shares, threshold });
  return jsonReply(200, { keys, keys_base64: keysBase64, root_token: rootToken });
}

async function unseal(control: SealControl, { fields }: OpenCall): Promise<HttpReply> {
  if (fields.boolean("reset")) return jsonReply(200, statusView(await control.resetUnseal()));
  if (fields.boolean("migrate")) return errorReply(400, ["there is no other kind of seal to migrate to"]);
  const key = fields.text("key") ?? "";
  if (key === "") return errorReply(400, ["'key' must be specified in request body as JSON, or 'reset' set to true"]);
  return jsonReply(200, statusView(await control.unseal(key)));
}

function healthReply(control: SealControl, clock: Clock) {
  return async ({ request }: OpenCall): Promise<HttpReply> => {
    const { initialized, sealed, clusterName, clusterId } = await control.status();
    const code = (name: string, usual: number) => {
      const given = Number(request.query.get(name) || usual);
      return Number.isInteger(given) && given >= 200 && given <= 599 ? given : undefined;
    };
    const found = !initialized ? code("uninitcode", 501) : sealed ? code("sealedcode", 503) : code("activecode", 200);
    if (found === undefined) return errorReply(400, ["a status code is a number from 200 to 599"]);
    return jsonReply(found, {
      initialized,
      sealed,
      // Every unsealed server serves reads and writes: none stands by.
      standby: sealed,
      performance_standby: false,
      replication_performance_mode: sealed ? "unknown" : "disabled",
      replication_dr_mode: sealed ? "unknown" : "disabled",
      server_time_utc: Math.floor(clock.now() / 1000),
      version: control.version,
      enterprise: false,
      ...(sealed || clusterName === undefined ? {} : { cluster_name: clusterName, cluster_id: clusterId }),
    });
  };
}

async function leader(control: SealControl): Promise<HttpReply> {
  const { sealed } = await control.status();
  return jsonReply(200, {
    ha_enabled: false,
    is_self: !sealed,
    active_time: "0001-01-01T00:00:00Z",
    leader_address: sealed ? "" : control.apiAddress,
    leader_cluster_address: "",
    performance_standby: false,
    performance_standby_last_remote_wal: 0,
  });
}

async function haStatus(_call: GuardedCall) {
  return { kind: "data", data: { nodes: [] } } as const;
}

/** The status as `sys/seal-status` and `sys/unseal` tell it. */
export function statusView(status: SealStatus) {
  const { initialized, sealed, clusterName, clusterId } = status;
  return {
    type: "shamir",
    initialized,
    sealed,
    t: status.threshold,
    n: status.shares,
    progress: status.progress,
    nonce: status.nonce,
    version: status.version,
    build_date: "",
    migration: false,
    ...(sealed || clusterName === undefined ? {} : { cluster_name: clusterName, cluster_id: clusterId }),
    recovery_seal: false,
    storage_type: "millwright",
  };
}
