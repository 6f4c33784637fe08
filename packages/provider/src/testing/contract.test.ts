import type { Value } from "@millwright/value/value";
import { asMap, asString, nullValue, objectValue, stringValue } from "@millwright/value/value";
import { describe, expect, test } from "vitest";
import type { Provider } from "../protocol.ts";
import type { ContractCase } from "./contract.ts";
import { configureForTest, contractViolations } from "./contract.ts";
import type { TestAlterations } from "./test-provider.ts";
import { testProvider } from "./test-provider.ts";

const thing: ContractCase = {
  type: "test_thing",
  config: {
    name: "a",
    number: 0.1,
    password_wo: "hush",
    labels: { x: "1" },
    members: ["b", "a"],
    endpoint: { label: "e" },
    rules: [{ label: "r" }],
    marks: [{ label: "m", weight: 2 }],
    peers: { p: { label: "q" } },
    one: { label: "o" },
    group: { label: "g" },
    row: [{ label: "1" }, { label: "2", zone: "z" }],
    tag: [{ label: "t" }],
    named: { n: { label: "l" } },
  },
  changes: [{ name: "a", text: "new", rules: [] }, { name: "a", zone: "east" }, { name: "b" }],
  importId: (state) => asString(state.get("id")!),
  interrupted: "present",
};

const named: ContractCase = {
  type: "test_named",
  config: { name: "a" },
  changes: [{ name: "a", value: "new" }, { name: "b" }],
  importId: (state) => asString(state.get("name")!),
};

async function started(alter: TestAlterations = {}): Promise<Provider> {
  const testing = testProvider();
  Object.assign(testing.alter, alter);
  const provider = testing.start();
  await configureForTest(provider);
  return provider;
}

describe("the provider contract", () => {
  test("is kept by a resource with attributes of every kind and blocks of every nesting", async () => {
    expect(await contractViolations(await started(), thing)).toEqual([]);
  });

  test("is kept by a resource whose objects have an identity", async () => {
    expect(await contractViolations(await started(), named)).toEqual([]);
  });

  test("is kept by a resource of the older type system, in its own way", async () => {
    const small = { type: "test_legacy", config: { name: "a", value: "UP" }, changes: [{ name: "a", force: "x" }] };
    expect(await contractViolations(await started(), small)).toEqual([]);
  });

  test("wants to know what becomes of an interrupted create", async () => {
    const small = { type: "test_small", config: { name: "a" } };
    expect(await contractViolations(await started(), { ...small, interrupted: "unknown" })).toEqual([]);
    expect(await contractViolations(await started(), { ...small, interrupted: "present" })).toEqual([
      "interrupted: unknown (a test_small cannot be found by what was sent) is answered, not present",
    ]);
  });

  const set = (value: Value, name: string, to: Value) =>
    value.data === null ? value : objectValue([...asMap(value), [name, to]]);
  const violations: readonly { name: string; alter: TestAlterations; want: RegExp }[] = [
    {
      name: "a plan that changes what was configured",
      alter: { plan: (answer) => ({ ...answer, planned: set(answer.planned, "name", stringValue("other")) }) },
      want: /name is planned other than configured/,
    },
    {
      name: "an object that does not fit the schema",
      alter: { apply: (answer) => ({ ...answer, newState: set(answer.newState, "surprise", stringValue("!")) }) },
      want: /does not fit the schema: there is no attribute "surprise"/,
    },
    {
      name: "a result other than planned",
      alter: { apply: (answer) => ({ ...answer, newState: set(answer.newState, "name", stringValue("other")) }) },
      want: /name is not what was planned/,
    },
    {
      name: "a write-only value that is kept",
      alter: { apply: (answer) => ({ ...answer, newState: set(answer.newState, "password_wo", stringValue("hush")) }) },
      want: /the write-only password_wo is kept/,
    },
    {
      name: "an object that reads differently each time",
      alter: {
        read: (answer) => ({ ...answer, newState: set(answer.newState, "text", stringValue(String(Math.random()))) }),
      },
      want: /reading finds another object/,
    },
    {
      name: "something left of a destroyed object",
      alter: {
        apply: (answer, call) => ({ ...answer, newState: call.planned.data === null ? call.prior : answer.newState }),
      },
      want: /something is left/,
    },
    {
      name: "nothing planned for what was configured",
      alter: { plan: (answer) => ({ ...answer, planned: nullValue(answer.planned.type) }) },
      want: /null is planned for a configured object/,
    },
  ];
  test.each(violations)("finds $name", async ({ alter, want }) => {
    const small = { type: "test_thing", config: { name: "a", password_wo: "hush" } };
    expect((await contractViolations(await started(alter), small)).join("\n")).toMatch(want);
  });

  const other = objectValue([
    ["name", stringValue("other")],
    ["id", stringValue("1")],
  ]);
  const identities: readonly { name: string; alter: TestAlterations; want: RegExp }[] = [
    {
      name: "no identity after an apply",
      alter: { apply: ({ identity: _, ...answer }) => answer },
      want: /apply: no identity is given/,
    },
    {
      name: "an identity other than planned",
      alter: { apply: (answer) => ({ ...answer, identity: other }) },
      want: /apply: identity: name is not what was planned/,
    },
    {
      name: "an identity that does not fit its schema",
      alter: { read: (answer) => ({ ...answer, identity: stringValue("a") }) },
      want: /read: the identity does not fit its schema/,
    },
  ];
  test.each(identities)("finds $name", async ({ alter, want }) => {
    expect((await contractViolations(await started(alter), named)).join("\n")).toMatch(want);
  });
});
