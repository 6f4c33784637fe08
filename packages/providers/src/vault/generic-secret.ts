import { uses } from "@millwright/provider/call";
import { bool, computed, map, optional, required, string } from "@millwright/provider/fields";
import { failure } from "@millwright/provider/problem";
import { defineResource } from "@millwright/provider/resource";
import { deleteIfThere, readIfThere } from "./answers.ts";
import type { VaultConnection } from "./connection.ts";
import { pathFault, placeFields, trimmedPath } from "./fields.ts";
import { jsonFault, jsonObject, jsonText, normalJson, textValues } from "./json-object.ts";
import { secretPaths, versionOf } from "./secret-paths.ts";

/** `vault_generic_secret`: what is written to a path; of the engine that keeps versions, the newest one. */
export const vaultGenericSecret = defineResource({
  client: uses<VaultConnection>(),
  version: 1,
  typeSystem: "legacy",
  schema: {
    ...placeFields,
    path: required(string, { replaceOnChange: true, check: pathFault }),
    data_json: required(string, { sensitive: true, check: jsonFault }),
    disable_read: optional(bool, { default: false }),
    delete_all_versions: optional(bool, { default: false }),
    data: computed(map(string), { sensitive: true }),
  },
  // Version 0 said whether it may be read.
  upgrades: { 0: ({ allow_read, ...rest }) => ({ ...rest, disable_read: allow_read === false }) },
  plan: ({ plan, state }) => {
    if (plan.data_json === undefined || !plan.data_json) return undefined;
    const data_json = normalJson(plan.data_json, state?.data_json);
    return { plan: { data_json, ...(state?.data_json === data_json ? { data: state.data } : {}) } };
  },
  create: async ({ client: connection, plan, signal }) => {
    await write(connection, plan, signal);
    return { ...plan, id: plan.path, data: textValues(jsonObject(plan.data_json) ?? {}) };
  },
  read: async ({ client: connection, state, signal }) => {
    if (state.disable_read) return state;
    const data = await look(connection, state, signal);
    return data ? { ...state, data_json: normalJson(jsonText(data), state.data_json), data: textValues(data) } : null;
  },
  update: async ({ client: connection, plan, state, signal }) => {
    if (plan.data_json !== state.data_json) await write(connection, plan, signal);
    return { ...plan, id: state.id, data: textValues(jsonObject(plan.data_json) ?? {}) };
  },
  delete: async ({ client: connection, state, signal }) => {
    const options = await connection.optionsFor(state, signal);
    const { isVersioned, data, metadata } = await secretPaths(connection.client, state.path, options);
    await deleteIfThere(connection.client, isVersioned && state.delete_all_versions ? metadata : data, options);
  },
  import: async ({ client: connection, id, signal }) => {
    const path = trimmedPath(id);
    const data = await look(connection, { namespace: null, path }, signal);
    if (!data) throw failure("No such secret", `There is nothing to read at ${path}.`);
    return { ...stateOf(data), namespace: null, path, id: path, disable_read: false, delete_all_versions: false };
  },
  interrupted: async ({ client: connection, sent: { namespace, path, ...flags }, signal }) => {
    if (path === null) throw failure("The path is not known", "A secret is found by its path, which was not kept.");
    const data = await look(connection, { namespace, path }, signal);
    const { disable_read, delete_all_versions } = flags;
    const said = { disable_read: disable_read ?? false, delete_all_versions: delete_all_versions ?? false };
    return data ? { ...stateOf(data), namespace, path, id: path, ...said } : null;
  },
});

interface Place {
  readonly namespace: string | null;
  readonly path: string;
}

type Data = Readonly<Record<string, unknown>>;

function stateOf(data: Data) {
  return { data_json: jsonText(data), data: textValues(data) };
}

async function write(connection: VaultConnection, plan: Place & { readonly data_json: string }, signal: AbortSignal) {
  const options = await connection.optionsFor(plan, signal);
  const { isVersioned, data: path } = await secretPaths(connection.client, plan.path, options);
  const data = jsonObject(plan.data_json) ?? {};
  await connection.client.write(path, isVersioned ? { data } : data, options);
}

async function look(connection: VaultConnection, place: Place, signal: AbortSignal): Promise<Data | undefined> {
  const options = await connection.optionsFor(place, signal);
  const { isVersioned, data } = await secretPaths(connection.client, place.path, options);
  const found = await readIfThere(connection.client, data, options);
  return isVersioned ? versionOf(found)?.data : found?.data;
}
