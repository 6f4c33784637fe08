import { instanceAddress, parseProviderConfigAddress } from "@millwright/engine/addresses";
import { parseAddress } from "@millwright/engine/parse-address";
import type { Action, InstanceChange, OutputChange, Plan } from "@millwright/engine/plan";
import { emptyState } from "@millwright/engine/state";
import { impliedType } from "@millwright/provider/implied-type";
import type { AttributeSchema, BlockSchema, NestedBlockSchema, Schema } from "@millwright/provider/schema";
import type { Path } from "@millwright/value/path";
import { boolType, dynamicType, listType, mapType, numberType, setType, stringType } from "@millwright/value/types";
import type { Value } from "@millwright/value/value";
import { asMap, nullValue, objectValue } from "@millwright/value/value";

const attributes = (entries: Readonly<Record<string, AttributeSchema>>): ReadonlyMap<string, AttributeSchema> =>
  new Map(Object.entries(entries));

const part: BlockSchema = {
  attributes: attributes({ name: { type: stringType, optional: true }, size: { type: numberType, optional: true } }),
  blocks: new Map(),
};

const block = (nesting: NestedBlockSchema["nesting"]): NestedBlockSchema => ({
  nesting,
  block: part,
  minItems: 0,
  maxItems: 0,
});

const nested = (nesting: "single" | "list" | "set" | "map"): AttributeSchema => ({
  optional: true,
  nested: {
    nesting,
    attributes: attributes({
      key: { type: stringType, optional: true },
      on: { type: boolType, optional: true },
      token: { type: stringType, optional: true, writeOnly: true },
    }),
  },
});

/** A resource with attributes of every kind and blocks of every nesting. */
export const demoSchema: Schema = {
  version: 0,
  block: {
    attributes: attributes({
      id: { type: stringType, computed: true },
      any: { type: dynamicType, optional: true },
      count: { type: numberType, optional: true },
      labels: { type: mapType(stringType), optional: true },
      nodes: { type: listType(stringType), optional: true },
      password: { type: stringType, optional: true, writeOnly: true },
      ports: { type: setType(numberType), optional: true },
      text: { type: stringType, optional: true },
      zone: { type: stringType, optional: true },
      nested_list: nested("list"),
      nested_map: nested("map"),
      nested_set: nested("set"),
      nested_single: nested("single"),
    }),
    blocks: new Map([
      ["group_block", block("group")],
      ["list_block", block("list")],
      ["map_block", block("map")],
      ["set_block", block("set")],
      ["single_block", block("single")],
    ]),
  },
};

export const demoType = impliedType(demoSchema.block);

/** An object of the demo schema: what is not given is null, or an empty collection of blocks. */
export function demo(given: Readonly<Record<string, Value>>): Value {
  const whole: Record<string, Value> = {};
  for (const [name, type] of demoType.kind === "object" ? demoType.attributes : []) whole[name] = nullValue(type);
  return objectValue({ ...whole, ...given });
}

/** The same with other values of some attributes. */
export function changed(object: Value, given: Readonly<Record<string, Value>>): Value {
  return objectValue({ ...Object.fromEntries(asMap(object)), ...given });
}

export interface ChangeOptions {
  readonly reason?: InstanceChange["reason"];
  readonly deposedKey?: string;
  readonly replacePaths?: readonly Path[];
  readonly notes?: InstanceChange["notes"];
}

const provider = parseProviderConfigAddress('provider["registry.terraform.io/example/demo"]')!;

/** A change of `address` from `before` to `after`; undefined is nothing. */
export function change(
  address: string,
  action: Action,
  before: Value | undefined,
  after: Value | undefined,
  options: ChangeOptions = {},
): InstanceChange {
  const parsed = parseAddress(address);
  if (parsed?.kind !== "instance") throw new Error(`${address} is not the address of an instance`);
  const { module, resource, key } = parsed.address;
  return {
    address: instanceAddress(module, resource, key),
    provider,
    action,
    reason: options.reason ?? "none",
    before: before ?? nullValue(demoType),
    after: after ?? nullValue(demoType),
    replacePaths: options.replacePaths ?? [],
    priorPrivate: new Uint8Array(),
    plannedPrivate: new Uint8Array(),
    dependencies: [],
    createBeforeDestroy: action === "create-delete",
    ...(options.deposedKey === undefined ? {} : { deposedKey: options.deposedKey }),
    ...(options.notes ? { notes: options.notes } : {}),
  };
}

/** An output's change; undefined is none. */
export function outputChange(before: Value | undefined, after: Value | undefined): OutputChange {
  const action = before === undefined ? "create" : after === undefined ? "delete" : "update";
  const other = (before ?? after)!;
  const nothing = nullValue(other.type);
  return { action, before: before ?? nothing, after: after ?? nothing, sensitive: false };
}

/** A plan of these changes and nothing else. */
export function planOf(parts: Partial<Plan>): Plan {
  return {
    mode: "normal",
    variables: new Map(),
    ephemeralVariables: [],
    changes: [],
    drift: [],
    deferrals: [],
    relevant: [],
    outputs: new Map(),
    previousState: emptyState,
    priorState: emptyState,
    lineage: "1b1e1f2a-0000-4000-8000-000000000000",
    serial: 1,
    expansions: { calls: new Map(), resources: new Map() },
    refreshed: true,
    targets: [],
    forceReplace: [],
    timestamp: "2026-01-02T03:04:05Z",
    errored: false,
    checks: [],
    settled: [],
    unread: [],
    ...parts,
  };
}

export const demoSchemas = { resourceSchema: () => demoSchema };
