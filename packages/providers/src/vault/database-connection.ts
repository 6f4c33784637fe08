import { uses } from "@millwright/provider/call";
import type { ConfigOf, PlanOf, StateOf } from "@millwright/provider/field-types";
import { blocks, bool, list, map, number, optional, required, string, writeOnly } from "@millwright/provider/fields";
import { failure, problem } from "@millwright/provider/problem";
import { defineResource } from "@millwright/provider/resource";
import { atMostOneOf } from "@millwright/provider/rules";
import { boolAt, deleteIfThere, keepEmpty, numberAt, objectAt, readIfThere, textAt, textsLike } from "./answers.ts";
import type { VaultConnection } from "./connection.ts";
import { pathFault, placeFields, trimmedPath } from "./fields.ts";

const text = { default: "" } as const;
const secret = { default: "", sensitive: true } as const;

const postgresqlFields = {
  connection_url: optional(string, text),
  username: optional(string, text),
  password: optional(string, secret),
  password_wo: writeOnly(string, { description: "As password, and kept in no plan or state." }),
  password_wo_version: optional(number, {
    default: 0,
    description: "To be raised whenever password_wo is to be sent again.",
  }),
  max_open_connections: optional(number, { default: 2 }),
  max_idle_connections: optional(number, { default: 0 }),
  max_connection_lifetime: optional(number, { default: 0, description: "Seconds." }),
  password_authentication: optional(string, { default: "password" }),
  disable_escaping: optional(bool, { default: false }),
  username_template: optional(string, text),
  self_managed: optional(bool, { default: false }),
  auth_type: optional(string, text),
  service_account_json: optional(string, secret),
  tls_ca: optional(string, text),
  tls_certificate: optional(string, text),
  private_key: optional(string, secret),
};

const fields = {
  ...placeFields,
  backend: required(string, { replaceOnChange: true, check: pathFault }),
  name: required(string, { replaceOnChange: true, check: pathFault }),
  plugin_name: optional(string, { computed: true, stable: true }),
  verify_connection: optional(bool, { default: true }),
  allowed_roles: optional(list(string)),
  root_rotation_statements: optional(list(string)),
  data: optional(map(string), { description: "Further settings, as the plugin has them." }),
  rotation_period: optional(number),
  rotation_schedule: optional(string),
  rotation_window: optional(number),
  disable_automated_rotation: optional(bool),
  postgresql: blocks.list(postgresqlFields, { max: 1 }),
};

type Config = ConfigOf<typeof fields>;
type Plan = PlanOf<typeof fields>;
type State = StateOf<typeof fields>;
type Settings = StateOf<typeof postgresqlFields>;

const kept = [
  "allowed_roles",
  "root_rotation_statements",
  "data",
  "rotation_period",
  "rotation_schedule",
  "rotation_window",
  "disable_automated_rotation",
] as const;

/**
 * `vault_database_secret_backend_connection`: where a database is, and how the server logs in there. Of passwords it reads
 * nothing back; another one is sent where the configuration's own has changed, or its version.
 */
export const vaultDatabaseConnection = defineResource({
  client: uses<VaultConnection>(),
  typeSystem: "legacy",
  schema: fields,
  *validate({ config }) {
    if (config.postgresql?.length === 0)
      yield problem("No database is described", "Exactly one block is needed that says which: postgresql { … }.");
    const block = config.postgresql?.[0];
    if (!block) return;
    for (const fault of atMostOneOf(block, ["password", "password_wo"])) yield { ...fault, at: ["postgresql", 0] };
    if (block.password_wo !== null && block.password_wo_version === null) {
      const advice = "Set password_wo_version = 1, and raise it whenever password_wo is to be sent again.";
      yield problem("Missing version of a write-only argument", advice, ["postgresql", 0, "password_wo"]);
    }
  },
  plan: ({ plan, state }) => ({
    plan: Object.fromEntries(kept.map((name) => [name, keepEmpty<unknown>(plan[name], state?.[name])])),
  }),
  create: ({ client: connection, config, plan, signal }) => write(connection, { config, plan, state: null }, signal),
  read: ({ client: connection, state, signal }) => look(connection, state, signal),
  update: ({ client: connection, config, plan, state, signal }) => write(connection, { config, plan, state }, signal),
  delete: async ({ client: connection, state, signal }) =>
    deleteIfThere(connection.client, pathOf(state), await connection.optionsFor(state, signal)),
  import: async ({ client: connection, id, signal }) => {
    const [backend, name] = trimmedPath(id).split("/config/");
    if (!backend || !name)
      throw failure("No path of a connection", `Write BACKEND/config/NAME, not ${JSON.stringify(id)}.`);
    const found = await look(connection, { ...unsaid, backend, name, id: pathOf({ backend, name }) }, signal);
    if (!found) throw failure("No such connection", `There is no connection to read at ${id}.`);
    return found;
  },
  interrupted: ({ client: connection, sent, signal }) => {
    const { backend, name, namespace, verify_connection } = sent;
    if (backend === null || name === null)
      throw failure("The path is not known", "A connection is found by its backend and name, which were not kept.");
    const said = { namespace, backend, name, verify_connection: verify_connection ?? true };
    const version = sent.postgresql?.[0]?.password_wo_version ?? 0;
    const postgresql = [{ ...noSettings, password_wo_version: version }];
    return look(connection, { ...unsaid, ...said, id: pathOf({ backend, name }), postgresql }, signal);
  },
});

const noSettings: Settings = {
  ...{ connection_url: "", username: "", password: "", password_wo_version: 0, username_template: "", auth_type: "" },
  ...{ max_open_connections: 2, max_idle_connections: 0, max_connection_lifetime: 0, disable_escaping: false },
  ...{ password_authentication: "password", self_managed: false, service_account_json: "", private_key: "" },
  ...{ tls_ca: "", tls_certificate: "" },
};

const unsaid = {
  namespace: null,
  plugin_name: "",
  verify_connection: true,
  allowed_roles: null,
  root_rotation_statements: null,
  data: null,
  rotation_period: null,
  rotation_schedule: null,
  rotation_window: null,
  disable_automated_rotation: null,
  postgresql: [noSettings],
} as const;

function pathOf({ backend, name }: Pick<State, "backend" | "name">): string {
  return `${trimmedPath(backend)}/config/${trimmedPath(name)}`;
}

interface Change {
  readonly config: Config;
  readonly plan: Plan;
  /** Null for a new connection. */
  readonly state: State | null;
}

async function write(connection: VaultConnection, change: Change, signal: AbortSignal): Promise<State> {
  const { plan } = change;
  const path = pathOf(plan);
  const options = await connection.optionsFor(plan, signal);
  await connection.client.write(path, bodyOf(change), options);
  const postgresql = plan.postgresql.length > 0 ? plan.postgresql : [noSettings];
  const found = await look(connection, { ...plan, postgresql, plugin_name: plan.plugin_name ?? "", id: path }, signal);
  if (found) return found;
  throw failure("The connection is gone", `It was written to ${path}, and nothing is there to read.`);
}

/** What is sent: all that is not the server's own default, and what is to be that again. */
function bodyOf({ config, plan, state }: Change): Readonly<Record<string, unknown>> {
  const { plugin_name, verify_connection, allowed_roles, root_rotation_statements } = plan;
  const rotation = ["rotation_period", "rotation_schedule", "rotation_window", "disable_automated_rotation"] as const;
  return {
    plugin_name: plugin_name || "postgresql-database-plugin",
    verify_connection,
    allowed_roles: allowed_roles ?? [],
    ...(root_rotation_statements?.length || state?.root_rotation_statements?.length
      ? { root_rotation_statements: root_rotation_statements ?? [] }
      : {}),
    ...Object.fromEntries(rotation.flatMap((name) => (plan[name] === null ? [] : [[name, plan[name]]]))),
    ...plan.data,
    ...settingsBody({ config, plan, state }),
  };
}

function settingsBody({ config, plan, state }: Change): Readonly<Record<string, unknown>> {
  const [configured, planned = noSettings, before = noSettings] = [
    config.postgresql[0],
    plan.postgresql[0],
    state?.postgresql[0],
  ];
  const { password_wo_version, password, password_authentication, max_connection_lifetime, ...rest } = planned;
  const isNewVersion = state === null || password_wo_version !== before.password_wo_version;
  // A password that rotate-root has replaced meanwhile must not be sent again with another change.
  const sent = configured?.password_wo ? (isNewVersion ? configured.password_wo : "") : password;
  const isSent = sent !== "" && (state === null || isNewVersion || sent !== before.password);
  const isChosen =
    Boolean(configured?.password_authentication) || before.password_authentication !== password_authentication;
  const changed = Object.entries(rest).filter(
    ([name, value]) => value !== noSettings[name as keyof typeof rest] || value !== before[name as keyof typeof rest],
  );
  return {
    ...Object.fromEntries(changed),
    ...(max_connection_lifetime !== before.max_connection_lifetime || max_connection_lifetime > 0
      ? { max_connection_lifetime: `${max_connection_lifetime}s` }
      : {}),
    max_open_connections: planned.max_open_connections,
    ...(isChosen ? { password_authentication } : {}),
    ...(isSent ? { password: sent } : {}),
  };
}

async function look(connection: VaultConnection, state: State, signal: AbortSignal): Promise<State | null> {
  const found = await readIfThere(connection.client, pathOf(state), await connection.optionsFor(state, signal));
  const { data } = found ?? {};
  if (!data) return null;
  const details = objectAt(data, "connection_details");
  const before = state.postgresql[0] ?? noSettings;
  const told = (name: keyof Settings & string) => (name in details ? textAt(details, name) : String(before[name]));
  const url = told("connection_url");
  return {
    ...state,
    plugin_name: textAt(data, "plugin_name"),
    allowed_roles: textsLike(data, "allowed_roles", state.allowed_roles),
    root_rotation_statements: textsLike(data, "root_credentials_rotate_statements", state.root_rotation_statements),
    postgresql: [
      {
        ...before,
        // A password in an address is hidden, so that it cannot be told whether it is the same.
        connection_url: isHidden(url) && before.connection_url !== "" ? before.connection_url : url,
        username: told("username"),
        username_template: told("username_template"),
        max_open_connections: numberAt(details, "max_open_connections") || before.max_open_connections,
        max_idle_connections: numberAt(details, "max_idle_connections"),
        max_connection_lifetime: numberAt(details, "max_connection_lifetime"),
        password_authentication: textAt(details, "password_authentication") || noSettings.password_authentication,
        disable_escaping: boolAt(details, "disable_escaping"),
      },
    ],
  };
}

/** Whether an address has stars, or OpenBao's crosses, in place of a password. */
function isHidden(url: string): boolean {
  return /:(\*{5}|x{5})@|password=\*{5}/i.test(url);
}
