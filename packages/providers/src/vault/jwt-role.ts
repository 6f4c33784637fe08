import { uses } from "@millwright/provider/call";
import type { PlanOf, StateOf } from "@millwright/provider/field-types";
import { bool, map, number, optional, required, set, string } from "@millwright/provider/fields";
import { failure } from "@millwright/provider/problem";
import { defineResource } from "@millwright/provider/resource";
import {
  boolLike,
  deleteIfThere,
  keepEmpty,
  listsLike,
  mapLike,
  numberLike,
  readIfThere,
  textAt,
  textLike,
  textsLike,
} from "./answers.ts";
import type { VaultConnection } from "./connection.ts";
import { pathFault, placeFields, trimmedPath } from "./fields.ts";

/** What a role is told and read back by the same name, by the form of its value. */
const numbers = {
  clock_skew_leeway: optional(number),
  expiration_leeway: optional(number),
  not_before_leeway: optional(number),
  max_age: optional(number, { description: "Seconds; of OIDC alone." }),
  token_explicit_max_ttl: optional(number),
  token_max_ttl: optional(number),
  token_num_uses: optional(number),
  token_period: optional(number, { description: "Seconds that the token lives anew with each renewal." }),
  token_ttl: optional(number),
};
const flags = {
  token_no_default_policy: optional(bool),
  user_claim_json_pointer: optional(bool),
  verbose_oidc_logging: optional(bool),
};
const texts = {
  bound_subject: optional(string),
  groups_claim: optional(string),
  token_type: optional(string),
};
const sets = {
  allowed_redirect_uris: optional(set(string)),
  bound_audiences: optional(set(string)),
  oidc_scopes: optional(set(string)),
  token_bound_cidrs: optional(set(string)),
  token_policies: optional(set(string)),
};
const fields = {
  ...placeFields,
  ...numbers,
  ...flags,
  ...texts,
  ...sets,
  backend: optional(string, { default: "jwt", replaceOnChange: true, check: pathFault }),
  role_name: required(string, { replaceOnChange: true, check: pathFault }),
  role_type: optional(string, { computed: true, stable: true }),
  user_claim: required(string),
  bound_claims: optional(map(string), { description: "Claims, and what they must be: several with commas between." }),
  bound_claims_type: optional(string, { computed: true, stable: true }),
  claim_mappings: optional(map(string)),
  disable_bound_claims_parsing: optional(bool, { description: "A comma in bound_claims is part of the value." }),
};

type Plan = PlanOf<typeof fields>;
type State = StateOf<typeof fields>;
type Names<T> = readonly (keyof T & string)[];

const namesOf = <T extends object>(some: T) => Object.keys(some) as unknown as Names<T>;
const emptyable = [...namesOf({ ...numbers, ...flags, ...texts, ...sets }), "bound_claims", "claim_mappings"] as const;

/** `vault_jwt_auth_backend_role`: whom a signed token lets in, and with which policies. */
export const vaultJwtRole = defineResource({
  client: uses<VaultConnection>(),
  typeSystem: "legacy",
  schema: fields,
  plan: ({ plan, state }) => ({
    plan: Object.fromEntries(emptyable.map((name) => [name, keepEmpty<unknown>(plan[name], state?.[name])])),
  }),
  create: ({ client: connection, plan, signal }) => write(connection, plan, {}, signal),
  read: ({ client: connection, state, signal }) => look(connection, state, signal),
  update: ({ client: connection, plan, state, signal }) => write(connection, plan, unset(plan, state), signal),
  delete: async ({ client: connection, state, signal }) =>
    deleteIfThere(connection.client, pathOf(state), await connection.optionsFor(state, signal)),
  import: async ({ client: connection, id, signal }) => {
    const [, backend, name] = /^auth\/(.+)\/role\/([^/]+)$/.exec(trimmedPath(id)) ?? [];
    if (!backend || !name)
      throw failure("No path of a role", `Write auth/BACKEND/role/NAME, not ${JSON.stringify(id)}.`);
    const found = await look(connection, { ...unsaid, backend, role_name: name }, signal);
    if (!found) throw failure("No such role", `There is no role to read at ${id}.`);
    return found;
  },
  interrupted: ({ client: connection, sent: { namespace, backend, role_name }, signal }) => {
    if (backend === null || role_name === null)
      throw failure("The path is not known", "A role is found by its backend and name, which were not kept.");
    return look(connection, { ...unsaid, namespace, backend, role_name }, signal);
  },
});

type Known = Pick<State, "namespace" | "backend" | "role_name" | "disable_bound_claims_parsing"> &
  Pick<State, (typeof emptyable)[number]>;

const unsaid = {
  ...(Object.fromEntries(emptyable.map((name) => [name, null])) as Record<(typeof emptyable)[number], null>),
  namespace: null,
  disable_bound_claims_parsing: null,
};

function pathOf({ backend, role_name }: Pick<State, "backend" | "role_name">): string {
  return `auth/${trimmedPath(backend)}/role/${trimmedPath(role_name)}`;
}

async function write(connection: VaultConnection, plan: Plan, unset: object, signal: AbortSignal): Promise<State> {
  const said = Object.entries(plan).filter(([name, value]) => isOfRole(name) && value !== null && value !== undefined);
  const body = { ...unset, ...Object.fromEntries(said), bound_claims: boundClaims(plan) };
  await connection.client.write(pathOf(plan), body, await connection.optionsFor(plan, signal));
  const found = await look(connection, plan, signal);
  if (found) return found;
  throw failure("The role is gone", `It was written to ${pathOf(plan)}, and nothing is there to read.`);
}

/** What the role had and is to have no more: a write leaves what it does not name. */
function unset(plan: Plan, state: State): Readonly<Record<string, unknown>> {
  const gone = emptyable.filter((name) => (plan[name] ?? null) === null && state[name] !== null);
  return Object.fromEntries(gone.map((name) => [name, nothingLike(name, state[name])]));
}

function nothingLike(name: string, value: unknown): unknown {
  if (name === "token_type") return "default";
  if (typeof value === "number") return 0;
  if (typeof value === "boolean") return false;
  if (typeof value === "string") return "";
  return Array.isArray(value) ? [] : {};
}

const ofPlace: ReadonlySet<string> = new Set([
  ...Object.keys(placeFields),
  "backend",
  "role_name",
  "disable_bound_claims_parsing",
]);

function isOfRole(name: string): boolean {
  return !ofPlace.has(name);
}

function boundClaims({ bound_claims, disable_bound_claims_parsing }: Plan): Readonly<Record<string, unknown>> {
  const several = (value: string) => value.split(",").map((one) => one.trim());
  const split = (value: string) => (disable_bound_claims_parsing || !value.includes(",") ? value : several(value));
  return Object.fromEntries(Object.entries(bound_claims ?? {}).map(([name, value]) => [name, split(value)]));
}

async function look(connection: VaultConnection, known: Known, signal: AbortSignal): Promise<State | null> {
  const found = await readIfThere(connection.client, pathOf(known), await connection.optionsFor(known, signal));
  const { data } = found ?? {};
  if (!data) return null;
  const { namespace, backend, role_name, disable_bound_claims_parsing } = known;
  const each = <T extends object, V>(some: T, read: (name: keyof T & string) => V) =>
    Object.fromEntries(namesOf(some).map((name) => [name, read(name)])) as Record<keyof T & string, V>;
  return {
    ...{ namespace, backend, role_name, disable_bound_claims_parsing, id: pathOf(known) },
    ...each(numbers, (name) => numberLike(data, name, known[name])),
    ...each(flags, (name) => boolLike(data, name, known[name])),
    ...each(texts, (name) => textLike(data, name, known[name])),
    ...each(sets, (name) => textsLike(data, name, known[name])),
    role_type: textAt(data, "role_type"),
    user_claim: textAt(data, "user_claim"),
    bound_claims: listsLike(data, "bound_claims", known.bound_claims),
    bound_claims_type: textAt(data, "bound_claims_type"),
    claim_mappings: mapLike(data, "claim_mappings", known.claim_mappings),
  };
}
