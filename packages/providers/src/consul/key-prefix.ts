import { uses } from "@millwright/provider/call";
import { blocks, map, nullable, number, optional, required, string } from "@millwright/provider/fields";
import { failure } from "@millwright/provider/problem";
import { defineResource } from "@millwright/provider/resource";
import type { ConsulConnection } from "./connection.ts";
import { whereFields } from "./fields.ts";
import type { Entry, ReadEntry } from "./key-store.ts";
import { changeKeys, notTold, readPrefix } from "./key-store.ts";

/**
 * `consul_key_prefix`: everything under a prefix. A key that somebody else adds there is drift, and the next apply removes
 * it; therefore a prefix under which there are keys already is not taken over, but by import.
 */
export const consulKeyPrefix = defineResource({
  client: uses<ConsulConnection>(),
  typeSystem: "legacy",
  schema: {
    ...whereFields,
    path_prefix: required(string, { replaceOnChange: true }),
    subkeys: optional(map(nullable(string)), { description: "Values by the rest of the key's name." }),
    subkey: blocks.set({ path: required(string), value: required(string), flags: optional(number, { default: 0 }) }),
    id: optional(string, { computed: true, stable: true }),
  },
  plan: ({ plan: { subkeys }, state }) => {
    if (subkeys === undefined) return undefined;
    if (subkeys !== null) return { plan: { subkeys: withoutNulls(subkeys) } };
    // Where no map is configured nothing may be left of one: an empty map is planned only to empty it.
    const left = Object.keys(state?.subkeys ?? {}).length > 0;
    return { plan: { subkeys: left ? {} : (state?.subkeys ?? null) } };
  },
  create: async ({ client: connection, plan, signal, keep }) => {
    const options = await connection.optionsFor(plan, signal);
    const { path_prefix: prefix } = plan;
    const there = await readPrefix(connection.client, prefix, options);
    if (there.length > 0) throw prefixInUse(prefix, there);
    const state = { ...plan, id: idOf(prefix), datacenter: options.datacenter };
    keep(state);
    await changeKeys(connection.client, { write: entriesOf(plan), onlyNew: true }, options);
    return state;
  },
  read: async ({ client: connection, state, signal }) => {
    const options = await connection.optionsFor(state, signal);
    return {
      ...state,
      ...sorted(state, await readPrefix(connection.client, state.path_prefix, options)),
      datacenter: options.datacenter,
    };
  },
  update: async ({ client: connection, plan, state, signal }) => {
    const options = await connection.optionsFor(plan, signal);
    const before = entriesOf(state);
    const after = entriesOf(plan);
    const write = new Map([...after].filter(([key, entry]) => !sameEntry(entry, before.get(key))));
    const gone = [...before.keys()].filter((key) => !after.has(key));
    await changeKeys(connection.client, { write, delete: gone }, options);
    return { ...plan, id: state.id, datacenter: options.datacenter };
  },
  delete: async ({ client: connection, state, signal }) => {
    await connection.client.kv.deleteTree(state.path_prefix, await connection.optionsFor(state, signal));
  },
  interrupted: async ({ client: connection, sent, signal }) => {
    const { path_prefix: prefix, subkeys } = sent;
    if (prefix === null) throw notTold("consul_key_prefix", "which prefix was sent");
    const options = await connection.optionsFor(sent, signal);
    const there = await readPrefix(connection.client, prefix, options);
    const subkey = (sent.subkey ?? []).flatMap((block) =>
      typeof block?.path === "string" ? { path: block.path } : [],
    );
    const names = new Set([...Object.keys(subkeys ?? {}), ...subkey.map(({ path }) => path)]);
    if (names.size === 0 && there.length > 0) throw notTold("consul_key_prefix", "which keys were sent");
    // None of them is there: nothing was written. What is there is somebody else's, and is refused by the next create.
    if (!there.some(({ key }) => names.has(key.slice(prefix.length)))) return null;
    const found = sorted({ path_prefix: prefix, subkeys, subkey }, there);
    return { ...sent, ...found, path_prefix: prefix, id: idOf(prefix), datacenter: options.datacenter };
  },
  import: async ({ client: connection, id, signal }) => {
    const place = { datacenter: null, namespace: null, partition: null, token: null };
    const options = await connection.optionsFor(place, signal);
    const empty = { path_prefix: id, subkeys: {}, subkey: [] };
    return {
      ...place,
      ...empty,
      id,
      ...sorted(empty, await readPrefix(connection.client, id, options)),
      datacenter: options.datacenter,
    };
  },
});

function idOf(prefix: string): string {
  return prefix === "" ? "/" : prefix;
}

interface Subkeys {
  readonly path_prefix: string;
  readonly subkeys: Readonly<Record<string, string | null>> | null;
  readonly subkey: readonly Subkey[];
}

/** What says where each key is configured: in a block of its path, or in the map. */
interface Layout extends Omit<Subkeys, "subkey"> {
  readonly subkey: readonly Pick<Subkey, "path">[];
}

interface Subkey extends Entry {
  readonly path: string;
}

/** What should be there, by the whole key. A block wins over the map. */
function entriesOf({ path_prefix: prefix, subkeys, subkey }: Subkeys): Map<string, Entry> {
  const entries = new Map<string, Entry>();
  for (const [path, value] of Object.entries(subkeys ?? {}))
    if (value !== null) entries.set(prefix + path, { value, flags: 0 });
  for (const { path, value, flags } of subkey) entries.set(prefix + path, { value, flags });
  return entries;
}

/** What is there, put where it is configured: into the block of its path, if there is one, else into the map. */
function sorted(
  { path_prefix: prefix, subkeys, subkey }: Layout,
  found: readonly ReadEntry[],
): Omit<Subkeys, "path_prefix"> {
  const inBlocks = new Set(subkey.map(({ path }) => path));
  const all = found.map(({ key, value, flags }) => ({ path: key.slice(prefix.length), value, flags }));
  const others = all.filter(({ path }) => !inBlocks.has(path)).map(({ path, value }) => [path, value] as const);
  return {
    subkey: all.filter(({ path }) => inBlocks.has(path)),
    // No map stays none until there is something to put into it.
    subkeys: others.length === 0 && subkeys === null ? null : Object.fromEntries(others),
  };
}

function sameEntry(a: Entry, b: Entry | undefined): boolean {
  return b !== undefined && a.value === b.value && a.flags === b.flags;
}

function withoutNulls<T>(map: Readonly<Record<string, T | null>>): Record<string, T> {
  return Object.fromEntries(Object.entries(map).filter((entry): entry is [string, T] => entry[1] !== null));
}

function prefixInUse(prefix: string, there: readonly ReadEntry[]): Error {
  const some = there.slice(0, 3).map(({ key }) => key);
  const names = `${some.join(", ")}${there.length > some.length ? ", …" : ""}`;
  return failure(
    `${there.length} keys already exist under ${prefix}; delete them before managing this prefix`,
    `There are ${names}. A key prefix owns every key under it and would delete them; to take them over as they are, import ${JSON.stringify(prefix)}.`,
    ["path_prefix"],
  );
}
