import { invariant, OperationalError } from "@millwright/core/errors";
import type { Caller, Engine, EngineReply, EngineRequest, EngineType, TokenGrant } from "../engine.ts";
import { secretsErrors } from "../errors.ts";
import type { PolicyStore } from "../policy/policy-store.ts";
import { refusal, unknownFieldWarnings, unsupported } from "../replies.ts";
import { fieldsOf } from "../request-fields.ts";
import { isRoleName } from "../role-name.ts";
import type { SecretStorage } from "../storage.ts";
import { grantOf, tokenRequestFields } from "./token-request.ts";
import { changedRole, deleteRole, listRoles, readRole, roleData, tokenRoleFields, writeRole } from "./token-role.ts";
import { authOf } from "./token-store.ts";
import type { Tokens, TokenView } from "./tokens.ts";

export interface TokenEngineParts {
  readonly tokens: Tokens;
  /** To warn of names that there is no policy of. */
  readonly policies: PolicyStore;
}

/** The auth method `token`, which is always mounted at `auth/token/`: its paths are those of Vault. */
export function tokenEngine(parts: TokenEngineParts): EngineType {
  return {
    name: "token",
    class: "auth",
    open: async ({ storage }) => openTokenEngine({ ...parts, storage }),
  };
}

interface Context extends TokenEngineParts {
  readonly storage: SecretStorage;
}

function openTokenEngine(context: Context): Engine {
  return {
    sudoPaths: ["accessors", "accessors/*", "revoke-orphan"],
    onePath: (path) => (/^(create|roles)\//.test(path) ? path.toLowerCase() : path),
    exists: async ({ path }) =>
      !path.startsWith("roles/") || (await readRole(context.storage, nameIn(path))) !== undefined,
    handle: async (request) => {
      const path = request.path.replace(/\/$/, "");
      if (path === "accessors" && request.operation === "list") {
        return listed(await context.tokens.accessors());
      }
      if (path === "roles" && request.operation === "list") return listed(await listRoles(context.storage));
      if (path.startsWith("roles/")) return handleRole(context, request);
      if (path.startsWith("create/")) return isWrite(request) ? create(context, request, nameIn(path)) : unsupported;
      const found = Object.hasOwn(calls, path) ? calls[path] : undefined;
      if (!found) return { kind: "missing" };
      if (found.also === "read" && request.operation === "read") return found.handle(context, request);
      return isWrite(request) ? found.handle(context, request) : unsupported;
    },
  };
}

interface TokenCall {
  /** A write always; where it says so, a read is answered too. */
  readonly also?: "read";
  handle(context: Context, request: EngineRequest): Promise<EngineReply>;
}

const calls: Readonly<Record<string, TokenCall>> = {
  create: { handle: (context, request) => create(context, request) },
  "create-orphan": { handle: (context, request) => create(context, request) },
  lookup: {
    also: "read",
    handle: async ({ tokens }, request) => {
      const token = fieldsOf(request.data).text("token") ?? clientTokenOf(request);
      const view = await tokens.find(token);
      return view ? { kind: "data", data: lookupData(view, token) } : refusal(403, "bad token");
    },
  },
  "lookup-self": {
    also: "read",
    handle: async ({ tokens }, request) => {
      const view = await tokens.byId(callerOf(request).token);
      return view ? { kind: "data", data: lookupData(view, clientTokenOf(request)) } : refusal(403, "bad token");
    },
  },
  "lookup-accessor": {
    handle: async (context, request) => {
      const view = await byAccessor(context, request);
      return view ? { kind: "data", data: lookupData(view, "") } : refusal(400, "invalid accessor");
    },
  },
  renew: {
    handle: async (context, request) => {
      const token = fieldsOf(request.data).text("token");
      if (!token) return refusal(400, "missing token ID: give the token that is to be renewed");
      return renew(context, request, { view: await context.tokens.find(token), token });
    },
  },
  "renew-self": {
    handle: async (context, request) => {
      const view = await context.tokens.byId(callerOf(request).token);
      return renew(context, request, { view, token: clientTokenOf(request) });
    },
  },
  "renew-accessor": {
    handle: async (context, request) => {
      const view = await byAccessor(context, request);
      return view ? renew(context, request, { view, token: "" }) : refusal(400, "invalid accessor");
    },
  },
  revoke: {
    handle: async ({ tokens }, request) => {
      const token = fieldsOf(request.data).text("token");
      if (!token) return refusal(400, "missing token ID: give the token that is to be revoked");
      return revoke(tokens, await tokens.find(token));
    },
  },
  "revoke-self": {
    handle: async ({ tokens }, request) => {
      await tokens.revoke(callerOf(request).token);
      return { kind: "done" };
    },
  },
  "revoke-orphan": {
    handle: async ({ tokens }, request) => {
      const token = fieldsOf(request.data).text("token");
      if (!token) return refusal(400, "missing token ID: give the token that is to be revoked");
      const view = await tokens.find(token);
      if (!view) return refusal(400, "token to revoke not found");
      await tokens.revokeOrphan(view.id);
      return { kind: "done" };
    },
  },
  "revoke-accessor": {
    handle: async (context, request) => {
      const view = await byAccessor(context, request);
      return revoke(context.tokens, view);
    },
  },
  tidy: {
    handle: async ({ tokens }) => {
      const removed = await tokens.tidy();
      return { kind: "done", warnings: [`${removed} records without a token were found and removed`] };
    },
  },
};

async function create(context: Context, request: EngineRequest, roleName?: string): Promise<EngineReply> {
  const { tokens, storage } = context;
  const caller = callerOf(request);
  const parent = await tokens.byId(caller.token);
  if (!parent) return refusal(403, "permission denied: the parent token has ended meanwhile");
  const role = roleName && isRoleName(roleName) ? await readRole(storage, roleName) : undefined;
  if (roleName && !role) return refusal(400, `unknown role ${roleName}`);
  const auth = grantOf({
    caller,
    parent,
    hasSudo: request.sudo ?? caller.policies.includes("root"),
    asOrphan: request.path === "create-orphan",
    data: request.data,
    ...(role ? { role } : {}),
  });
  const warnings = [
    ...unknownFieldWarnings(request.data, tokenRequestFields),
    ...(await policyWarnings(context, auth)),
  ];
  return { kind: "login", auth, warnings };
}

/** A right that comes only with a policy to be written later is worth a word. */
async function policyWarnings({ policies }: Context, auth: TokenGrant): Promise<readonly string[]> {
  const known = new Set(await policies.list());
  return auth.policies.filter((name) => !known.has(name)).map((name) => `Policy "${name}" does not exist`);
}

async function renew(
  { tokens }: Context,
  request: EngineRequest,
  { view, token }: { readonly view: TokenView | undefined; readonly token: string },
): Promise<EngineReply> {
  if (!view) return refusal(400, "token not found");
  const increment = fieldsOf(request.data).seconds("increment") ?? 0;
  const { view: renewed, warnings } = await tokens.renew(view.id, increment);
  return { kind: "auth", auth: authOf(renewed, token), warnings };
}

async function revoke(tokens: Tokens, view: TokenView | undefined): Promise<EngineReply> {
  if (!view) return { kind: "done", warnings: ["there is no such token: nothing was revoked"] };
  await tokens.revoke(view.id);
  return { kind: "done" };
}

async function handleRole({ storage }: Context, request: EngineRequest): Promise<EngineReply> {
  const name = nameIn(request.path.replace(/\/$/, ""));
  if (!isRoleName(name)) return refusal(400, "role name: letters, digits, _, - and points are expected");
  switch (request.operation) {
    case "read": {
      const role = await readRole(storage, name);
      return role ? { kind: "data", data: roleData(role) } : { kind: "missing" };
    }
    case "create":
    case "update": {
      await writeRole(storage, changedRole(name, await readRole(storage, name), request.data));
      return { kind: "done", warnings: unknownFieldWarnings(request.data, tokenRoleFields) };
    }
    case "delete":
      await deleteRole(storage, name);
      return { kind: "done" };
    default:
      return unsupported;
  }
}

/** What a lookup tells; `id` is empty where the token itself is not at hand. */
export function lookupData(view: TokenView, id: string): Readonly<Record<string, unknown>> {
  const time = (milliseconds: number) => new Date(milliseconds).toISOString();
  return {
    accessor: view.accessor,
    creation_time: Math.floor(view.created / 1000),
    creation_ttl: view.creationTtl,
    display_name: view.displayName,
    entity_id: "",
    expire_time: view.expires === undefined ? null : time(view.expires),
    explicit_max_ttl: view.explicitMaxTtl,
    id,
    issue_time: time(view.created),
    ...(view.lastRenewal === undefined
      ? {}
      : { last_renewal: time(view.lastRenewal), last_renewal_time: Math.floor(view.lastRenewal / 1000) }),
    meta: Object.keys(view.metadata).length === 0 ? null : view.metadata,
    num_uses: view.numUses,
    orphan: view.parent === undefined,
    path: view.path,
    ...(view.period === 0 ? {} : { period: view.period }),
    policies: view.policies,
    renewable: view.renewable,
    ttl: view.ttl,
    type: "service",
  };
}

async function byAccessor({ tokens }: Context, { data }: EngineRequest): Promise<TokenView | undefined> {
  const accessor = fieldsOf(data).text("accessor");
  if (!accessor) throw new OperationalError(secretsErrors.badRequest, "missing accessor");
  return tokens.byAccessor(accessor);
}

function listed(keys: readonly string[]): EngineReply {
  return keys.length === 0 ? { kind: "missing" } : { kind: "data", data: { keys } };
}

function isWrite({ operation }: EngineRequest): boolean {
  return operation === "create" || operation === "update";
}

function nameIn(path: string): string {
  return path.slice(path.indexOf("/") + 1);
}

function callerOf({ caller }: EngineRequest): Caller {
  invariant(caller, "a path of the token engine was called without a token");
  return caller;
}

function clientTokenOf({ clientToken }: EngineRequest): string {
  invariant(clientToken !== undefined, "the token engine was not told the caller's token");
  return clientToken;
}
