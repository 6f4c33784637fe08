import type { VaultSecret } from "@millwright/clients/vault";
import { uses } from "@millwright/provider/call";
import type { PlanOf, StateOf } from "@millwright/provider/field-types";
import { bool, computed, list, map, number, optional, required, set, string } from "@millwright/provider/fields";
import { failure } from "@millwright/provider/problem";
import { defineResource, notKnownYet } from "@millwright/provider/resource";
import {
  boolAt,
  deleteIfThere,
  keepEmpty,
  mapLike,
  numberAt,
  objectAt,
  readIfThere,
  textAt,
  textsAt,
  textsLike,
} from "./answers.ts";
import type { VaultConnection } from "./connection.ts";
import { pathFault, placeFields, trimmedPath } from "./fields.ts";

const auditKeys = { computed: true, stable: true } as const;

const fields = {
  ...placeFields,
  path: required(string, { check: pathFault }),
  type: required(string, { replaceOnChange: true }),
  description: optional(string, { default: "" }),
  default_lease_ttl_seconds: optional(number, { computed: true, stable: true }),
  max_lease_ttl_seconds: optional(number, { computed: true, stable: true }),
  audit_non_hmac_request_keys: optional(list(string), auditKeys),
  audit_non_hmac_response_keys: optional(list(string), auditKeys),
  local: optional(bool, { default: false, replaceOnChange: true }),
  options: optional(map(string)),
  seal_wrap: optional(bool, { computed: true, stable: true, replaceOnChange: true }),
  external_entropy_access: optional(bool, { default: false, replaceOnChange: true }),
  allowed_managed_keys: optional(set(string)),
  listing_visibility: optional(string, { default: "" }),
  passthrough_request_headers: optional(list(string)),
  allowed_response_headers: optional(list(string)),
  delegated_auth_accessors: optional(list(string)),
  plugin_version: optional(string),
  identity_token_key: optional(string, { default: "" }),
  accessor: computed(string, { stable: true }),
};

type Plan = PlanOf<typeof fields>;
type State = StateOf<typeof fields>;

const lists = [
  "allowed_managed_keys",
  "passthrough_request_headers",
  "allowed_response_headers",
  "delegated_auth_accessors",
] as const;

/** `vault_mount`: a secrets engine at a path. Another path moves it, with all that is in it. */
export const vaultMount = defineResource({
  client: uses<VaultConnection>(),
  typeSystem: "legacy",
  schema: fields,
  plan: ({ plan, state }) => {
    if (!state) return undefined;
    const kept = [...lists, "options" as const].map((name) => [name, keepEmpty<unknown>(plan[name], state[name])]);
    const isSamePath = plan.path !== undefined && trimmedPath(plan.path) === trimmedPath(state.path);
    return { plan: { ...Object.fromEntries(kept), id: isSamePath ? state.id : notKnownYet } };
  },
  create: async ({ client: connection, plan, signal }) => {
    const options = await connection.optionsFor(plan, signal);
    const path = trimmedPath(plan.path);
    const { type, description, local, seal_wrap, external_entropy_access, options: settings } = plan;
    const body = { type, description, config: configOf(plan), ...(settings ? { options: settings } : {}) };
    const flags = Object.entries({ local, seal_wrap, external_entropy_access }).filter(([, isSet]) => isSet);
    await connection.client.write(`sys/mounts/${path}`, { ...body, ...Object.fromEntries(flags) }, options);
    return expected(await look(connection, { ...plan, id: path }, signal), path);
  },
  read: async ({ client: connection, state, signal }) => look(connection, state, signal),
  update: async ({ client: connection, plan, state, signal, keep }) => {
    const options = await connection.optionsFor(plan, signal);
    const [from, to] = [trimmedPath(state.id), trimmedPath(plan.path)];
    if (from !== to) {
      await connection.client.write("sys/remount", { from, to }, options);
      keep({ ...state, path: plan.path, id: to });
    }
    const { description, options: settings } = plan;
    const body = { description, ...configOf(plan, state), ...(settings ? { options: settings } : {}) };
    await connection.client.write(`sys/mounts/${to}/tune`, body, options);
    return expected(await look(connection, { ...plan, id: to }, signal), to);
  },
  delete: async ({ client: connection, state, signal }) => {
    const options = await connection.optionsFor(state, signal);
    await deleteIfThere(connection.client, `sys/mounts/${trimmedPath(state.id)}`, options);
  },
  import: async ({ client: connection, id, signal }) => {
    const path = trimmedPath(id);
    return expected(await look(connection, { ...nothing, path, id: path }, signal), path);
  },
  interrupted: ({ client: connection, sent, signal }) => {
    if (sent.path === null) throw failure("The path is not known", "A mount is found by its path, which was not kept.");
    const { namespace, path, type, plugin_version } = sent;
    const id = trimmedPath(path);
    return look(connection, { ...nothing, namespace, path, id, plugin_version, type: type ?? "" }, signal);
  },
});

/** What of a mount its reading goes by: where it is, and what only its configuration says. */
type Wanted = Pick<Plan, "namespace" | "path" | "type" | "options" | "plugin_version" | (typeof lists)[number]> & {
  readonly id: string;
};

const nothing = {
  namespace: null,
  type: "",
  options: null,
  plugin_version: null,
  allowed_managed_keys: null,
  passthrough_request_headers: null,
  allowed_response_headers: null,
  delegated_auth_accessors: null,
} as const;

async function look(connection: VaultConnection, wanted: Wanted, signal: AbortSignal): Promise<State | null> {
  const options = await connection.optionsFor(wanted, signal);
  const found = await readIfThere(connection.client, `sys/mounts/${trimmedPath(wanted.id)}`, options);
  const data = mountData(found);
  return data ? stateOf(data, wanted) : null;
}

// Where nothing is mounted some servers answer with an empty object.
function mountData(found: VaultSecret | undefined): Readonly<Record<string, unknown>> | undefined {
  return found?.data && textAt(found.data, "type") !== "" ? found.data : undefined;
}

function stateOf(data: Readonly<Record<string, unknown>>, wanted: Wanted): State {
  const config = objectAt(data, "config");
  const isSecond = textAt(data, "type") === "kv" && objectAt(data, "options").version === "2";
  const asAlias = isSecond && wanted.type === "kv-v2";
  return {
    namespace: wanted.namespace,
    id: wanted.id,
    path: wanted.path,
    type: asAlias ? "kv-v2" : textAt(data, "type"),
    description: textAt(data, "description"),
    default_lease_ttl_seconds: numberAt(config, "default_lease_ttl"),
    max_lease_ttl_seconds: numberAt(config, "max_lease_ttl"),
    audit_non_hmac_request_keys: textsAt(config, "audit_non_hmac_request_keys"),
    audit_non_hmac_response_keys: textsAt(config, "audit_non_hmac_response_keys"),
    local: boolAt(data, "local"),
    // The alias stands for the version: that it is there too is no difference.
    options:
      asAlias && wanted.options?.version === undefined ? wanted.options : mapLike(data, "options", wanted.options),
    seal_wrap: boolAt(data, "seal_wrap"),
    external_entropy_access: boolAt(data, "external_entropy_access"),
    allowed_managed_keys: textsLike(config, "allowed_managed_keys", wanted.allowed_managed_keys),
    listing_visibility: textAt(config, "listing_visibility"),
    passthrough_request_headers: textsLike(config, "passthrough_request_headers", wanted.passthrough_request_headers),
    allowed_response_headers: textsLike(config, "allowed_response_headers", wanted.allowed_response_headers),
    delegated_auth_accessors: textsLike(config, "delegated_auth_accessors", wanted.delegated_auth_accessors),
    plugin_version: textAt(data, "plugin_version") || wanted.plugin_version,
    identity_token_key: textAt(config, "identity_token_key"),
    accessor: textAt(data, "accessor"),
  };
}

/** The mount's config as it is sent: what is set, and what differs from before. */
function configOf(plan: Plan, before?: State): Readonly<Record<string, unknown>> {
  const ttl = (seconds: number | undefined) => (seconds === undefined ? undefined : `${seconds}s`);
  const wanted = {
    default_lease_ttl: ttl(plan.default_lease_ttl_seconds),
    max_lease_ttl: ttl(plan.max_lease_ttl_seconds),
    audit_non_hmac_request_keys: plan.audit_non_hmac_request_keys,
    audit_non_hmac_response_keys: plan.audit_non_hmac_response_keys,
    listing_visibility: plan.listing_visibility || (before?.listing_visibility ? "hidden" : undefined),
    plugin_version: plan.plugin_version ?? undefined,
    identity_token_key: plan.identity_token_key || undefined,
    ...Object.fromEntries(lists.map((name) => [name, plan[name] ?? (before?.[name]?.length ? [] : undefined)])),
  };
  return Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined));
}

function expected(state: State | null, path: string): State {
  if (state) return state;
  throw failure("No such mount", `Nothing is mounted at ${path}. "vault secrets list" shows what is.`);
}
