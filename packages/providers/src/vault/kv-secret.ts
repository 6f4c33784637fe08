import { uses } from "@millwright/provider/call";
import type { ConfigOf, PlanOf, StateOf } from "@millwright/provider/field-types";
import {
  blocks,
  bool,
  computed,
  map,
  number,
  optional,
  required,
  string,
  writeOnly,
} from "@millwright/provider/fields";
import { failure, problem } from "@millwright/provider/problem";
import { defineResource, notKnownYet } from "@millwright/provider/resource";
import { exactlyOneOf } from "@millwright/provider/rules";
import { boolAt, deleteIfThere, numberAt, objectAt, readIfThere } from "./answers.ts";
import type { VaultConnection } from "./connection.ts";
import { pathFault, placeFields, trimmedPath } from "./fields.ts";
import { jsonFault, jsonObject, jsonText, normalJson, textValues } from "./json-object.ts";
import { versionOf } from "./secret-paths.ts";

const fields = {
  ...placeFields,
  mount: required(string, { replaceOnChange: true, check: pathFault }),
  name: required(string, { replaceOnChange: true, check: pathFault }),
  cas: optional(number, { description: "The version that a write goes on from; 0 only makes a new secret." }),
  options: optional(map(string)),
  disable_read: optional(bool, { default: false }),
  delete_all_versions: optional(bool, { default: false }),
  data_json: optional(string, { sensitive: true, check: jsonFault }),
  data_json_wo: writeOnly(string, { check: jsonFault, description: "As data_json, and kept in no plan or state." }),
  data_json_wo_version: optional(number, { description: "To be raised whenever data_json_wo is to be written again." }),
  custom_metadata: blocks.list(
    {
      max_versions: optional(number, { default: 0 }),
      cas_required: optional(bool, { default: false }),
      delete_version_after: optional(number, { default: 0, description: "Seconds." }),
      data: optional(map(string)),
    },
    { max: 1 },
  ),
  path: computed(string, { stable: true }),
  metadata: computed(map(string), { nullable: true }),
  data: computed(map(string), { sensitive: true, deprecated: "Read the secret where it is used.", nullable: true }),
};

type Config = ConfigOf<typeof fields>;
type Plan = PlanOf<typeof fields>;
type State = StateOf<typeof fields>;

/** `vault_kv_secret_v2`: a secret of the engine that keeps versions. Each change of its data is another version. */
export const vaultKvSecretV2 = defineResource({
  client: uses<VaultConnection>(),
  typeSystem: "legacy",
  schema: fields,
  *validate({ config }) {
    yield* exactlyOneOf(config, ["data_json", "data_json_wo"]);
    if (config.data_json_wo !== null && config.data_json_wo_version === null) {
      const advice = "Set data_json_wo_version = 1, and raise it whenever data_json_wo is to be written again.";
      yield problem("Missing version of a write-only argument", advice, ["data_json_wo"]);
    }
  },
  plan: ({ config, plan, state }) => {
    const data_json =
      typeof plan.data_json === "string" ? normalJson(plan.data_json, state?.data_json) : plan.data_json;
    const settings = plan.custom_metadata?.map((block) => block && { ...block, data: block.data ?? {} });
    // Without a block the server's settings are as they are, and shown.
    const custom_metadata = config.custom_metadata?.length === 0 ? (state?.custom_metadata ?? []) : settings;
    const isSame = state && data_json === state.data_json && plan.data_json_wo_version === state.data_json_wo_version;
    const isAll = isSame && JSON.stringify(custom_metadata) === JSON.stringify(state.custom_metadata);
    const { data, metadata } = isAll ? state : { data: notKnownYet, metadata: notKnownYet };
    return { plan: { data_json, custom_metadata, data, metadata } };
  },
  create: async ({ client: connection, config, plan, signal, keep }) => {
    const state = { ...plan, ...placeOf(plan), data: null, metadata: null };
    await writeData(connection, config, plan, signal);
    keep(state);
    await writeSettings(connection, config, plan, signal);
    return (await look(connection, state, signal)) ?? state;
  },
  read: ({ client: connection, state, signal }) => look(connection, state, signal),
  update: async ({ client: connection, config, plan, state, signal, keep }) => {
    const next = { ...plan, ...placeOf(plan), data: state.data, metadata: state.metadata };
    const isNew = plan.data_json !== state.data_json || plan.data_json_wo_version !== state.data_json_wo_version;
    if (isNew) await writeData(connection, config, plan, signal);
    keep({ ...next, custom_metadata: state.custom_metadata });
    await writeSettings(connection, config, plan, signal);
    return (await look(connection, next, signal)) ?? next;
  },
  delete: async ({ client: connection, state, signal }) => {
    const options = await connection.optionsFor(state, signal);
    const path = state.delete_all_versions ? pathsOf(state).metadata : pathsOf(state).data;
    await deleteIfThere(connection.client, path, options);
  },
  import: async ({ client: connection, id, signal }) => {
    const [mount, name, ...more] = trimmedPath(id).split("/data/");
    if (!mount || !name) throw failure("No path of a secret", `Write MOUNT/data/NAME, not ${JSON.stringify(id)}.`);
    const place = { ...unsaid, mount, name: [name, ...more].join("/data/") };
    const found = await look(connection, { ...place, ...placeOf(place), data_json: "{}" }, signal);
    if (!found) throw failure("No such secret", `There is nothing to read at ${id}.`);
    return found;
  },
  interrupted: ({ client: connection, sent, signal }) => {
    const { mount, name } = sent;
    if (mount === null || name === null)
      throw failure("The path is not known", "A secret is found by its mount and name, which were not kept.");
    const { namespace, cas, options, disable_read, delete_all_versions, data_json_wo_version } = sent;
    const flags = { disable_read: disable_read ?? false, delete_all_versions: delete_all_versions ?? false };
    const said = { namespace, cas, data_json_wo_version, ...flags, options: settledMap(options) };
    const place = { ...unsaid, ...said, mount, name };
    // Of a write-only secret only the version is known; any other is told from what is there.
    const data_json = data_json_wo_version === null ? "{}" : null;
    return look(connection, { ...place, ...placeOf(place), data_json, disable_read: false }, signal).then(
      (found) => found && { ...found, disable_read: flags.disable_read },
    );
  },
});

const unsaid = {
  namespace: null,
  cas: null,
  options: null,
  disable_read: false,
  delete_all_versions: false,
  data_json_wo_version: null,
  custom_metadata: [],
  data: null,
  metadata: null,
} as const;

function settledMap(sent: Readonly<Record<string, string | null>> | null): Readonly<Record<string, string>> | null {
  return sent && Object.fromEntries(Object.entries(sent).map(([name, value]) => [name, value ?? ""]));
}

function pathsOf({ mount, name }: Pick<State, "mount" | "name">) {
  const [base, rest] = [trimmedPath(mount), trimmedPath(name)];
  return { data: `${base}/data/${rest}`, metadata: `${base}/metadata/${rest}` };
}

function placeOf(named: Pick<State, "mount" | "name">): Pick<State, "id" | "path"> {
  const { data } = pathsOf(named);
  return { id: data, path: data };
}

async function writeData(connection: VaultConnection, config: Config, plan: Plan, signal: AbortSignal): Promise<void> {
  const options = await connection.optionsFor(plan, signal);
  const data = jsonObject(config.data_json_wo ?? plan.data_json ?? "{}") ?? {};
  const settings = { ...plan.options, ...(plan.cas === null ? {} : { cas: plan.cas }) };
  const body = Object.keys(settings).length > 0 ? { data, options: settings } : { data };
  await connection.client.write(pathsOf(plan).data, body, options);
}

/** Writes what the block says; without one the settings stay as they are. */
async function writeSettings(connection: VaultConnection, config: Config, plan: Plan, signal: AbortSignal) {
  const [settings] = config.custom_metadata.length > 0 ? plan.custom_metadata : [];
  if (!settings) return;
  const body = {
    max_versions: settings.max_versions,
    cas_required: settings.cas_required,
    delete_version_after: `${settings.delete_version_after}s`,
    custom_metadata: settings.data ?? {},
  };
  await connection.client.write(pathsOf(plan).metadata, body, await connection.optionsFor(plan, signal));
}

async function look(connection: VaultConnection, state: State, signal: AbortSignal): Promise<State | null> {
  if (state.disable_read) return state;
  const options = await connection.optionsFor(state, signal);
  const { data: dataPath, metadata: metadataPath } = pathsOf(state);
  const found = versionOf(await readIfThere(connection.client, dataPath, options));
  if (!found) return null;
  const settings = (await readIfThere(connection.client, metadataPath, options))?.data ?? {};
  const block = {
    max_versions: numberAt(settings, "max_versions"),
    cas_required: boolAt(settings, "cas_required"),
    delete_version_after: numberAt(settings, "delete_version_after"),
    data: textValues(objectAt(settings, "custom_metadata")),
  };
  const metadata = textValues({ ...found.metadata, custom_metadata: jsonText(found.metadata.custom_metadata ?? null) });
  // What was written only is not read into the state, and neither is what data_json has already.
  const data_json = state.data_json === null ? null : normalJson(jsonText(found.data), state.data_json);
  return { ...state, data_json, custom_metadata: [block], metadata, data: {} };
}
