import { nullValue, objectValue, stringValue, unknownValue, type Value } from "@millwright/value/value";
import { stringType } from "@millwright/value/types";
import { describe, expect, test } from "vitest";
import { actionsOf, messages, TestEngine } from "../testing/test-engine.ts";

const small = (rest = "") => `resource "test_small" "a" {\n  name = "a"\n  ${rest}\n}\n`;
const withEntry = (object: Value, name: string, value: Value): Value =>
  objectValue([...(object.data as ReadonlyMap<string, Value>), [name, value]]);

describe("a provider that breaks its word is told so, and nothing is lost", () => {
  const cases: readonly { name: string; alter: (newState: Value) => Value; want: RegExp; left: readonly string[] }[] = [
    {
      name: "by another value than planned",
      alter: (state) => withEntry(state, "value", stringValue("other")),
      want: /Provider produced inconsistent result after apply: .*\.value: the value differs from the planned one/,
      left: ["test_small.a (tainted)"],
    },
    {
      name: "by a value that is still unknown",
      alter: (state) => withEntry(state, "echo", unknownValue(stringType)),
      want: /Provider returned invalid result object after apply: .*still indicated an unknown value/,
      left: ["test_small.a (tainted)"],
    },
    {
      name: "by no object at all",
      alter: (state) => nullValue(state.type),
      want: /Provider returned invalid result object after apply: .*still indicated no object/,
      left: [],
    },
    {
      name: "by an object of another form",
      alter: (state) => objectValue([["name", (state.data as ReadonlyMap<string, Value>).get("name")!]]),
      want: /Provider produced invalid object/,
      left: [],
    },
  ];
  for (const { name, alter, want, left } of cases) {
    test(name, async () => {
      const engine = new TestEngine(small('value = "v"'));
      engine.provider.alter.apply = (answer) => ({ ...answer, newState: alter(answer.newState) });
      const result = await engine.apply();
      expect(messages(result.diagnostics).join("\n")).toMatch(want);
      expect(result.complete).toBe(false);
      expect(engine.objects()).toEqual(left);
    });
  }

  test("by an object that is still there after its end", async () => {
    const engine = new TestEngine("");
    await engine.given(small());
    engine.configure("");
    engine.provider.alter.apply = (answer, call) => ({ ...answer, newState: call.prior });
    const result = await engine.apply();
    expect(messages(result.diagnostics).join("\n")).toMatch(/After applying a delete the provider still had an object/);
    expect(engine.objects()).toEqual(["test_small.a"]);
  });

  test("by another plan at apply than the one that was shown", async () => {
    const engine = new TestEngine(small('value = "v"'));
    const { plan } = await engine.plan();
    engine.provider.alter.plan = (answer) => ({
      ...answer,
      planned: withEntry(answer.planned, "value", stringValue("w")),
    });
    const result = await engine.apply(plan);
    expect(messages(result.diagnostics).join("\n")).toMatch(/Provider produced inconsistent final plan/);
    expect(engine.changes()).toEqual([]);
  });

  test("by wanting a new object at apply where an update was shown", async () => {
    const engine = new TestEngine("");
    await engine.given(small('value = "v"'));
    engine.configure(small('value = "w"'));
    const { plan } = await engine.plan();
    engine.provider.alter.plan = (answer) => ({ ...answer, requiresReplace: [[{ attribute: "value" }]] });
    const result = await engine.apply(plan);
    expect(messages(result.diagnostics).join("\n")).toMatch(/inconsistent final plan: .*it now needs a new object/);
    expect(engine.changes()).toEqual([]);
  });

  test("by a read that does not fit its schema", async () => {
    const engine = new TestEngine("");
    await engine.given(small());
    engine.provider.alter.read = (answer) => ({ ...answer, newState: objectValue({}) });
    const { plan, diagnostics } = await engine.plan();
    expect(plan.errored).toBe(true);
    expect(messages(diagnostics).join("\n")).toMatch(/Provider produced invalid object/);
  });

  test("by asking for a new object where nothing changes, which is no reason for one", async () => {
    const engine = new TestEngine("");
    await engine.given(small('value = "v"'));
    engine.provider.alter.plan = (answer) => ({ ...answer, requiresReplace: [[{ attribute: "value" }]] });
    expect(actionsOf((await engine.plan()).plan.changes)).toEqual([]);
  });
});

test("a change is told of in order: begun, then done or failed", async () => {
  const engine = new TestEngine(small());
  await engine.apply();
  const { kind, ...rest } = engine.events.at(-1)!;
  expect(engine.events.map((event) => event.kind)).toEqual(["planned", "apply-start", "apply-done"]);
  expect({ kind, ...rest }).toMatchObject({
    kind: "apply-done",
    address: "test_small.a",
    action: "create",
    id: "id=test_small-1",
  });
});

test("no more changes are under way at a time than asked for", async () => {
  const engine = new TestEngine('resource "test_small" "a" {\n count = 12\n name = "a${count.index}"\n}');
  const { plan } = await engine.plan();
  engine.provider.faults.add({ on: "create", how: "slow", milliseconds: 2 });
  engine.provider.log.clear();
  await engine.apply(plan, { parallelism: 3 });
  expect(engine.provider.log.peak).toBeLessThanOrEqual(3);
});
