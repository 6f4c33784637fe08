import { isNull } from "@millwright/value/value";
import { expect, test } from "vitest";
import { blocks, dynamic, map, nested, number, optional, required, string } from "./fields.ts";
import { schemaOfFields } from "./schema-of-fields.ts";
import type { JsonObject } from "./state-json.ts";
import { stateFromJson } from "./state-json.ts";
import { objectFor, plainOf } from "./testing/objects.ts";
import { testProvider } from "./testing/test-provider.ts";

const block = schemaOfFields({
  name: required(string),
  size: optional(number),
  labels: optional(map(string)),
  any: optional(dynamic),
  rules: optional(nested.list({ port: required(number), note: optional(string) })),
  row: blocks.list({ label: optional(string) }),
  loose: blocks.list({ any: optional(dynamic) }),
  tag: blocks.set({ label: optional(string) }),
  group: blocks.group({ label: optional(string) }),
});
const unchanged = (old: JsonObject) => old;

test("missing attributes are null, missing blocks empty, and what the schema has no more is left out", async () => {
  const json = JSON.stringify({
    name: "a",
    gone: 1,
    rules: [{ port: 80, gone: true }],
    row: [{ label: "x", gone: "" }],
    tag: null,
  });
  const state = await stateFromJson(json, block, unchanged);
  expect(state.ok && plainOf(block, state.value)).toMatchObject({
    name: "a",
    size: null,
    rules: [{ port: 80, note: null }],
    row: [{ label: "x" }],
    tag: [],
    group: { label: null },
  });
});

test("a dynamic attribute is read by the type beside it", async () => {
  const json = JSON.stringify({ name: "a", any: { value: [1, "x"], type: ["tuple", ["number", "string"]] } });
  const state = await stateFromJson(json, block, unchanged);
  expect(state.ok && plainOf(block, state.value)).toMatchObject({ any: { type: { kind: "tuple" } } });
});

test("a number keeps digits that JavaScript cannot hold, through an upgrade too", async () => {
  const json = '{"name":"a","width":12345678901234567890123}';
  const state = await stateFromJson(json, block, ({ width, ...rest }) => ({ ...rest, size: width ?? null }));
  const size = state.ok && state.value.data instanceof Map ? state.value.data.get("size") : undefined;
  expect(size?.data).toMatchObject({ precision: 512 });
  expect((size?.data as { toText(): string }).toText()).toBe("12345678901234567890123");
});

test.each([
  { name: "what is no JSON", json: "{", want: /^The state is no JSON: / },
  { name: "what is no object", json: "[]", want: /^The state is no JSON object\.$/ },
  {
    name: "an attribute of another type",
    json: '{"name":"a","size":"x"}',
    want: /^The state does not fit the schema at \.size: /,
  },
])("refuses $name", async ({ json, want }) => {
  const state = await stateFromJson(json, block, unchanged);
  expect(state.ok ? "" : state.message).toMatch(want);
});

test("a provider upgrades states of older versions and refuses those of newer ones", async () => {
  const provider = testProvider().start();
  const thing = (await provider.schema()).resources.get("test_thing")!;
  const upgrade = (version: number) =>
    provider.upgradeResourceState({ type: "test_thing", version, json: '{"name":"a","label":"old"}' });
  const { upgraded } = await upgrade(0);
  expect(plainOf(thing.block, upgraded)).toMatchObject({ name: "a", text: "old" });
  expect(plainOf(thing.block, (await upgrade(1)).upgraded)).toMatchObject({ name: "a", text: null });
  const newer = await upgrade(2);
  expect(isNull(newer.upgraded)).toBe(true);
  expect(newer.diagnostics).toMatchObject([
    { severity: "error", detail: expect.stringContaining("Use a newer version of the provider") },
  ]);
});

test("a provider takes over the state of another resource type where it knows how", async () => {
  const provider = testProvider().start();
  const thing = (await provider.schema()).resources.get("test_thing")!;
  const from = {
    sourceProvider: "registry.terraform.io/millwright/test",
    sourceVersion: 0,
    sourcePrivate: new Uint8Array(),
  };
  const moved = await provider.moveResourceState({
    ...from,
    sourceType: "test_former",
    sourceJson: '{"title":"t"}',
    targetType: "test_thing",
  });
  expect(plainOf(thing.block, moved.target)).toEqual(plainOf(thing.block, objectFor(thing.block, { name: "t" })));
  const refused = await provider.moveResourceState({
    ...from,
    sourceType: "other",
    sourceJson: "{}",
    targetType: "test_thing",
  });
  expect(refused.diagnostics).toMatchObject([{ summary: "Unable to move resource state" }]);
});
