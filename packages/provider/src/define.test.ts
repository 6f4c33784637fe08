import type { Value } from "@millwright/value/value";
import { asMap, isKnown, nullValue } from "@millwright/value/value";
import { beforeEach, describe, expect, test } from "vitest";
import { impliedType } from "./implied-type.ts";
import type { Provider } from "./protocol.ts";
import type { BlockSchema } from "./schema.ts";
import { objectFor, plainOf } from "./testing/objects.ts";
import type { TestProvider } from "./testing/test-provider.ts";
import { testProvider } from "./testing/test-provider.ts";

let testing: TestProvider;
let provider: Provider;
let block: BlockSchema;
const noPrivate = new Uint8Array();

beforeEach(async () => {
  testing = testProvider();
  provider = testing.start();
  const schema = await provider.schema();
  block = schema.resources.get("test_thing")!.block;
  await provider.configure({ terraformVersion: "1.11.4", config: objectFor(schema.provider.block, {}) });
});

async function plan(data: Readonly<Record<string, unknown>>, prior?: Value) {
  const config = objectFor(block, data);
  const nothing = nullValue(impliedType(block));
  // What the engine proposes: the configuration, and where it is silent on computed attributes, what was there before.
  const proposed = prior ? objectFor(block, { ...(plainOf(block, prior) as object), ...data }) : config;
  const answer = await provider.planResourceChange({
    type: "test_thing",
    prior: prior ?? nothing,
    proposed,
    config,
    priorPrivate: noPrivate,
  });
  return { ...answer, config, prior: prior ?? nothing };
}

async function apply(data: Readonly<Record<string, unknown>>, prior?: Value) {
  const planned = await plan(data, prior);
  return provider.applyResourceChange({ type: "test_thing", ...planned });
}

describe("a resource defined in TypeScript", () => {
  test("plans a new object with defaults filled in and computed attributes unknown", async () => {
    const { planned, requiresReplace, diagnostics } = await plan({ name: "a", row: [{ label: "x" }] });
    expect(diagnostics).toEqual([]);
    expect(requiresReplace).toEqual([]);
    expect(plainOf(block, planned)).toMatchObject({
      name: "a",
      size: 3,
      region: undefined,
      id: undefined,
      text: null,
      row: [{ label: "x", weight: null, uid: undefined }],
    });
    expect(isKnown(asMap(planned).get("id")!)).toBe(false);
  });

  test("creates what was planned and settles every attribute", async () => {
    const { newState, diagnostics } = await apply({ name: "a", size: 7, password_wo: "hush", one: { label: "only" } });
    expect(diagnostics).toEqual([]);
    expect(plainOf(block, newState)).toMatchObject({
      name: "a",
      size: 7,
      id: "test_thing-1",
      revision: 1,
      password_wo: null,
      one: { label: "only", weight: null, uid: "uid of only" },
    });
  });

  test("plans no change when nothing is to change", async () => {
    const { newState } = await apply({ name: "a" });
    const { planned, requiresReplace } = await plan({ name: "a", size: 3, region: "middle" }, newState);
    expect(plainOf(block, planned)).toEqual(plainOf(block, newState));
    expect(requiresReplace).toEqual([]);
  });

  test("keeps stable computed attributes in the plan of an update and loosens the others", async () => {
    const { newState } = await apply({ name: "a" });
    const { planned } = await plan({ name: "a", text: "new" }, newState);
    expect(plainOf(block, planned)).toMatchObject({ text: "new", id: "test_thing-1", revision: undefined });
  });

  test("asks for a new object where an attribute cannot be changed in place, at any depth", async () => {
    const { newState } = await apply({ name: "a", zone: "east", row: [{ label: "x", zone: "1" }] });
    const { requiresReplace } = await plan({ name: "a", zone: "west", row: [{ label: "x", zone: "2" }] }, newState);
    expect(requiresReplace).toMatchObject([
      [{ attribute: "zone" }],
      [{ attribute: "row" }, { index: {} }, { attribute: "zone" }],
    ]);
  });

  test("answers what is there beside the error when a create fails halfway", async () => {
    testing.faults.add({ on: "create", how: "failHalfway" });
    const { newState, diagnostics } = await apply({ name: "a" });
    expect(plainOf(block, newState)).toMatchObject({ name: "a", id: "test_thing-1" });
    expect(diagnostics).toEqual([
      {
        severity: "error",
        summary: "Failed to create a",
        detail: "The test provider was told to fail.",
        attribute: [{ attribute: "name" }],
      },
    ]);
  });

  test("answers nothing but the error when a create fails before anything was done", async () => {
    testing.faults.add({ on: "create", how: "fail" });
    const { newState, diagnostics } = await apply({ name: "a" });
    expect(newState.data).toBeNull();
    expect(diagnostics).toHaveLength(1);
  });

  test("ends a hanging call when it is told to stop", async () => {
    testing.faults.add({ on: "create", how: "hang" });
    const running = apply({ name: "a" });
    await new Promise((resolve) => setImmediate(resolve));
    await provider.stop();
    const { newState, diagnostics } = await running;
    expect(newState.data).toBeNull();
    expect(diagnostics).toMatchObject([{ summary: "Cannot create test_thing" }]);
  });

  test("rejects a call when the provider dies", async () => {
    testing.faults.add({ on: "create", how: "crash", times: 1 });
    await expect(apply({ name: "a" })).rejects.toThrow("ended unexpectedly");
    await expect(apply({ name: "a" })).resolves.toMatchObject({ diagnostics: [] });
  });

  test("says that an object is gone", async () => {
    const { newState } = await apply({ name: "a" });
    testing.world.delete("test_thing-1");
    const { newState: now } = await provider.readResource({
      type: "test_thing",
      current: newState,
      private: noPrivate,
    });
    expect(now.data).toBeNull();
  });

  test("deletes, and keeps what was there when that fails", async () => {
    const { newState } = await apply({ name: "a" });
    const nothing = nullValue(impliedType(block));
    const destroy = {
      type: "test_thing",
      prior: newState,
      planned: nothing,
      config: nothing,
      plannedPrivate: noPrivate,
    };
    testing.faults.add({ on: "delete", how: "fail", times: 1 });
    const failed = await provider.applyResourceChange(destroy);
    expect(plainOf(block, failed.newState)).toEqual(plainOf(block, newState));
    const done = await provider.applyResourceChange(destroy);
    expect(done.newState.data).toBeNull();
    expect(testing.world.all()).toEqual([]);
  });
});
