import { uses } from "@millwright/provider/call";
import type { PlanOf, StateOf } from "@millwright/provider/field-types";
import { bool, computed, list, map, object, optional, set, string } from "@millwright/provider/fields";
import { failure, problem } from "@millwright/provider/problem";
import { defineResource } from "@millwright/provider/resource";
import { boolLike, deleteIfThere, keepEmpty, mapLike, readIfThere, textAt, textLike, textsLike } from "./answers.ts";
import type { VaultConnection } from "./connection.ts";
import { pathFault, placeFields, trimmedPath } from "./fields.ts";

const texts = {
  bound_issuer: optional(string),
  default_role: optional(string),
  jwks_ca_pem: optional(string),
  jwks_url: optional(string),
  oidc_client_id: optional(string),
  oidc_discovery_ca_pem: optional(string),
  oidc_discovery_url: optional(string),
  oidc_response_mode: optional(string),
};
const lists = {
  jwt_supported_algs: optional(list(string)),
  jwt_validation_pubkeys: optional(list(string)),
  oidc_response_types: optional(list(string)),
};

// How the mount is tuned: read, and left as the server has it.
const tuning = set(
  object({
    allowed_response_headers: list(string),
    audit_non_hmac_request_keys: list(string),
    audit_non_hmac_response_keys: list(string),
    default_lease_ttl: string,
    listing_visibility: string,
    max_lease_ttl: string,
    passthrough_request_headers: list(string),
    token_type: string,
  }),
);

const fields = {
  ...placeFields,
  ...texts,
  ...lists,
  path: optional(string, { default: "jwt", replaceOnChange: true, check: pathFault }),
  type: optional(string, { default: "jwt", replaceOnChange: true }),
  description: optional(string, { replaceOnChange: true }),
  local: optional(bool, { replaceOnChange: true }),
  disable_remount: optional(bool),
  namespace_in_state: optional(bool, { default: true }),
  oidc_client_secret: optional(string, { sensitive: true }),
  provider_config: optional(map(string)),
  tune: optional(tuning, { computed: true, stable: true }),
  accessor: computed(string, { stable: true }),
};

type Plan = PlanOf<typeof fields>;
type State = StateOf<typeof fields>;
type Names<T> = readonly (keyof T & string)[];

const namesOf = <T extends object>(some: T) => Object.keys(some) as unknown as Names<T>;
const emptyable = [...namesOf({ ...texts, ...lists }), "provider_config", "description", "local"] as const;

/** `vault_jwt_auth_backend`: a login by signed tokens, and whose signatures are good. */
export const vaultJwtBackend = defineResource({
  client: uses<VaultConnection>(),
  typeSystem: "legacy",
  version: 1,
  schema: fields,
  *validate({ config: { tune, provider_config } }) {
    if (tune && tune.length > 0) yield problem("The mount cannot be tuned here", "Leave tune out: it is read only.");
    if (provider_config && Object.keys(provider_config).length > 0)
      yield problem("No OIDC provider", "Leave provider_config out: logins are by signed tokens alone.");
  },
  plan: ({ plan, state }) => ({
    plan: Object.fromEntries(emptyable.map((name) => [name, keepEmpty<unknown>(plan[name], state?.[name])])),
  }),
  create: async ({ client: connection, plan, signal }) => {
    const options = await connection.optionsFor(plan, signal);
    const { type, description, local } = plan;
    const body = { type, description: description ?? "", ...(local ? { local } : {}) };
    await connection.client.write(`sys/auth/${trimmedPath(plan.path)}`, body, options);
    return configure(connection, plan, signal);
  },
  read: ({ client: connection, state, signal }) => look(connection, state, signal),
  update: ({ client: connection, plan, signal }) => configure(connection, plan, signal),
  delete: async ({ client: connection, state, signal }) => {
    const options = await connection.optionsFor(state, signal);
    await deleteIfThere(connection.client, `sys/auth/${trimmedPath(state.path)}`, options);
  },
  import: async ({ client: connection, id, signal }) => {
    const found = await look(connection, { ...unsaid, path: trimmedPath(id) }, signal);
    if (!found) throw failure("No such login", `Nothing is mounted at auth/${id}. "vault auth list" shows what is.`);
    return found;
  },
  interrupted: ({ client: connection, sent: { namespace, path }, signal }) => {
    if (path === null) throw failure("The path is not known", "A login is found by its path, which was not kept.");
    return look(connection, { ...unsaid, namespace, path }, signal);
  },
});

type Known = Pick<State, "namespace" | "path" | (typeof emptyable)[number]> &
  Pick<State, "oidc_client_secret" | "disable_remount" | "namespace_in_state">;

const unsaid = {
  ...(Object.fromEntries(emptyable.map((name) => [name, null])) as Record<(typeof emptyable)[number], null>),
  namespace: null,
  oidc_client_secret: null,
  disable_remount: null,
  namespace_in_state: true,
};

async function configure(connection: VaultConnection, plan: Plan, signal: AbortSignal): Promise<State> {
  const path = trimmedPath(plan.path);
  const wanted = [...namesOf({ ...texts, ...lists }), "oidc_client_secret" as const];
  const body = Object.fromEntries(wanted.map((name) => [name, plan[name]]).filter(([, value]) => value !== null));
  await connection.client.write(`auth/${path}/config`, body, await connection.optionsFor(plan, signal));
  const found = await look(connection, { ...plan, path }, signal);
  if (found) return found;
  throw failure("The login is gone", `It was mounted at auth/${path}, and nothing is there to read.`);
}

async function look(connection: VaultConnection, known: Known, signal: AbortSignal): Promise<State | null> {
  const options = await connection.optionsFor(known, signal);
  const mount = (await readIfThere(connection.client, `sys/auth/${known.path}`, options))?.data;
  const type = mount && textAt(mount, "type");
  if (!mount || (type !== "jwt" && type !== "oidc")) return null;
  const config = (await readIfThere(connection.client, `auth/${known.path}/config`, options))?.data ?? {};
  const each = <T extends object, V>(some: T, read: (name: keyof T & string) => V) =>
    Object.fromEntries(namesOf(some).map((name) => [name, read(name)])) as Record<keyof T & string, V>;
  const { namespace, path, oidc_client_secret, disable_remount, namespace_in_state } = known;
  return {
    ...{ namespace, path, oidc_client_secret, disable_remount, namespace_in_state, type, id: path },
    ...each(texts, (name) => textLike(config, name, known[name])),
    ...each(lists, (name) => textsLike(config, name, known[name])),
    description: textLike(mount, "description", known.description),
    local: boolLike(mount, "local", known.local),
    provider_config: mapLike(config, "provider_config", known.provider_config),
    tune: [],
    accessor: textAt(mount, "accessor"),
  };
}
