import { mkdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import {
  type Attribute,
  blocks,
  bool,
  defineDataSource,
  defineProvider,
  defineResource,
  failure,
  type Field,
  type Fields,
  type FieldType,
  list,
  map,
  nested,
  number,
  object,
  optional,
  computed as computedField,
  required,
  set,
  string,
  uses,
} from "millwright/provider";

// A provider for tests of engines, which behaves as hashicorp/tfcoremock does: what its types have is written in
// dynamic_resources.json, and its objects are JSON files, for people to read and to change.

/** An attribute as dynamic_resources.json describes it. */
interface AttributeText {
  readonly type: "boolean" | "number" | "float" | "integer" | "string" | "list" | "map" | "set" | "object";
  readonly optional?: boolean;
  readonly required?: boolean;
  readonly computed?: boolean;
  readonly sensitive?: boolean;
  readonly replace?: boolean;
  readonly skip_nested_metadata?: boolean;
  /** What a computed one is, where the configuration does not say. */
  readonly value?: StoredValue;
  readonly list?: AttributeText;
  readonly map?: AttributeText;
  readonly set?: AttributeText;
  readonly object?: Readonly<Record<string, AttributeText>>;
}

interface BlockText {
  readonly attributes?: Readonly<Record<string, AttributeText>>;
  readonly blocks?: Readonly<Record<string, BlockText>>;
  readonly mode?: "list" | "set";
}

/** A value in a file: one key, which says of what kind it is. */
interface StoredValue {
  readonly boolean?: boolean;
  readonly number?: string | number;
  readonly string?: string;
  readonly list?: readonly StoredValue[];
  readonly set?: readonly StoredValue[];
  readonly map?: Readonly<Record<string, StoredValue>>;
  readonly object?: Readonly<Record<string, StoredValue>>;
}

interface StoredObject {
  readonly resource_type?: string;
  readonly values: Readonly<Record<string, StoredValue>>;
}

type Plain = null | undefined | boolean | number | string | readonly Plain[] | { readonly [name: string]: Plain };
type PlainObject = { readonly [name: string]: Plain };

interface Folders {
  readonly resources: string;
  readonly data: string;
  readonly onlyState: boolean;
  readonly failing: Readonly<Record<"create" | "read" | "update" | "delete", readonly string[]>>;
}

const simpleAttributes: Readonly<Record<string, AttributeText>> = {
  bool: { type: "boolean", optional: true },
  number: { type: "number", optional: true },
  string: { type: "string", optional: true },
  float: { type: "float", optional: true },
  integer: { type: "integer", optional: true },
};

/** A block that has all kinds of attributes and blocks, which have the same inside, `depth` times. */
function complexBlock(depth: number): BlockText {
  if (depth === 0) return { attributes: simpleAttributes };
  const inside: AttributeText = { type: "object", object: complexAttributes(depth - 1) };
  const below = complexBlock(depth - 1);
  return {
    attributes: {
      ...simpleAttributes,
      list: { type: "list", optional: true, list: inside },
      map: { type: "map", optional: true, map: inside },
      set: { type: "set", optional: true, set: inside },
      object: { ...inside, optional: true },
    },
    blocks: { list_block: { ...below, mode: "list" }, set_block: { ...below, mode: "set" } },
  };
}

function complexAttributes(depth: number): Readonly<Record<string, AttributeText>> {
  return complexBlock(depth).attributes ?? {};
}

function fieldsOf({ attributes = {}, blocks: inner = {} }: BlockText): Fields {
  const fields: Record<string, Field> = {};
  for (const [name, attribute] of Object.entries(attributes)) fields[name] = fieldOf(attribute);
  for (const [name, block] of Object.entries(inner))
    fields[name] = block.mode === "set" ? blocks.set(fieldsOf(block)) : blocks.list(fieldsOf(block));
  return fields;
}

function fieldOf(attribute: AttributeText): Attribute {
  const { sensitive, replace } = attribute;
  const options = { ...(sensitive ? { sensitive } : {}), ...(replace ? { replaceOnChange: true as const } : {}) };
  const type = typeOf(attribute);
  if (attribute.required) return required(type, options);
  if (!attribute.computed) return optional(type, options);
  if (attribute.optional) return optional(type, { ...options, computed: true, stable: true, nullable: true });
  return computedField(type, { ...options, stable: true, nullable: true });
}

function typeOf(attribute: AttributeText): FieldType {
  const isNested = !attribute.skip_nested_metadata;
  switch (attribute.type) {
    case "boolean":
      return bool;
    case "string":
      return string;
    case "number":
    case "float":
    case "integer":
      return number;
    case "object": {
      const inside = attribute.object ?? {};
      if (isNested) return nested.single(fieldsOf({ attributes: inside }));
      return object(Object.fromEntries(Object.entries(inside).map(([name, one]) => [name, typeOf(one)])));
    }
    case "list":
    case "map":
    case "set": {
      const element = attribute[attribute.type] ?? { type: "string" };
      if (!isNested || element.type !== "object") return { list, map, set }[attribute.type](typeOf(element));
      return nested[attribute.type](fieldsOf({ attributes: element.object ?? {} }));
    }
  }
}

/** What a file says of a value; null where it says nothing. */
function fromStored(stored: StoredValue | undefined, type: AttributeText): Plain {
  if (stored === undefined) return null;
  switch (type.type) {
    case "boolean":
      return stored.boolean ?? null;
    case "string":
      return stored.string ?? null;
    case "number":
    case "float":
    case "integer":
      return stored.number === undefined ? null : Number(stored.number);
    case "object":
      return stored.object ? objectFromStored(stored.object, { attributes: type.object ?? {} }) : null;
    case "list":
    case "set":
      return stored[type.type]?.map((element) => fromStored(element, type[type.type as "list"]!)) ?? null;
    case "map":
      return stored.map ? mapped(stored.map, (element) => fromStored(element, type.map!)) : null;
  }
}

function objectFromStored(values: Readonly<Record<string, StoredValue>>, block: BlockText): PlainObject {
  const attributes = mapped(block.attributes ?? {}, (type, name) => fromStored(values[name], type));
  const inner = mapped(block.blocks ?? {}, (below, name) => {
    const elements = values[name]?.[below.mode ?? "list"] ?? [];
    return elements.map((element) => objectFromStored(element.object ?? {}, below));
  });
  return { ...attributes, ...inner };
}

function toStored(value: Plain, type: AttributeText): StoredValue | undefined {
  if (value === null || value === undefined) return undefined;
  switch (type.type) {
    case "boolean":
      return { boolean: value as boolean };
    case "string":
      return { string: value as string };
    case "number":
    case "float":
    case "integer":
      return { number: String(value) };
    case "object":
      return { object: objectToStored(value as PlainObject, { attributes: type.object ?? {} }) };
    case "list":
      return { list: (value as readonly Plain[]).map((element) => toStored(element, type.list!) ?? {}) };
    case "set":
      return { set: (value as readonly Plain[]).map((element) => toStored(element, type.set!) ?? {}) };
    case "map":
      return { map: mapped(value as PlainObject, (element) => toStored(element, type.map!) ?? {}) };
  }
}

function objectToStored(value: PlainObject, block: BlockText): Readonly<Record<string, StoredValue>> {
  const stored: Record<string, StoredValue> = {};
  for (const [name, type] of Object.entries(block.attributes ?? {})) {
    const one = toStored(value[name], type);
    if (one) stored[name] = one;
  }
  for (const [name, below] of Object.entries(block.blocks ?? {})) {
    const elements = (value[name] ?? []) as readonly PlainObject[];
    stored[name] = { [below.mode ?? "list"]: elements.map((element) => ({ object: objectToStored(element, below) })) };
  }
  return stored;
}

function mapped<T, U>(all: Readonly<Record<string, T>>, change: (one: T, name: string) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(all).map(([name, one]) => [name, change(one, name)]));
}

/** The object with what is computed filled in: by what the description says, or null. */
function settled(plan: PlainObject, block: BlockText): PlainObject {
  const attributes = mapped(block.attributes ?? {}, (type, name) => {
    const value = plan[name];
    if (value === undefined) return type.value ? fromStored(type.value, type) : null;
    return type.type === "object" && value !== null
      ? settled(value as PlainObject, { attributes: type.object ?? {} })
      : elementsSettled(value, type);
  });
  const inner = mapped(block.blocks ?? {}, (below, name) =>
    ((plan[name] ?? []) as readonly PlainObject[]).map((element) => settled(element, below)),
  );
  return { ...attributes, ...inner };
}

function elementsSettled(value: Plain, type: AttributeText): Plain {
  const element = type.list ?? type.set ?? type.map;
  if (value === null || element?.type !== "object") return value;
  const below = { attributes: element.object ?? {} };
  if (type.map) return mapped(value as PlainObject, (one) => settled(one as PlainObject, below));
  return (value as readonly PlainObject[]).map((one) => settled(one, below));
}

const idAttribute: AttributeText = { type: "string", optional: true, computed: true, replace: true };

function resourceOf(type: string, given: BlockText) {
  const block: BlockText = { ...given, attributes: { ...given.attributes, id: idAttribute } };
  const pathOf = (folders: Folders, id: string) => `${folders.resources}/${id}.json`;
  const store = (folders: Folders, value: PlainObject) => {
    if (folders.onlyState) return;
    const stored: StoredObject = { resource_type: type, values: objectToStored(value, block) };
    mkdirSync(folders.resources, { recursive: true });
    writeFileSync(pathOf(folders, value.id as string), JSON.stringify(stored, null, 2));
  };
  const load = (folders: Folders, id: string) => {
    const stored = readJson<StoredObject>(pathOf(folders, id));
    return stored ? objectFromStored(stored.values, block) : null;
  };
  const refuse = (folders: Folders, doing: keyof Folders["failing"], id: string) => {
    if (folders.failing[doing].includes(id)) throw failure(`failed to ${doing} resource`, "forced failure");
  };
  return defineResource({
    client: uses<Folders>(),
    schema: fieldsOf(block) as Fields,
    create: ({ client, plan }) => {
      const value = settled({ ...(plan as PlainObject), id: (plan.id as string) ?? crypto.randomUUID() }, block);
      refuse(client, "create", value.id as string);
      if (!client.onlyState && load(client, value.id as string))
        throw failure("failed to create resource", "resource with the specified id likely already exists");
      store(client, value);
      return value;
    },
    read: ({ client, state }) => {
      refuse(client, "read", state.id as string);
      return client.onlyState ? (state as PlainObject) : load(client, state.id as string);
    },
    update: ({ client, plan, state }) => {
      const value = settled({ ...(plan as PlainObject), id: state.id as string }, block);
      refuse(client, "update", value.id as string);
      store(client, value);
      return value;
    },
    delete: ({ client, state }) => {
      refuse(client, "delete", state.id as string);
      if (client.onlyState) return;
      rmSync(pathOf(client, state.id as string));
      removeIfEmpty(client.resources);
    },
    import: ({ client, id }) => load(client, id) ?? { ...settled({}, block), id },
  });
}

function dataSourceOf(given: BlockText) {
  const attributes = mapped(given.attributes ?? {}, (attribute) => attribute);
  const block: BlockText = { ...given, attributes: { ...attributes, id: { type: "string", required: true } } };
  return defineDataSource({
    client: uses<Folders>(),
    schema: fieldsOf(block) as Fields,
    read: ({ client, config }) => {
      const stored = readJson<StoredObject>(`${client.data}/${config.id as string}.json`);
      if (!stored) throw failure("failed to read data source", `There is no file ${config.id as string}.json.`);
      return objectFromStored(stored.values, block);
    },
  });
}

function readJson<T>(path: string): T | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as T;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // Other objects are in it.
  }
}

const types: Readonly<Record<string, BlockText>> = {
  tfcoremock_simple_resource: { attributes: simpleAttributes },
  tfcoremock_complex_resource: complexBlock(3),
  ...readJson<Readonly<Record<string, BlockText>>>(
    process.env.TFCOREMOCK_DYNAMIC_RESOURCES_FILE ?? "dynamic_resources.json",
  ),
};

export const tfcoremock = defineProvider({
  name: "tfcoremock",
  version: "0.1.1",
  schema: {
    resource_directory: optional(string),
    data_directory: optional(string),
    use_only_state: optional(bool),
    fail_on_create: optional(list(string)),
    fail_on_read: optional(list(string)),
    fail_on_update: optional(list(string)),
    fail_on_delete: optional(list(string)),
  },
  configure: ({ config }): Folders => ({
    resources: config.resource_directory ?? "terraform.resource",
    data: config.data_directory ?? "terraform.data",
    onlyState: config.use_only_state ?? false,
    failing: {
      create: config.fail_on_create ?? [],
      read: config.fail_on_read ?? [],
      update: config.fail_on_update ?? [],
      delete: config.fail_on_delete ?? [],
    },
  }),
  resources: mapped(types, (block, name) => resourceOf(name, block)),
  dataSources: mapped(types, (block) => dataSourceOf(block)),
});
