import { formatDuration, second } from "@millwright/text/duration";
import type { Engine, EngineContext, EngineReply, EngineRequest, EngineType } from "../engine.ts";
import { refusal, unknownFieldWarnings, unsupported } from "../replies.ts";
import { fieldsOf } from "../request-fields.ts";
import type { SecretStorage } from "../storage.ts";
import { withoutPassword } from "./connection-url.ts";
import { Connections, configPath, verifyConnection } from "./connections.ts";
import { decodeConfig, pluginName, readConfig } from "./database-config.ts";
import { verificationFailure } from "./database-engine.ts";
import { type DatabaseRole, decodeRole, placeholderWarnings, statementsFault } from "./database-role.ts";
import { Logins } from "./logins.ts";
import { statementTexts } from "./statements.ts";

/**
 * The database engine as it was in 2016, for one PostgreSQL: `config/connection`, `config/lease`, `roles/NAME` with `sql`, and
 * `creds/NAME`. What it does is the same as the engine `database` does.
 */
export function postgresqlEngine(): EngineType {
  return { name: "postgresql", class: "secret", open: async (context) => openPostgresql(context) };
}

interface Postgresql {
  readonly storage: SecretStorage;
  readonly connections: Connections;
  readonly logins: Logins;
}

/** The one database that there is. */
const connectionName = "connection";

function openPostgresql({ storage, clock, chance }: EngineContext): Engine {
  const connections = new Connections(storage, chance);
  const role = (name: string) => roleNamed(storage, name);
  const fieldNames = { creation: "sql", revocation: "revocation_sql", renewal: "sql" };
  const logins = new Logins({ connections, clock, chance, role, fieldNames });
  const postgresql: Postgresql = { storage, connections, logins };
  return {
    exists: async ({ path }) => {
      const stored = path.startsWith("roles/") ? `role/${path.slice("roles/".length)}` : path;
      return (await storage.get(stored)) !== undefined;
    },
    handle: async (request) => {
      const [head = "", name = "", ...more] = request.path.split("/");
      if (request.operation === "list" && head === "roles" && name === "") return listed(storage);
      if (more.length > 0 || name === "") return unknownPath;
      if (request.path === "config/connection") return atConnection(postgresql, request);
      if (request.path === "config/lease") return atLease(storage, request);
      if (head === "roles") return atRole(storage, request, name);
      return head === "creds" ? atCredentials(postgresql, request, name) : unknownPath;
    },
    renewLease: (lease, expires) => logins.renew(lease, expires),
    revokeLease: (lease) => logins.revoke(lease),
    close: () => connections.close(),
  };
}

const unknownPath = refusal(
  404,
  "The postgresql engine has no such path. There are: config/connection, config/lease, roles/NAME, creds/NAME.",
);

async function listed(storage: SecretStorage): Promise<EngineReply> {
  const keys = await storage.list("role/");
  return keys.length === 0 ? { kind: "missing" } : { kind: "data", data: { keys } };
}

const connectionFields = [
  "connection_url",
  "value",
  "verify_connection",
  "max_open_connections",
  "max_idle_connections",
];

async function atConnection({ storage, connections }: Postgresql, request: EngineRequest): Promise<EngineReply> {
  const path = configPath(connectionName);
  if (request.operation === "read") {
    const stored = await storage.get(path);
    if (!stored) return { kind: "missing" };
    const { connectionUrl, maxOpen, maxIdle } = decodeConfig(stored.value);
    const shown = withoutPassword(connectionUrl);
    return {
      kind: "data",
      data: { connection_url: shown, max_open_connections: maxOpen, max_idle_connections: maxIdle },
    };
  }
  if (request.operation !== "update" && request.operation !== "create") return unsupported;
  const { value, ...rest } = request.data;
  const known = Object.fromEntries(Object.entries(rest).filter(([name]) => connectionFields.includes(name)));
  const url = known["connection_url"] ?? value;
  const reading = readConfig({ max_open_connections: 2, ...known, connection_url: url, plugin_name: pluginName });
  if (!reading.ok) return reading.reply;
  const config = { ...reading.value, allowedRoles: ["*"] };
  const failure = config.isVerified ? await verificationFailure(() => verifyConnection(config)) : undefined;
  if (failure) return failure;
  await storage.commit([{ op: "put", path, value: Buffer.from(JSON.stringify(config)) }]);
  await connections.reset(connectionName);
  return { kind: "done", warnings: unknownFieldWarnings(request.data, connectionFields) };
}

/** Seconds. */
interface LeaseTimes {
  readonly lease: number;
  readonly leaseMax: number;
}

async function atLease(storage: SecretStorage, { operation, data }: EngineRequest): Promise<EngineReply> {
  if (operation === "read") {
    const times = await leaseTimes(storage);
    if (!times) return { kind: "missing" };
    const text = (seconds: number) => formatDuration(BigInt(seconds) * second);
    return { kind: "data", data: { lease: text(times.lease), lease_max: text(times.leaseMax) } };
  }
  if (operation !== "update" && operation !== "create") return unsupported;
  const fields = fieldsOf(data);
  const lease = fields.seconds("lease");
  const leaseMax = fields.seconds("lease_max") ?? 0;
  if (lease === undefined || lease <= 0) return refusal(400, "lease is missing: how long a login lasts (1h, 30m).");
  if (leaseMax < 0 || (leaseMax > 0 && leaseMax < lease))
    return refusal(400, "lease_max: a time not shorter than lease is expected (24h).");
  const value = Buffer.from(JSON.stringify({ lease, leaseMax } satisfies LeaseTimes));
  await storage.commit([{ op: "put", path: "config/lease", value }]);
  return { kind: "done", warnings: unknownFieldWarnings(data, ["lease", "lease_max"]) };
}

async function leaseTimes(storage: SecretStorage): Promise<LeaseTimes | undefined> {
  const stored = await storage.get("config/lease");
  return stored && JSON.parse(Buffer.from(stored.value).toString());
}

async function atRole(storage: SecretStorage, { operation, data }: EngineRequest, name: string): Promise<EngineReply> {
  const path = `role/${name}`;
  switch (operation) {
    case "read": {
      const role = await roleNamed(storage, name);
      if (!role) return { kind: "missing" };
      const revocation = role.revocation.length > 0 && { revocation_sql: role.revocation.join("\n") };
      return { kind: "data", data: { sql: role.creation.join("\n"), ...revocation } };
    }
    case "create":
    case "update": {
      const creation = statementTexts(data["sql"] ?? "");
      const revocation = statementTexts(data["revocation_sql"] ?? "");
      if (!creation || creation.length === 0)
        return refusal(400, `sql is missing: CREATE ROLE "{{name}}" WITH LOGIN PASSWORD '{{password}}'; GRANT …`);
      if (!revocation) return refusal(400, "revocation_sql: a text is expected.");
      const fault = statementsFault("sql", creation) ?? statementsFault("revocation_sql", revocation);
      if (fault !== undefined) return refusal(400, fault);
      const value = Buffer.from(JSON.stringify({ creation, revocation, database: connectionName }));
      await storage.commit([{ op: "put", path, value }]);
      const unknown = unknownFieldWarnings(data, ["sql", "revocation_sql"]);
      return { kind: "done", warnings: [...unknown, ...placeholderWarnings("sql", creation)] };
    }
    case "delete":
      await storage.commit([{ op: "delete", path }]);
      return { kind: "done" };
    default:
      return unsupported;
  }
}

async function atCredentials(postgresql: Postgresql, request: EngineRequest, name: string): Promise<EngineReply> {
  if (request.operation !== "read") return unsupported;
  const { storage, connections, logins } = postgresql;
  const role = await roleNamed(storage, name);
  if (!role) return refusal(400, `unknown role: ${name}`);
  if (!(await storage.get(configPath(connectionName))))
    return refusal(
      400,
      "There is no connection to a database yet. Write it to config/connection first (connection_url=…).",
    );
  await connections.get(connectionName);
  const times = await leaseTimes(storage);
  const timed: DatabaseRole = { ...role, defaultTtl: times?.lease ?? 0, maxTtl: times?.leaseMax ?? 0 };
  return logins.issue({ roleName: name, role: timed, displayName: request.caller?.displayName ?? "nobody" });
}

async function roleNamed(storage: SecretStorage, name: string): Promise<DatabaseRole | undefined> {
  const stored = await storage.get(`role/${name}`);
  return stored && decodeRole(stored.value);
}
