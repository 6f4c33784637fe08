import { uses } from "@millwright/provider/call";
import { defineDataSource } from "@millwright/provider/data-source";
import { blocks, bool, computed, map, optional, required, string } from "@millwright/provider/fields";
import { failure } from "@millwright/provider/problem";
import type { ConsulConnection } from "./connection.ts";
import { whereFields } from "./fields.ts";
import { readKeys, readPrefix } from "./key-store.ts";

/** `data "consul_keys"`: values of single keys, by names of the user's own. */
export const consulKeysData = defineDataSource({
  client: uses<ConsulConnection>(),
  schema: {
    ...whereFields,
    error_on_missing_keys: optional(bool, {
      description: "Whether a key that is not there, and has no default, is an error.",
    }),
    key: blocks.set({ name: required(string), path: required(string), default: optional(string) }),
    var: computed(map(string)),
    id: optional(string, { computed: true }),
  },
  read: async ({ client: connection, config, signal }) => {
    const options = await connection.optionsFor(config, signal);
    const found = await readKeys(
      connection.client,
      config.key.map((key) => key.path),
      options,
    );
    const values = config.key.map(({ name, path, default: otherwise }, i) => {
      const value = found[i]?.value || (otherwise ?? "");
      if (!found[i] && value === "" && config.error_on_missing_keys) {
        throw failure(
          `Key ${JSON.stringify(path)} does not exist`,
          "Give it a default, or leave error_on_missing_keys out to read it as empty.",
          ["key"],
        );
      }
      return [name, value] as const;
    });
    const key = config.key.map((k) => ({ ...k, default: k.default ?? "" }));
    return { ...config, key, var: Object.fromEntries(values), id: "-", datacenter: options.datacenter };
  },
});

/** `data "consul_key_prefix"`: everything under a prefix, or single keys under it by names of the user's own. */
export const consulKeyPrefixData = defineDataSource({
  client: uses<ConsulConnection>(),
  schema: {
    ...whereFields,
    path_prefix: required(string),
    subkey: blocks.set({ name: required(string), path: required(string), default: optional(string) }),
    var: computed(map(string)),
    subkeys: computed(map(string), { nullable: true }),
    id: optional(string, { computed: true }),
  },
  read: async ({ client: connection, config, signal }) => {
    const options = await connection.optionsFor(config, signal);
    const { path_prefix: prefix, subkey: wanted } = config;
    const found = await readKeys(
      connection.client,
      wanted.map(({ path }) => prefix + path),
      options,
    );
    const named = wanted.map(
      ({ name, default: otherwise }, i) => [name, found[i]?.value || (otherwise ?? "")] as const,
    );
    const all = wanted.length > 0 ? undefined : await readPrefix(connection.client, prefix, options);
    return {
      ...config,
      subkey: wanted.map((key) => ({ ...key, default: key.default ?? "" })),
      var: Object.fromEntries(named),
      subkeys: all ? Object.fromEntries(all.map(({ key, value }) => [key.slice(prefix.length), value])) : null,
      id: "-",
      datacenter: options.datacenter,
    };
  },
});
