import type { Provider, ReadAnswer, ReadCall } from "@millwright/provider/protocol";
import { describe, expect, test } from "vitest";
import { actionsOf, TestEngine } from "../testing/test-engine.ts";

const many = (count: number, value: string) =>
  `resource "test_small" "a" {\n  count = ${count}\n  name  = "a\${count.index}"\n  value = "${value}"\n}\n`;

interface Seen {
  readonly batches: number[];
  single: number;
}

/** Has the provider of an engine read `test_small` many at a time, and counts how it is asked. */
function readingMany(engine: TestEngine, unread: (call: ReadCall) => boolean = () => false): Seen {
  const seen: Seen = { batches: [], single: 0 };
  engine.wrap = (provider): Provider => ({
    ...provider,
    readsMany: new Set(["test_small"]),
    readResource: (call) => {
      seen.single++;
      return provider.readResource(call);
    },
    readMany: async (calls) => {
      seen.batches.push(calls.length);
      return Promise.all(
        calls.map(async (call): Promise<ReadAnswer> => {
          if (!unread(call)) return provider.readResource(call);
          return { newState: call.current, private: call.private, diagnostics: [], unread: true };
        }),
      );
    },
  });
  return seen;
}

describe("objects are read many at a time where their provider can", () => {
  test("a plan of 2,500 asks three times, and plans the same", async () => {
    const engine = new TestEngine("");
    await engine.given(many(2_500, "v"));
    const seen = readingMany(engine);
    const { plan } = await engine.plan();
    expect(seen).toEqual({ batches: [1_000, 1_000, 500], single: 0 });
    expect(actionsOf(plan.changes)).toEqual([]);
    expect(plan.unread).toEqual([]);
  });

  test("what has changed or gone outside is seen", async () => {
    const engine = new TestEngine("");
    await engine.given(many(3, "v"));
    const gone = engine.provider.world.find("test_small", "a1")!;
    engine.provider.world.delete(gone.id);
    readingMany(engine);
    const { plan } = await engine.plan();
    expect(actionsOf(plan.changes)).toEqual(["create test_small.a[1]"]);
    expect(actionsOf(plan.drift)).toEqual(["delete test_small.a[1]"]);
  });

  test("what was not looked at is named in the plan", async () => {
    const engine = new TestEngine("");
    await engine.given(many(3, "v"));
    readingMany(engine, () => true);
    const { plan } = await engine.plan();
    expect(plan.unread).toEqual(["test_small.a[0]", "test_small.a[1]", "test_small.a[2]"]);
    expect(engine.events.filter(({ kind }) => kind === "refresh-start")).toEqual([]);
  });

  test("with -refresh=false nothing is read, and with targets only these", async () => {
    const engine = new TestEngine("");
    await engine.given(many(3, "v"));
    const seen = readingMany(engine);
    await engine.plan({ refresh: false });
    expect(seen).toEqual({ batches: [], single: 0 });
    await engine.plan({ targets: ["test_small.a[1]"] });
    expect(seen).toEqual({ batches: [1], single: 0 });
  });

  test("where reading many fails, each is read by itself, which says why", async () => {
    const engine = new TestEngine("");
    await engine.given(many(3, "v"));
    const seen = readingMany(engine);
    const wrap = engine.wrap;
    engine.wrap = (provider) => ({ ...wrap(provider), readMany: () => Promise.reject(new Error("cut")) });
    const { plan } = await engine.plan();
    expect(seen.single).toBe(3);
    expect(plan.errored).toBe(false);
  });
});
