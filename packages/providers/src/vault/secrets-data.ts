import type { Clock } from "@millwright/core/ports";
import { uses } from "@millwright/provider/call";
import { defineDataSource } from "@millwright/provider/data-source";
import { bool, computed, map, number, optional, required, string } from "@millwright/provider/fields";
import { failure } from "@millwright/provider/problem";
import type { VaultConnection } from "./connection.ts";
import { boolAt, numberAt, objectAt, readIfThere, textAt } from "./answers.ts";
import { pathFault, placeFields, trimmedPath } from "./fields.ts";
import { jsonText, textValues } from "./json-object.ts";
import { secretPaths, versionOf } from "./secret-paths.ts";

/** `data "vault_generic_secret"`: what is read from a path, a leased login too. */
export function vaultGenericSecretData(clock: Clock) {
  return defineDataSource({
    client: uses<VaultConnection>(),
    schema: {
      ...placeFields,
      path: required(string, { check: pathFault }),
      version: optional(number, { description: "Of the engine that keeps versions; the newest when left out." }),
      with_lease_start_time: optional(bool, {
        description: "Whether the time of reading is kept; true when left out.",
      }),
      data: computed(map(string), { sensitive: true }),
      data_json: computed(string, { sensitive: true }),
      lease_id: computed(string),
      lease_duration: computed(number),
      lease_renewable: computed(bool),
      lease_start_time: computed(string, { nullable: true }),
    },
    read: async ({ client: connection, config, signal }) => {
      const options = await connection.optionsFor(config, signal);
      const path = trimmedPath(config.path);
      const paths = await secretPaths(connection.client, path, options);
      const query = config.version !== null && config.version >= 0 ? { version: String(config.version) } : {};
      const found = await readIfThere(connection.client, paths.data, { ...options, ...asQuery(query) });
      const data = paths.isVersioned ? versionOf(found)?.data : found?.data;
      if (!found || !data) throw nothingAt(path);
      const now = new Date(clock.now()).toISOString().replace(/\.\d+Z$/, "Z");
      return {
        ...config,
        id: path,
        data: textValues(data),
        data_json: jsonText(data),
        lease_id: found.leaseId,
        lease_duration: found.leaseDuration,
        lease_renewable: found.renewable,
        lease_start_time: config.with_lease_start_time === false ? null : now,
      };
    },
  });
}

/** `data "vault_kv_secret_v2"`: a version of a secret, with what is known of it. */
export const vaultKvSecretV2Data = defineDataSource({
  client: uses<VaultConnection>(),
  schema: {
    ...placeFields,
    mount: required(string, { check: pathFault }),
    name: required(string, { check: pathFault }),
    version: optional(number, { description: "The newest when left out." }),
    path: computed(string),
    data: computed(map(string), { sensitive: true }),
    data_json: computed(string, { sensitive: true }),
    created_time: computed(string),
    deletion_time: computed(string),
    destroyed: computed(bool),
    custom_metadata: computed(map(string)),
  },
  read: async ({ client: connection, config, signal }) => {
    const path = `${trimmedPath(config.mount)}/data/${trimmedPath(config.name)}`;
    const query = config.version === null ? {} : { version: String(config.version) };
    const options = { ...(await connection.optionsFor(config, signal)), ...asQuery(query) };
    const found = versionOf(await readIfThere(connection.client, path, options));
    if (!found) throw nothingAt(path);
    const { data, metadata } = found;
    return {
      ...config,
      id: path,
      path,
      version: numberAt(metadata, "version"),
      data: textValues(data),
      data_json: jsonText(data),
      created_time: textAt(metadata, "created_time"),
      deletion_time: textAt(metadata, "deletion_time"),
      destroyed: boolAt(metadata, "destroyed"),
      custom_metadata: textValues(objectAt(metadata, "custom_metadata")),
    };
  },
});

function asQuery(query: Readonly<Record<string, string>>): { readonly query?: Readonly<Record<string, string>> } {
  return Object.keys(query).length > 0 ? { query } : {};
}

function nothingAt(path: string) {
  const why = "It was never written, was deleted, or nothing is mounted there. Check the path and its mount.";
  return failure(`No secret at ${path}`, why);
}
