import type { InterruptedAnswer, Provider } from "@millwright/provider/protocol";
import { describe, expect, test } from "vitest";
import type { PendingCreate } from "../backend/journal.ts";
import { emptyState } from "../state.ts";
import { actionsOf, messages, plainOf, summaries, TestEngine } from "../testing/test-engine.ts";

const entry: PendingCreate = {
  address: "test_small.a",
  provider: 'provider["registry.terraform.io/millwright/test"]',
  type: "test_small",
  schemaVersion: 0,
  sent: '{"name":"a","value":null,"force":null,"id":null,"echo":null}',
  at: "2026-01-02T03:04:05Z",
};

const configuration = 'resource "test_small" "a" {\n  name = "a"\n}\n';

/** An engine whose provider answers what became of a create whose answer was lost. */
function engineThat(find: NonNullable<Provider["findInterrupted"]> | undefined): TestEngine {
  const engine = new TestEngine(configuration);
  engine.wrap = (provider) => (find ? { ...provider, findInterrupted: find } : provider);
  return engine;
}

describe("a create that was under way when a run was killed", () => {
  test("is made again where the object is not there", async () => {
    const engine = engineThat(() => Promise.resolve({ kind: "absent" }));
    const { plan, diagnostics } = await engine.plan({ interrupted: [entry] });
    expect(diagnostics).toEqual([]);
    expect(actionsOf(plan.changes)).toEqual(["create test_small.a"]);
    expect(plan.settled).toEqual(["test_small.a"]);
  });

  test("is taken over where it is there, and planned on from there", async () => {
    const engine = engineThat(({ sent }): Promise<InterruptedAnswer> => {
      const made = engine.provider.world.create("test_small", "a");
      const state = { ...(plainOf(sent) as object), id: made.id, echo: "echo of nothing" };
      engine.provider.world.store(made.id, state);
      const entries = Object.entries(state).map(
        ([name, text]) =>
          [name, { ...(sent.data as ReadonlyMap<string, typeof sent>).get(name)!, data: text }] as const,
      );
      return Promise.resolve({ kind: "present", state: { ...sent, data: new Map(entries.sort()) } });
    });
    const { plan, diagnostics } = await engine.plan({ interrupted: [entry] });
    expect(summaries(diagnostics)).toEqual(["warning: Took over an object of an interrupted create"]);
    expect(actionsOf(plan.changes)).toEqual([]);
    expect(plan.settled).toEqual(["test_small.a"]);
    await engine.apply(plan);
    expect(engine.objects()).toEqual(["test_small.a"]);
    expect(engine.provider.world.names()).toEqual(["a"]);
  });

  for (const [name, find] of [
    ["the provider cannot tell", undefined],
    ["the provider does not know", () => Promise.resolve({ kind: "unknown", why: "two are alike" } as const)],
    ["the provider dies over it", () => Promise.reject(new Error("gone"))],
  ] as const) {
    test(`stops the plan where ${name}, and says what was sent, when, and what to do`, async () => {
      const engine = engineThat(find);
      const { plan, diagnostics } = await engine.plan({ interrupted: [entry] });
      expect(plan.errored).toBe(true);
      expect(actionsOf(plan.changes)).toEqual([]);
      expect(plan.settled).toEqual([]);
      const said = messages(diagnostics).join("\n");
      expect(said).toMatch(/A create may have happened/);
      expect(said).toContain(entry.at);
      expect(said).toContain('"name":"a"');
      expect(said).toMatch(/import test_small.a ID/);
    });
  }

  describe("is looked for also where the configuration has it no more", () => {
    const made: InterruptedAnswer["kind"][] = ["absent", "present", "unknown"];
    const want = {
      absent: { changes: [], said: [] },
      present: {
        changes: ["delete test_small.a because no_resource_config"],
        said: ["warning: Took over an object of an interrupted create"],
      },
      unknown: { changes: [], said: ["error: A create may have happened"] },
    } as const;
    test.each(made)("%s", async (kind) => {
      const engine = engineThat(undefined);
      await engine.given(configuration);
      const { state } = engine;
      const { attributes } = engine.object("test_small.a");
      if (attributes.form !== "value") throw new Error("objects of a run are values");
      const there = attributes.value;
      engine.state = emptyState;
      engine.wrap = (provider) => ({
        ...provider,
        findInterrupted: () =>
          Promise.resolve(
            kind === "present" ? { kind, state: there } : kind === "absent" ? { kind } : { kind, why: "" },
          ),
      });
      engine.configure("");
      const { plan, diagnostics } = await engine.plan({ interrupted: [entry] });
      expect(actionsOf(plan.changes)).toEqual(want[kind].changes);
      expect(summaries(diagnostics)).toEqual(want[kind].said);
      expect(plan.priorState.resources.size).toBe(kind === "present" ? state.resources.size : 0);
    });
  });

  test("is not looked for where it is not targeted", async () => {
    const engine = engineThat(() => Promise.resolve({ kind: "absent" }));
    engine.configure(`${configuration}resource "test_small" "b" {\n name = "b"\n}\n`);
    const { plan, diagnostics } = await engine.plan({ interrupted: [entry], targets: ["test_small.b"] });
    expect(summaries(diagnostics)).toEqual(["warning: Resource targeting is in effect"]);
    expect(actionsOf(plan.changes)).toEqual(["create test_small.b"]);
    expect(plan.settled).toEqual([]);
  });
});
