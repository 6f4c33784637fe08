import type { Value } from "@millwright/value/value";
import { asMap, objectValue, stringValue } from "@millwright/value/value";
import { describe, expect, test } from "vitest";
import { messages, TestEngine } from "./testing/test-engine.ts";
import { writeStateFile } from "./statefile/write.ts";

const thing = (rest: string) => `resource "test_thing" "a" {\n  name = "a"\n  ${rest}\n}\n`;
const kept = (object: Value): Value => objectValue([...asMap(object), ["password_wo", stringValue("s3cret")]]);

describe("a provider that gives a write-only argument back breaks its word, and nothing of it is kept", () => {
  const cases: readonly { name: string; alter: (engine: TestEngine) => void; want: RegExp }[] = [
    {
      name: "in its plan",
      alter: ({ provider: { alter } }) => {
        alter.plan = (answer) => ({ ...answer, planned: kept(answer.planned) });
      },
      want: /Provider produced invalid plan: .*password_wo/,
    },
    {
      name: "in what it made",
      alter: ({ provider: { alter } }) => {
        alter.apply = (answer) => ({ ...answer, newState: kept(answer.newState) });
      },
      want: /Write-only attribute set: .*"password_wo" of test_thing\.a after the change/,
    },
  ];
  for (const { name, alter, want } of cases) {
    test(name, async () => {
      const engine = new TestEngine(thing('password_wo = "s3cret"'));
      alter(engine);
      const { plan, diagnostics } = await engine.plan();
      const said = plan.errored ? diagnostics : (await engine.apply(plan)).diagnostics;
      expect(messages(said).join("\n")).toMatch(want);
      expect(messages(said).join("\n")).not.toContain("s3cret");
      expect(writeStateFile({ lineage: "l", serial: 1, state: engine.state })).not.toContain("s3cret");
    });
  }

  test("in what it read", async () => {
    const engine = new TestEngine("");
    await engine.given(thing('password_wo = "s3cret"'));
    engine.provider.alter.read = (answer) => ({ ...answer, newState: kept(answer.newState) });
    const { plan, diagnostics } = await engine.plan();
    expect(messages(diagnostics).join("\n")).toMatch(/password_wo/);
    expect(writeStateFile({ lineage: "l", serial: 1, state: plan.priorState })).not.toContain("s3cret");
  });
});

test("it is sent with every plan and apply, and is no change by itself", async () => {
  const engine = new TestEngine("");
  await engine.given(thing('password_wo = "one"'));
  engine.configure(thing('password_wo = "two"'));
  const { plan } = await engine.plan();
  expect(plan.changes.map(({ action }) => action)).toEqual(["no-op"]);
  engine.configure(thing('password_wo = "two"\n  password_version = 2'));
  expect((await engine.plan()).plan.changes.map(({ action }) => action)).toEqual(["update"]);
});
