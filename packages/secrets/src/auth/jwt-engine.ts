import { isKind, OperationalError } from "@millwright/core/errors";
import type { Clock } from "@millwright/core/ports";
import type { Engine, EngineContext, EngineReply, EngineRequest, EngineType, Mount } from "../engine.ts";
import { secretsErrors } from "../errors.ts";
import { isObject } from "../objects.ts";
import { refusal, unknownFieldWarnings, unsupported } from "../replies.ts";
import { fieldsOf } from "../request-fields.ts";
import { isRoleName } from "../role-name.ts";
import type { SecretStorage, StoredValue } from "../storage.ts";
import type { FetchJson } from "./fetch-json.ts";
import { fetchJson } from "./fetch-json.ts";
import { faultOfClaims, metadataOf, userOf } from "./jwt-claims.ts";
import type { JwtConfig } from "./jwt-config.ts";
import { configData, configOf, jwtConfigFields } from "./jwt-config.ts";
import type { JwtKeys } from "./jwt-keys.ts";
import { jwtKeys } from "./jwt-keys.ts";
import type { JwtRole } from "./jwt-role.ts";
import { changedRole, jwtRoleFields, roleData } from "./jwt-role.ts";

/** The auth method `jwt`: trades a signed token of another issuer for one of this server's. Its paths are those of Vault. */
export function jwtEngine(ports: { readonly fetchJson?: FetchJson } = {}): EngineType {
  return {
    name: "jwt",
    class: "auth",
    open: async (context) => openJwtEngine(context, ports.fetchJson ?? fetchJson),
  };
}

interface Context {
  readonly storage: SecretStorage;
  readonly clock: Clock;
  readonly mount: Mount;
  readonly keys: CurrentKeys;
}

function openJwtEngine({ storage, clock, mount }: EngineContext, fetch: FetchJson): Engine {
  const context: Context = { storage, clock, mount, keys: new CurrentKeys(storage, { clock, fetchJson: fetch }) };
  return {
    openPaths: ["login"],
    onePath: (path) => (path.startsWith("role/") ? path.toLowerCase() : path),
    exists: async ({ path }) => !path.startsWith("role/") || (await storage.get(rolePath(nameIn(path)))) !== undefined,
    handle: async (request) => {
      const path = request.path.replace(/\/$/, "");
      if (path === "login") return isWrite(request) ? login(context, request) : unsupported;
      if (path === "config") return handleConfig(context, request);
      if (path === "role" && request.operation === "list") {
        const keys = await storage.list("role/");
        return keys.length === 0 ? { kind: "missing" } : { kind: "data", data: { keys } };
      }
      return path.startsWith("role/") ? handleRole(context, nameIn(path), request) : { kind: "missing" };
    },
  };
}

async function login({ storage, clock, mount, keys }: Context, { data }: EngineRequest): Promise<EngineReply> {
  const fields = fieldsOf(data);
  const current = await keys.get();
  if (!current) return refusal(400, `could not load configuration: write it to ${mount.path}config first`);
  const name = fields.text("role") || current.config.defaultRole;
  if (!name) return refusal(400, "missing role: give the role, or set default_role in the configuration");
  const role = isRoleName(name) ? await readRole(storage, name) : undefined;
  if (!role) return refusal(400, `role "${name}" could not be found`);
  const jwt = fields.text("jwt");
  if (!jwt) return refusal(400, "missing token: give it as jwt");
  const verified = await whereReachable(current.keys.verify(jwt));
  if (!("ok" in verified)) return verified;
  if (!verified.ok) return refusal(400, `error validating token: error verifying token signature: ${verified.why}`);
  const { payload: claims, issuer = "" } = verified;
  if (!isObject(claims)) return refusal(400, "error validating token: its payload is no set of claims");
  const wanted = current.config.boundIssuer || issuer;
  if (wanted !== "" && claims["iss"] !== wanted) {
    return refusal(400, "error validating token: invalid issuer (iss) claim");
  }
  const fault = faultOfClaims(claims, role, clock.now() / 1000);
  if (fault !== undefined) return refusal(400, `error validating token: ${fault}`);
  const user = userOf(claims, role);
  if ("fault" in user) return refusal(400, user.fault);
  return {
    kind: "login",
    auth: {
      displayName: `${mount.path.replace(/^auth\//, "").replace(/\/$/, "")}-${user.name}`,
      policies: role.policies,
      metadata: metadataOf(claims, role),
      ttl: role.ttl,
      maxTtl: role.maxTtl,
      explicitMaxTtl: role.explicitMaxTtl,
      period: role.period,
      numUses: role.numUses,
      renewable: true,
      withDefaultPolicy: role.withDefaultPolicy,
    },
  };
}

async function whereReachable<T>(call: Promise<T>): Promise<T | Extract<EngineReply, { kind: "refused" }>> {
  try {
    return await call;
  } catch (error) {
    if (!isKind(error, secretsErrors.unreachable)) throw error;
    return { kind: "refused", status: 502, errors: [`the issuer's keys could not be fetched: ${error.message}`] };
  }
}

async function handleConfig({ storage, keys }: Context, request: EngineRequest): Promise<EngineReply> {
  if (request.operation === "read") {
    const current = await keys.get();
    return current ? { kind: "data", data: configData(current.config) } : { kind: "missing" };
  }
  if (!isWrite(request)) return unsupported;
  const config = configOf(request.data);
  if (!fieldsOf(request.data).boolean("skip_jwks_validation")) {
    try {
      await keys.of(config).check();
    } catch (error) {
      if (!isKind(error, secretsErrors.unreachable)) throw error;
      const message = `error checking the keys' address, so nothing was written: ${error.message}`;
      throw new OperationalError(secretsErrors.badRequest, message, { cause: error });
    }
  }
  await storage.commit([{ op: "put", path: configPath, value: Buffer.from(JSON.stringify(config)) }]);
  return { kind: "done", warnings: unknownFieldWarnings(request.data, jwtConfigFields) };
}

async function handleRole({ storage }: Context, name: string, request: EngineRequest): Promise<EngineReply> {
  if (!isRoleName(name)) return refusal(400, "role name: letters, digits, _, - and points are expected");
  switch (request.operation) {
    case "read": {
      const role = await readRole(storage, name);
      return role ? { kind: "data", data: roleData(role) } : { kind: "missing" };
    }
    case "create":
    case "update": {
      const role = changedRole(name, await readRole(storage, name), request.data);
      await storage.commit([{ op: "put", path: rolePath(name), value: Buffer.from(JSON.stringify(role)) }]);
      return { kind: "done", warnings: unknownFieldWarnings(request.data, jwtRoleFields) };
    }
    case "delete":
      await storage.commit([{ op: "delete", path: rolePath(name) }]);
      return { kind: "done" };
    default:
      return unsupported;
  }
}

/** The stored configuration, with its keys: the same ones until another is stored, here or by another server. */
class CurrentKeys {
  readonly #storage: SecretStorage;
  readonly #ports: { readonly clock: Clock; readonly fetchJson: FetchJson };
  #known: { readonly revision: number; readonly config: JwtConfig; readonly keys: JwtKeys } | undefined;

  constructor(storage: SecretStorage, ports: { readonly clock: Clock; readonly fetchJson: FetchJson }) {
    this.#storage = storage;
    this.#ports = ports;
  }

  async get(): Promise<{ readonly config: JwtConfig; readonly keys: JwtKeys } | undefined> {
    const stored = await this.#storage.get(configPath);
    if (!stored) return undefined;
    if (this.#known?.revision === stored.revision) return this.#known;
    const config = decode<JwtConfig>(stored);
    this.#known = { revision: stored.revision, config, keys: this.of(config) };
    return this.#known;
  }

  of(config: JwtConfig): JwtKeys {
    return jwtKeys(config, this.#ports);
  }
}

const configPath = "config";

function rolePath(name: string): string {
  return `role/${name.toLowerCase()}`;
}

async function readRole(storage: SecretStorage, name: string): Promise<JwtRole | undefined> {
  const stored = await storage.get(rolePath(name));
  return stored && decode<JwtRole>(stored);
}

/** One of our own records. */
function decode<T>({ value }: StoredValue): T {
  return JSON.parse(Buffer.from(value).toString()) as T;
}

function nameIn(path: string): string {
  return path.slice(path.indexOf("/") + 1).replace(/\/$/, "");
}

function isWrite({ operation }: EngineRequest): boolean {
  return operation === "create" || operation === "update";
}
