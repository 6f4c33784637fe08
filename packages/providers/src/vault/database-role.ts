import { uses } from "@millwright/provider/call";
import type { PlanOf, StateOf } from "@millwright/provider/field-types";
import { list, map, number, optional, required, string } from "@millwright/provider/fields";
import { failure } from "@millwright/provider/problem";
import { defineResource } from "@millwright/provider/resource";
import { deleteIfThere, keepEmpty, mapLike, numberAt, readIfThere, textAt, textsAt, textsLike } from "./answers.ts";
import type { VaultConnection } from "./connection.ts";
import { pathFault, placeFields, trimmedPath } from "./fields.ts";

const fields = {
  ...placeFields,
  backend: required(string, { replaceOnChange: true, check: pathFault }),
  name: required(string, { replaceOnChange: true, check: pathFault }),
  db_name: required(string, { replaceOnChange: true }),
  creation_statements: required(list(string)),
  revocation_statements: optional(list(string)),
  rollback_statements: optional(list(string)),
  renew_statements: optional(list(string)),
  default_ttl: optional(number, { default: 0, description: "Seconds; the mount's when left out." }),
  max_ttl: optional(number, { default: 0, description: "Seconds; the mount's when left out." }),
  credential_type: optional(string, { computed: true, stable: true }),
  credential_config: optional(map(string)),
};

type Plan = PlanOf<typeof fields>;
type State = StateOf<typeof fields>;

const statements = ["revocation_statements", "rollback_statements", "renew_statements"] as const;

/** `vault_database_secret_backend_role`: with which statements logins of a database are made. */
export const vaultDatabaseRole = defineResource({
  client: uses<VaultConnection>(),
  typeSystem: "legacy",
  schema: fields,
  plan: ({ plan, state }) => ({
    plan: Object.fromEntries(
      [...statements, "credential_config" as const].map((name) => [
        name,
        keepEmpty<unknown>(plan[name], state?.[name]),
      ]),
    ),
  }),
  create: ({ client: connection, plan, signal }) => write(connection, plan, signal),
  read: ({ client: connection, state, signal }) => look(connection, state, signal),
  update: ({ client: connection, plan, signal }) => write(connection, plan, signal),
  delete: async ({ client: connection, state, signal }) =>
    deleteIfThere(connection.client, pathOf(state), await connection.optionsFor(state, signal)),
  import: async ({ client: connection, id, signal }) => {
    const [backend, name] = trimmedPath(id).split("/roles/");
    if (!backend || !name) throw failure("No path of a role", `Write BACKEND/roles/NAME, not ${JSON.stringify(id)}.`);
    const found = await look(connection, { ...unsaid, backend, name }, signal);
    if (!found) throw failure("No such role", `There is no role to read at ${id}.`);
    return found;
  },
  interrupted: ({ client: connection, sent: { namespace, backend, name }, signal }) => {
    if (backend === null || name === null)
      throw failure("The path is not known", "A role is found by its backend and name, which were not kept.");
    return look(connection, { ...unsaid, namespace, backend, name }, signal);
  },
});

type Known = Pick<State, "namespace" | "backend" | "name" | "credential_config" | (typeof statements)[number]>;

const unsaid = {
  namespace: null,
  revocation_statements: null,
  rollback_statements: null,
  renew_statements: null,
  credential_config: null,
} as const;

function pathOf({ backend, name }: Pick<State, "backend" | "name">): string {
  return `${trimmedPath(backend)}/roles/${trimmedPath(name)}`;
}

async function write(connection: VaultConnection, plan: Plan, signal: AbortSignal): Promise<State> {
  const { db_name, creation_statements, default_ttl, max_ttl, credential_type, credential_config } = plan;
  const body = {
    ...{ db_name, creation_statements, default_ttl, max_ttl },
    ...Object.fromEntries(statements.map((name) => [name, plan[name] ?? []])),
    ...(credential_type ? { credential_type } : {}),
    ...(credential_config ? { credential_config } : {}),
  };
  await connection.client.write(pathOf(plan), body, await connection.optionsFor(plan, signal));
  const found = await look(connection, plan, signal);
  if (found) return found;
  throw failure("The role is gone", `It was written to ${pathOf(plan)}, and nothing is there to read.`);
}

async function look(connection: VaultConnection, known: Known, signal: AbortSignal): Promise<State | null> {
  const found = await readIfThere(connection.client, pathOf(known), await connection.optionsFor(known, signal));
  const { data } = found ?? {};
  if (!data) return null;
  const { namespace, backend, name } = known;
  return {
    ...{ namespace, backend, name, id: pathOf(known) },
    db_name: textAt(data, "db_name"),
    creation_statements: textsAt(data, "creation_statements"),
    revocation_statements: textsLike(data, "revocation_statements", known.revocation_statements),
    rollback_statements: textsLike(data, "rollback_statements", known.rollback_statements),
    renew_statements: textsLike(data, "renew_statements", known.renew_statements),
    default_ttl: numberAt(data, "default_ttl"),
    max_ttl: numberAt(data, "max_ttl"),
    credential_type: textAt(data, "credential_type") || "password",
    credential_config: mapLike(data, "credential_config", known.credential_config),
  };
}
