import { OperationalError } from "@millwright/core/errors";
import type { Engine, EngineContext, EngineReply, EngineRequest, EngineType } from "../engine.ts";
import { refusal, unsupported } from "../replies.ts";
import type { SecretStorage } from "../storage.ts";
import { Connections, configPath, verifyConnection } from "./connections.ts";
import { configData, decodeConfig, isAllowed, readConfig } from "./database-config.ts";
import { type DatabaseRole, decodeRole, readRole, roleData } from "./database-role.ts";
import { Logins } from "./logins.ts";

/** Logins of databases, made when they are asked for and taken back at the end of their lease. PostgreSQL is what there is. */
export function databaseEngine(): EngineType {
  return { name: "database", class: "secret", open: async (context) => openDatabase(context) };
}

interface Databases {
  readonly storage: SecretStorage;
  readonly connections: Connections;
  readonly logins: Logins;
}

function openDatabase({ storage, clock, chance }: EngineContext): Engine {
  const connections = new Connections(storage, chance);
  const role = (name: string) => roleNamed(storage, name);
  const fieldNames = {
    ...{ creation: "creation_statements", revocation: "revocation_statements", renewal: "renew_statements" },
  };
  const logins = new Logins({ connections, clock, chance, role, fieldNames });
  const databases: Databases = { storage, connections, logins };
  return {
    exists: async ({ path }) => {
      const { head, name } = partsOf(path);
      const folder = head === "config" ? "config/" : head === "roles" ? "role/" : undefined;
      return folder === undefined || (await storage.get(folder + name)) !== undefined;
    },
    handle: async (request) => {
      const { head, name } = partsOf(request.path);
      const branch = branches.get(head);
      if (!branch) return unknownPath;
      if (request.operation === "list") return name === "" ? listed(databases, head) : unsupported;
      return name === "" || name.includes("/") ? unknownPath : branch(databases, request, name);
    },
    renewLease: (lease, expires) => logins.renew(lease, expires),
    revokeLease: (lease) => logins.revoke(lease),
    close: () => connections.close(),
  };
}

type Branch = (databases: Databases, request: EngineRequest, name: string) => Promise<EngineReply>;

const branches: ReadonlyMap<string, Branch> = new Map([
  ["config", atConfig],
  ["roles", atRole],
  ["creds", atCredentials],
  ["rotate-root", atRotation],
  ["reset", atReset],
]);

const unknownPath = refusal(
  404,
  "The database engine has no such path. There are: config/NAME, roles/NAME, creds/ROLE, rotate-root/NAME, reset/NAME.",
);

async function listed({ storage }: Databases, head: string): Promise<EngineReply> {
  if (head !== "config" && head !== "roles") return unsupported;
  const keys = await storage.list(head === "config" ? "config/" : "role/");
  return keys.length === 0 ? { kind: "missing" } : { kind: "data", data: { keys } };
}

async function atConfig(databases: Databases, request: EngineRequest, name: string): Promise<EngineReply> {
  const { storage, connections } = databases;
  const path = configPath(name);
  switch (request.operation) {
    case "read": {
      const stored = await storage.get(path);
      return stored ? { kind: "data", data: configData(decodeConfig(stored.value)) } : { kind: "missing" };
    }
    case "create":
    case "update":
      return writeConfig(databases, request, name);
    case "delete":
      await storage.commit([{ op: "delete", path }]);
      await connections.reset(name);
      return { kind: "done" };
    default:
      return unsupported;
  }
}

async function writeConfig({ storage }: Databases, { data }: EngineRequest, name: string): Promise<EngineReply> {
  if (!/^\w(?:[\w.-]*\w)?$/.test(name))
    return refusal(400, `${JSON.stringify(name)} is no name for a database: letters, digits, -, _ and . within.`);
  const path = configPath(name);
  for (;;) {
    const stored = await storage.get(path);
    const reading = readConfig(data, stored && decodeConfig(stored.value));
    if (!reading.ok) return reading.reply;
    const { value: config, warnings } = reading;
    const failure = config.isVerified ? await verificationFailure(() => verifyConnection(config)) : undefined;
    if (failure) return failure;
    const value = Buffer.from(JSON.stringify(config));
    if (await storage.commit([{ op: "put", path, value }], [{ path, revision: stored?.revision ?? 0 }]))
      return { kind: "done", warnings };
  }
}

/** The refusal of a configuration that cannot be used; nothing where it can. */
export async function verificationFailure(verify: () => Promise<void>): Promise<EngineReply | undefined> {
  try {
    await verify();
    return undefined;
  } catch (error) {
    if (!(error instanceof OperationalError)) throw error;
    return refusal(
      400,
      `error verifying connection: ${error.message} Nothing was written. Correct connection_url, username or password, or write ` +
        "with verify_connection=false to keep it unverified.",
    );
  }
}

async function atRole({ storage }: Databases, { operation, data }: EngineRequest, name: string): Promise<EngineReply> {
  const path = `role/${name}`;
  switch (operation) {
    case "read": {
      const role = await roleNamed(storage, name);
      return role ? { kind: "data", data: roleData(role) } : { kind: "missing" };
    }
    case "create":
    case "update": {
      const reading = readRole(data, await roleNamed(storage, name));
      if (!reading.ok) return reading.reply;
      await storage.commit([{ op: "put", path, value: Buffer.from(JSON.stringify(reading.value)) }]);
      return { kind: "done", warnings: reading.warnings };
    }
    case "delete":
      await storage.commit([{ op: "delete", path }]);
      return { kind: "done" };
    default:
      return unsupported;
  }
}

async function atCredentials(databases: Databases, request: EngineRequest, name: string): Promise<EngineReply> {
  if (request.operation !== "read") return unsupported;
  const { storage, connections, logins } = databases;
  const role = await roleNamed(storage, name);
  if (!role) return refusal(400, `unknown role: ${name}`);
  const { config } = await connections.get(role.database);
  if (!isAllowed(config, name))
    return refusal(
      400,
      `${JSON.stringify(name)} is not an allowed role of the database ${JSON.stringify(role.database)}: add it to ` +
        `allowed_roles of config/${role.database}.`,
    );
  return logins.issue({ roleName: name, role, displayName: request.caller?.displayName ?? "nobody" });
}

async function atRotation(
  { connections }: Databases,
  { operation }: EngineRequest,
  name: string,
): Promise<EngineReply> {
  if (operation !== "update" && operation !== "create") return unsupported;
  const { config } = await connections.get(name);
  if (config.username === "" || !/\{\{\s*password\s*\}\}/.test(config.connectionUrl))
    return refusal(
      400,
      `config/${name} has its password in connection_url, where it cannot be changed. Write {{username}} and {{password}} ` +
        "there, and give both as fields of their own.",
    );
  await connections.rotate(name);
  return { kind: "done" };
}

async function atReset({ connections }: Databases, { operation }: EngineRequest, name: string): Promise<EngineReply> {
  if (operation !== "update" && operation !== "create") return unsupported;
  await connections.reset(name);
  await connections.get(name);
  return { kind: "done" };
}

async function roleNamed(storage: SecretStorage, name: string): Promise<DatabaseRole | undefined> {
  const stored = await storage.get(`role/${name}`);
  return stored && decodeRole(stored.value);
}

function partsOf(path: string): { readonly head: string; readonly name: string } {
  const slash = path.indexOf("/");
  return slash < 0 ? { head: path, name: "" } : { head: path.slice(0, slash), name: path.slice(slash + 1) };
}
