import type { ResourceCall } from "../call.ts";
import { uses } from "../call.ts";
import { defineDataSource } from "../data-source.ts";
import { defineEphemeralResource } from "../ephemeral-resource.ts";
import type { PlanOf, StateOf } from "../field-types.ts";
import {
  blocks,
  bool,
  computed,
  dynamic,
  list,
  map,
  nested,
  number,
  object,
  optional,
  required,
  set,
  string,
  writeOnly,
} from "../fields.ts";
import { failure } from "../problem.ts";
import { defineResource } from "../resource.ts";
import type { TestFaults } from "./faults.ts";
import type { TestObject, TestWorld } from "./world.ts";

/** What the test resources work on. */
export interface TestClient {
  readonly world: TestWorld;
  readonly faults: TestFaults;
  /** The `prefix` of the provider's configuration. */
  readonly prefix: string;
}

const leaf = { label: required(string), weight: optional(number), uid: computed(string, { stable: true }) };

const thingFields = {
  name: required(string),
  text: optional(string),
  number: optional(number),
  flag: optional(bool),
  size: optional(number, { default: 3 }),
  /** Filled in by the provider when it is left out, and then it stays. */
  region: optional(string, { computed: true, stable: true }),
  /** Cannot be changed in place. */
  zone: optional(string, { replaceOnChange: true }),
  secret: optional(string, { sensitive: true }),
  password_wo: writeOnly(string, { sensitive: true }),
  /** To be raised by hand whenever the password is to be sent again. */
  password_version: optional(number),
  old_text: optional(string, { deprecated: "Use text instead." }),
  labels: optional(map(string)),
  items: optional(list(string)),
  members: optional(set(string)),
  shape: optional(object({ width: number, height: number })),
  anything: optional(dynamic),
  id: computed(string, { stable: true }),
  /** Raised by every change, so it is not known until apply. */
  revision: computed(number),
  token: computed(string, { sensitive: true, stable: true }),
  note: computed(string, { nullable: true, stable: true }),
  endpoint: optional(nested.single(leaf)),
  rules: optional(nested.list(leaf)),
  marks: optional(nested.set({ label: required(string), weight: optional(number) })),
  peers: optional(nested.map(leaf)),
  one: blocks.single({ ...leaf, key_wo: writeOnly(string) }),
  group: blocks.group({ label: optional(string), weight: optional(number) }),
  row: blocks.list({ ...leaf, zone: optional(string, { replaceOnChange: true }), key_wo: writeOnly(string) }),
  tag: blocks.set({ label: required(string), weight: optional(number) }),
  named: blocks.map(leaf),
};

const namedFields = {
  name: required(string, { replaceOnChange: true }),
  value: optional(string),
  id: computed(string, { stable: true }),
};

/** A resource with attributes of every kind and nested blocks of every nesting, and a schema of its second version. */
export const testThing = defineResource({
  client: uses<TestClient>(),
  version: 1,
  schema: thingFields,
  // In version 0 the text was called label.
  upgrades: { 0: ({ label, ...rest }) => ({ ...rest, text: label ?? null }) },
  moves: [
    {
      provider: "registry.terraform.io/millwright/test",
      type: "test_former",
      move: ({ title }) => ({ name: title ?? null }),
    },
  ],
  create: (call) => createObject("test_thing", call, settleThing),
  read: (call) => readObject(call),
  update: (call) => updateObject(call, settleThing),
  delete: (call) => deleteObject(call),
  import: ({ client, id }) => {
    const found = client.world.get(id) ?? client.world.find("test_thing", id);
    if (!found) throw failure("No such thing", `There is no test_thing ${JSON.stringify(id)} to import.`);
    return stateOf<StateOf<typeof thingFields>>(found);
  },
  interrupted: ({ client, sent }) => {
    if (sent.name === null)
      throw failure("No name", "Things are found by their names, and the name that was sent is not known.");
    const found = client.world.find("test_thing", sent.name);
    return found ? stateOf<StateOf<typeof thingFields>>(found) : null;
  },
});

/**
 * A resource that is easily written: a name, a value, a computed echo, and an attribute that needs a new object. Nothing but
 * its id tells one from another, so an interrupted create cannot be settled.
 */
export const testSmall = defineResource({
  client: uses<TestClient>(),
  schema: {
    name: required(string),
    value: optional(string),
    force: optional(string, { replaceOnChange: true }),
    id: computed(string, { stable: true }),
    echo: computed(string),
  },
  create: (call) => createObject("test_small", call, settleSmall),
  read: (call) => readObject(call),
  update: (call) => updateObject(call, settleSmall),
  delete: (call) => deleteObject(call),
});

/** A resource whose objects have an identity: a name, which the configuration gives, and an id, which the world does. */
export const testNamed = defineResource({
  client: uses<TestClient>(),
  schema: namedFields,
  identity: {
    version: 1,
    attributes: { name: "required", id: "optional" },
    importId: ({ name = "" }) => name,
    // In version 0 the name was called title.
    upgrades: { 0: ({ title, ...rest }) => ({ ...rest, name: title ?? null }) },
  },
  moves: [
    {
      provider: "registry.terraform.io/millwright/test",
      type: "test_small",
      move: ({ name = null, value = null, id = null }) => ({ name, value, id }),
    },
  ],
  create: (call) => createObject("test_named", call, settleNamed),
  read: async (call) => {
    // What was moved here has further attributes in the world.
    const found = await readObject(call);
    return found && { name: found.name, value: found.value, id: found.id };
  },
  update: (call) => updateObject(call, settleNamed),
  delete: (call) => deleteObject(call),
  import: ({ client, id }) => {
    const found = client.world.find("test_named", id);
    if (!found) throw failure("No such object", `There is no test_named ${JSON.stringify(id)} to import.`);
    return stateOf<StateOf<typeof namedFields>>(found);
  },
});

/** A data source: what the world knows of an object; null attributes when there is none. */
export const testLookup = defineDataSource({
  client: uses<TestClient>(),
  schema: {
    name: required(string),
    id: computed(string, { nullable: true }),
    value: computed(string, { nullable: true }),
  },
  read: async ({ client, config, signal }) => {
    await client.faults.before("data", config.name, signal);
    const found = client.world.all().find((candidate) => candidate.name === config.name);
    const value = found?.attributes.value;
    return { ...config, id: found?.id ?? null, value: typeof value === "string" ? value : null };
  },
});

/** An ephemeral resource: a secret that is nowhere recorded. */
export const testTicket = defineEphemeralResource({
  client: uses<TestClient>(),
  schema: { name: required(string), ticket: computed(string, { sensitive: true }) },
  open: async ({ client, config, signal, private: data }) => {
    await client.faults.before("open", config.name, signal);
    data.set("name", config.name);
    return { result: { ...config, ticket: `${client.prefix}ticket for ${config.name}` } };
  },
});

function settleThing(
  plan: PlanOf<typeof thingFields>,
  { id, revision, name }: TestObject,
): StateOf<typeof thingFields> {
  const settle = <L extends { readonly label: string; readonly uid?: string | undefined }>(l: L) => ({
    ...l,
    uid: l.uid ?? `uid of ${l.label}`,
  });
  const settleMap = <L extends { readonly label: string; readonly uid?: string | undefined }>(
    all: Readonly<Record<string, L>>,
  ) => Object.fromEntries(Object.entries(all).map(([key, l]) => [key, settle(l)]));
  return {
    ...plan,
    region: plan.region ?? "middle",
    id,
    revision,
    token: plan.token ?? `token of ${name}`,
    note: null,
    endpoint: plan.endpoint && settle(plan.endpoint),
    rules: plan.rules?.map(settle) ?? null,
    peers: plan.peers && settleMap(plan.peers),
    one: plan.one && settle(plan.one),
    row: plan.row.map(settle),
    named: settleMap(plan.named),
  };
}

function settleNamed({ name, value }: PlanOf<typeof namedFields>, { id }: TestObject) {
  return { name, value, id };
}

interface SmallPlan {
  readonly name: string;
  readonly value: string | null;
  readonly force: string | null;
}

function settleSmall({ name, value, force }: SmallPlan, { id }: TestObject) {
  return { name, value, force, id, echo: `echo of ${value ?? "nothing"}` };
}

type Named = { readonly name: string };
type Settle<P, S> = (plan: P, found: TestObject) => S;
type Keeping<P, S> = ResourceCall<TestClient> & { readonly plan: P; keep(state: S): void };

async function createObject<P extends Named, S extends object>(
  type: string,
  call: Keeping<P, S>,
  settle: Settle<P, S>,
): Promise<S> {
  const { client, plan, signal, keep } = call;
  await client.faults.before("create", plan.name, signal);
  const made = client.world.create(type, plan.name);
  const state = settle(plan, made);
  client.world.store(made.id, state);
  keep(state);
  client.faults.halfway("create", plan.name);
  return state;
}

async function readObject<S extends Named & { readonly id: string }>({
  client,
  state,
  signal,
}: ResourceCall<TestClient> & { readonly state: S }): Promise<S | null> {
  await client.faults.before("read", state.name, signal);
  const found = client.world.get(state.id);
  return found ? { ...state, ...stateOf<S>(found) } : null;
}

async function updateObject<P extends Named, S extends { readonly id: string }>(
  call: Keeping<P, S> & { readonly state: S },
  settle: Settle<P, S>,
): Promise<S> {
  const { client, plan, state, signal, keep } = call;
  await client.faults.before("update", plan.name, signal);
  const changed = client.world.revise(state.id);
  if (!changed) throw failure("Nothing to update", `The object ${state.id} is gone.`);
  const settled = settle(plan, changed);
  client.world.store(state.id, settled);
  keep(settled);
  client.faults.halfway("update", plan.name);
  return settled;
}

async function deleteObject<S extends Named & { readonly id: string }>({
  client,
  state,
  signal,
  keep,
}: ResourceCall<TestClient> & { readonly state: S; keep(state: S): void }): Promise<void> {
  await client.faults.before("delete", state.name, signal);
  keep(state);
  client.faults.halfway("delete", state.name);
  client.world.delete(state.id);
}

function stateOf<S>({ attributes }: TestObject): S {
  return attributes as S;
}
