import { describe, expect, test } from "vitest";
import { stringType } from "@millwright/value/types";
import type { Value } from "@millwright/value/value";
import { nullValue, objectValue, stringValue } from "@millwright/value/value";
import { defineProvider } from "./define.ts";
import { computed, optional, required, string } from "./fields.ts";
import { impliedType } from "./implied-type.ts";
import type { ProviderDiagnostics } from "./protocol.ts";
import { defineResource } from "./resource.ts";
import type { ResourceIdentity } from "./resource-identity.ts";
import { objectFor } from "./testing/objects.ts";

const fields = { name: required(string), region: optional(string), id: computed(string) };
type Identity = ResourceIdentity<typeof fields>;

const named: Identity = { attributes: { name: "required" } };

/** A provider of one type with an identity; `seen` is what its objects turn out to be called. */
async function started(identity: Identity, seen: (name: string) => string | null = (name) => name) {
  const asked: string[] = [];
  const thing = defineResource({
    schema: fields,
    identity,
    create: ({ plan }) => ({ ...plan, name: seen(plan.name) as string, id: "1" }),
    update: ({ plan }) => ({ ...plan, name: seen(plan.name) as string, id: "1" }),
    read: ({ state }) => ({ ...state, name: seen(state.name) as string }),
    delete: () => undefined,
    import: ({ id }) => {
      asked.push(id);
      return { name: "a", region: null, id };
    },
  });
  const about = { name: "things", version: "1.0.0", configure: () => undefined };
  const provider = defineProvider({ ...about, resources: { thing } }).start();
  const { resources, provider: own } = await provider.schema();
  await provider.configure({ terraformVersion: "1.12.0", config: objectFor(own.block, {}) });
  const schema = resources.get("thing")!;
  const object = (data: Readonly<Record<string, unknown>>) => objectFor(schema.block, data);
  return { provider, schema, object, asked, nothing: nullValue(impliedType(schema.block)) };
}

const identityOf = (name: string | null): Value =>
  objectValue([["name", name === null ? nullValue(stringType) : stringValue(name)]]);

const said = (diagnostics: ProviderDiagnostics) => diagnostics.map(({ summary }) => summary);

test("it is made of attributes, told whether an import has to give them", async () => {
  const { schema } = await started({ version: 2, attributes: { name: "required", region: "optional" } });
  expect(schema.identity).toEqual({
    version: 2,
    attributes: new Map([
      ["name", { type: stringType, requiredForImport: true, optionalForImport: false }],
      ["region", { type: stringType, requiredForImport: false, optionalForImport: true }],
    ]),
  });
});

test("it is not made of what must not be seen", async () => {
  const schema = { secret: required(string, { sensitive: true }) };
  const about = { create: () => ({ secret: "" }), read: () => null, delete: () => undefined };
  const thing = defineResource({ schema, identity: { attributes: { secret: "required" } }, ...about });
  expect(() => thing("thing")).toThrow("that anybody may see");
});

test("it is planned, given after a create, and read", async () => {
  const { provider, object, nothing } = await started(named);
  const config = object({ name: "a" });
  const asked = { type: "thing", prior: nothing, proposed: config, config, priorPrivate: new Uint8Array() };
  const { planned, plannedIdentity, plannedPrivate } = await provider.planResourceChange(asked);
  expect(plannedIdentity).toEqual(identityOf("a"));
  const made = await provider.applyResourceChange({ type: "thing", prior: nothing, planned, config, plannedPrivate });
  expect(made).toMatchObject({ identity: identityOf("a"), diagnostics: [] });
  const call = { type: "thing", current: made.newState, private: made.private, identity: identityOf("a") };
  expect(await provider.readResource(call)).toMatchObject({ identity: identityOf("a"), diagnostics: [] });
});

test("objects that are read many at a time have it too", async () => {
  const thing = defineResource({
    schema: fields,
    identity: named,
    create: () => ({ name: "a", region: null, id: "1" }),
    read: ({ state }) => state,
    readMany: ({ states }) => states.map((state) => ({ ...state, name: `${state.name}${state.name}` })),
    delete: () => undefined,
  });
  const about = { name: "things", version: "1.0.0", configure: () => undefined };
  const provider = defineProvider({ ...about, resources: { thing } }).start();
  const { resources, provider: own } = await provider.schema();
  await provider.configure({ terraformVersion: "1.12.0", config: objectFor(own.block, {}) });
  const current = objectFor(resources.get("thing")!.block, { name: "a", id: "1" });
  const call = { type: "thing", current, private: new Uint8Array() };
  const answers = await provider.readMany!([call, { ...call, identity: identityOf("a") }]);
  expect(answers.map(({ identity }) => identity)).toEqual([identityOf("aa"), identityOf("aa")]);
  expect(answers.map(({ diagnostics }) => said(diagnostics))).toEqual([[], ["Unexpected Identity Change"]]);
});

describe("what may not be", () => {
  const reads: readonly { name: string; identity: Identity; before: Value; sees: string | null; want: string[] }[] = [
    {
      name: "another one after a read",
      identity: named,
      before: identityOf("a"),
      sees: "b",
      want: ["Unexpected Identity Change"],
    },
    {
      name: "none after a read",
      identity: named,
      before: identityOf("a"),
      sees: null,
      want: ["Missing Resource Identity After Read", "Unexpected Identity Change"],
    },
    {
      name: "but another one is, where it may change",
      identity: { ...named, mutable: true },
      before: identityOf("a"),
      sees: "b",
      want: [],
    },
    { name: "but one in place of nulls is", identity: named, before: identityOf(null), sees: "b", want: [] },
  ];
  test.each(reads)("$name", async ({ identity, before, sees, want }) => {
    const { provider, object } = await started(identity, () => sees);
    const call = {
      type: "thing",
      current: object({ name: "a", id: "1" }),
      private: new Uint8Array(),
      identity: before,
    };
    expect(said((await provider.readResource(call)).diagnostics)).toEqual(want);
  });

  test("another one planned in place", async () => {
    const { provider, object } = await started(named);
    const [prior, config] = [object({ name: "a", id: "1" }), object({ name: "b" })];
    const call = { type: "thing", prior, proposed: config, config, priorPrivate: new Uint8Array() };
    const { diagnostics } = await provider.planResourceChange({ ...call, priorIdentity: identityOf("a") });
    expect(said(diagnostics)).toEqual(["Unexpected Identity Change"]);
  });

  test("none after a create", async () => {
    const { provider, object, nothing } = await started(named, () => null);
    const planned = object({ name: "a" });
    const call = { type: "thing", prior: nothing, planned, config: planned, plannedPrivate: new Uint8Array() };
    expect(said((await provider.applyResourceChange(call)).diagnostics)).toEqual([
      "Missing Resource Identity After Create",
    ]);
  });
});

describe("an import by identity", () => {
  test("asks for the only attribute", async () => {
    const { provider, asked } = await started(named);
    const call = { type: "thing", id: "", identity: identityOf("a") };
    expect(await provider.importResourceState(call)).toMatchObject({ imported: [{ identity: identityOf("a") }] });
    expect(asked).toEqual(["a"]);
  });

  const both = { name: "required", region: "optional" } as const;
  const parts = objectValue([
    ["name", stringValue("a")],
    ["region", nullValue(stringType)],
  ]);

  test("asks for what the type makes of several", async () => {
    const importId: Identity["importId"] = ({ name, region }) => `${region ?? "eu"}/${name}`;
    const { provider, asked } = await started({ attributes: both, importId });
    await provider.importResourceState({ type: "thing", id: "", identity: parts });
    expect(asked).toEqual(["eu/a"]);
  });

  test("is refused where the type does not say what to ask for", async () => {
    const { provider } = await started({ attributes: both });
    const { diagnostics } = await provider.importResourceState({ type: "thing", id: "", identity: parts });
    expect(said(diagnostics)).toEqual(["Import by identity not supported"]);
  });
});

describe("a stored identity", () => {
  const upgrades: Identity["upgrades"] = { 0: ({ title }) => ({ name: title ?? null }) };
  const cases: readonly { name: string; version: number; json: string; want: Value | undefined }[] = [
    { name: "of this version is read", version: 1, json: '{"name":"a"}', want: identityOf("a") },
    { name: "of an older one is brought up to date", version: 0, json: '{"title":"a"}', want: identityOf("a") },
    { name: "loses what is no part of it any more", version: 1, json: '{"name":"a","x":1}', want: identityOf("a") },
    { name: "of a newer one is refused", version: 2, json: '{"name":"a"}', want: undefined },
    { name: "that does not fit is refused", version: 1, json: '{"name":{}}', want: undefined },
  ];
  test.each(cases)("$name", async ({ version, json, want }) => {
    const { provider } = await started({ ...named, version: 1, upgrades });
    const { upgraded, diagnostics } = await provider.upgradeResourceIdentity!({ type: "thing", version, json });
    expect(diagnostics.length > 0 ? undefined : upgraded).toEqual(want);
  });
});
