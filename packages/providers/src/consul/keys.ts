import { uses } from "@millwright/provider/call";
import { blocks, bool, computed, map, number, optional, required, string } from "@millwright/provider/fields";
import { notKnownYet } from "@millwright/provider/resource";
import { defineResource } from "@millwright/provider/resource";
import type { ConsulConnection } from "./connection.ts";
import { whereFields } from "./fields.ts";
import type { Entry, ReadEntry } from "./key-store.ts";
import { changeKeys, notTold, readKeys } from "./key-store.ts";

/**
 * `consul_keys`: single keys, each written with its value, and deleted again only when it says `delete = true`. A `key` with
 * a name and no value is read instead, into `var`.
 */
export const consulKeys = defineResource({
  client: uses<ConsulConnection>(),
  version: 1,
  typeSystem: "legacy",
  schema: {
    ...whereFields,
    key: blocks.set({
      path: required(string),
      value: optional(string, { computed: true }),
      flags: optional(number, { default: 0 }),
      delete: optional(bool, { default: false, description: "Whether the key goes when it is no longer configured." }),
      name: optional(string, { default: "", deprecated: "Use the consul_keys data source to read keys." }),
      default: optional(string, { default: "", description: "What var has when the key is not there." }),
    }),
    var: computed(map(string), { stable: true }),
    id: optional(string, { computed: true, stable: true }),
  },
  plan: ({ config, plan, state }) => {
    // A value that was left out stays as it is; one that is configured, and known only after apply, may become another.
    const isLeftOut = (k: LooseKey) => config.key?.every((c) => c?.path !== k.path || c?.value !== undefined);
    const before = state?.key ?? [];
    const key = plan.key?.map((k) => k && (isLeftOut(k) ? { ...k, value: k.value || valueBefore(k, before) } : k));
    const isSame = state && key && sameKeys(key, state.key);
    return { plan: { ...(key ? { key } : {}), var: isSame ? state.var : notKnownYet } };
  },
  create: async ({ client: connection, plan, signal }) => {
    const options = await connection.optionsFor(plan, signal);
    await changeKeys(connection.client, { write: writes(plan.key) }, options);
    return { ...plan, id: "consul", ...(await look(connection, plan, signal)) };
  },
  read: async ({ client: connection, state, signal }) => ({ ...state, ...(await look(connection, state, signal)) }),
  update: async ({ client: connection, plan, state, signal }) => {
    const options = await connection.optionsFor(plan, signal);
    const before = new Set(state.key.map(identity));
    const after = new Set(plan.key.map(identity));
    const write = writes(plan.key.filter((key) => !before.has(identity(key))));
    // A key whose value changes is in both sets: it is written, and must not go.
    const gone = state.key.filter((key) => key.delete && !after.has(identity(key)) && !write.has(key.path));
    await changeKeys(connection.client, { write, delete: gone.map((key) => key.path) }, options);
    return { ...plan, id: state.id, ...(await look(connection, plan, signal)) };
  },
  delete: async ({ client: connection, state, signal }) => {
    const options = await connection.optionsFor(state, signal);
    const gone = state.key.filter((key) => key.delete).map((key) => key.path);
    await changeKeys(connection.client, { write: new Map(), delete: gone }, options);
  },
  interrupted: async ({ client: connection, sent, signal }) => {
    const key = sent.key?.map(settledKey);
    if (!key) throw notTold("consul_keys", "which keys were sent");
    const options = await connection.optionsFor(sent, signal);
    const found = await readKeys(connection.client, [...writes(key).keys()], options);
    // Where only some are there, the plan shows the others as a change.
    if (found.every((entry) => entry === undefined)) return null;
    return { ...sent, ...(await look(connection, { ...sent, key }, signal)), id: "consul" };
  },
});

/** A `key` block. The value of one that is not settled yet, or was left out, is undefined. */
interface Key {
  readonly path: string;
  readonly value?: string | undefined;
  readonly flags: number;
  readonly delete: boolean;
  readonly name: string;
  readonly default: string;
}

/** A key block while planning: any part of it may be unknown. */
type LooseKey = { readonly [K in keyof Key]: Key[K] | undefined };

type Settled = Key & { readonly value: string };

interface Place {
  readonly key: readonly Key[];
  readonly datacenter: string | null | undefined;
  readonly namespace: string | null;
  readonly partition: string | null;
  readonly token: string | null;
}

/** A block as it was sent. A value that was not kept, being secret, is the one that is there. */
function settledKey(sent: { readonly [K in keyof Key]: Key[K] | null } | null): Key {
  if (sent === null || sent.path === null) throw notTold("consul_keys", "which keys were sent");
  const { path, value, flags, name, default: otherwise } = sent;
  const settled = { path, flags: flags ?? 0, delete: sent.delete ?? false, name: name ?? "", default: otherwise ?? "" };
  return value === null ? settled : { ...settled, value };
}

/** What the server has now: values and flags in the keys, and in `var` the values of those with a name. */
async function look(connection: ConsulConnection, place: Place, signal: AbortSignal) {
  const options = await connection.optionsFor(place, signal);
  const found = await readKeys(
    connection.client,
    place.key.map((key) => key.path),
    options,
  );
  const key = place.key.map((k, i): Settled => {
    // A key that is only read keeps its value as it is: filled in, it would look like one to write.
    const value = k.name === "" ? valueOf(k, found[i]) : (k.value ?? "");
    return { ...k, value, flags: found[i]?.flags ?? 0 };
  });
  const named = place.key.flatMap((k, i) => (k.name === "" ? [] : [[k.name, valueOf(k, found[i])] as const]));
  return { key, var: Object.fromEntries(named), datacenter: options.datacenter };
}

function valueOf({ default: otherwise }: Key, found: ReadEntry | undefined): string {
  return found?.value || otherwise;
}

/** The keys that are written: all but those that are only read. */
function writes(keys: readonly Key[]): Map<string, Entry> {
  const written = keys.filter(({ name, value = "" }) => name === "" || value !== "");
  return new Map(written.map(({ path, value = "", flags }) => [path, { value, flags }] as const));
}

/** A value that was left out is the one that was there before, if the rest of the block is as it was. */
function valueBefore(key: LooseKey, before: readonly Settled[]): string | undefined {
  return before.find((old) => identity({ ...old, value: "" }) === identity({ ...key, value: "" }))?.value;
}

function sameKeys(planned: readonly (LooseKey | undefined)[], before: readonly Settled[]): boolean {
  const old = new Set(before.map(identity));
  return (
    planned.length === old.size &&
    planned.every((key) => key !== undefined && key.value !== undefined && old.has(identity(key)))
  );
}

/** Everything that a block says, in one text: two blocks of a set are one and the same when theirs is. */
function identity(key: LooseKey): string {
  return JSON.stringify([key.path, key.value ?? "", key.flags, key.delete, key.name, key.default]);
}
