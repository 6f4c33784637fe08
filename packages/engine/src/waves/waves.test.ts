import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TestEngine } from "../testing/test-engine.ts";
import { partition } from "./partition.ts";
import { readSizes, roomOf, type WaveSize } from "./sizes.ts";
import type { WaveEnd } from "./turns.ts";
import type { InstanceChange } from "../plan/plan.ts";
import { applyGraph, type ApplyNode } from "../apply/graph.ts";
import { configGraph } from "../config-graph.ts";
import type { Graph } from "../graph.ts";

const many = (count: number, rest = "") =>
  `resource "test_small" "a" {\n  count = ${count}\n  name  = "a\${count.index}"\n  ${rest}\n}\n`;
const chain = (length: number) =>
  Array.from({ length }, (_, at) => {
    const after = at === 0 ? "" : `depends_on = [test_small.c${at - 1}]`;
    return `resource "test_small" "c${at}" {\n  name = "c${at}"\n  ${after}\n}\n`;
  }).join("");

const counts = (...sizes: number[]): readonly WaveSize[] => sizes.map((count) => ({ kind: "count", count }));
const goOn = async (): Promise<boolean> => true;

async function wavesOf(engine: TestEngine, sizes: readonly WaveSize[]): Promise<string[][]> {
  const { plan } = await engine.plan();
  const graph = graphOf(engine, plan);
  return partition(graph, plan.changes, sizes).waves.map((wave) => wave.map(({ address }) => address.text));
}

function graphOf(engine: TestEngine, plan: Parameters<typeof applyGraph>[0]): Graph<ApplyNode> {
  return applyGraph(plan, configGraph(engine.context(true, []).configuration), () => "00000001");
}

describe("sizes of waves", () => {
  test.each([
    { text: "1,10%,100%", want: [1, 5, 50, 50] },
    { text: "5", want: [5, 5, 5, 5] },
    { text: "1%", want: [1, 1, 1, 1] },
    { text: " 2 , 50% ", want: [2, 25, 25, 25] },
  ])("$text of 50 changes", ({ text, want }) => {
    const { value, diagnostics } = readSizes(text);
    expect(diagnostics).toEqual([]);
    expect([0, 1, 2, 3].map((wave) => roomOf(value, wave, 50))).toEqual(want);
  });

  test.each(["", "0", "x", "1,,2", "200%", "-1", "1.5"])('"%s" is refused', (text) => {
    expect(readSizes(text).diagnostics[0]?.detail).toContain("-waves=1,10%,100%");
  });
});

describe("a plan cut into waves", () => {
  test("waves have as many changes as they were to have", async () => {
    const waves = await wavesOf(new TestEngine(many(7)), counts(1, 2, 3));
    expect(waves.map((wave) => wave.length)).toEqual([1, 2, 3, 1]);
  });

  test("nothing is in an earlier wave than what it comes after", async () => {
    expect(await wavesOf(new TestEngine(chain(4)), counts(1, 2))).toEqual([
      ["test_small.c0"],
      ["test_small.c1", "test_small.c2"],
      ["test_small.c3"],
    ]);
  });

  test("what a new object is made first for is not parted from the old one's end", async () => {
    const replaced = (text: string) =>
      `resource "test_small" "a" {\n  name  = "a"\n  force = "${text}"\n  lifecycle {\n    create_before_destroy = true\n  }\n}
resource "test_small" "b" {\n  name  = "b"\n  value = test_small.a.id\n}
resource "test_small" "c" {\n  name  = "c"\n  force = "${text}"\n}\n`;
    const engine = new TestEngine("");
    await engine.given(replaced("one"));
    engine.configure(replaced("two"));
    const waves = await wavesOf(engine, counts(1));
    expect(waves).toContainEqual(["test_small.a", "test_small.b"]);
    expect(waves).toContainEqual(["test_small.c"]);
  });

  test("no wave is empty, all changes are in one, and sizes are kept, whatever depends on what", async () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 });
    const edges = fc.array(fc.tuple(fc.nat(9), fc.nat(9)), { maxLength: 15 });
    await fc.assert(
      fc.asyncProperty(sizes, edges, async (given, pairs) => {
        const text = Array.from({ length: 10 }, (_, at) => {
          const after = pairs.filter(([from, to]) => from === at && to < at).map(([, to]) => `test_small.n${to}`);
          return `resource "test_small" "n${at}" {\n  name = "n${at}"\n  depends_on = [${after.join(", ")}]\n}\n`;
        }).join("");
        const engine = new TestEngine(text);
        const { plan } = await engine.plan();
        const { waves, waveOf } = partition(graphOf(engine, plan), plan.changes, counts(...given));
        expect(waves.flat()).toHaveLength(10);
        waves.forEach((wave, at) => expect(wave.length).toBeLessThanOrEqual(roomOf(counts(...given), at, 10)));
        expect(waves.every((wave) => wave.length > 0)).toBe(true);
        const numberOf = new Map([...waveOf].map(([change, wave]) => [change.address.resource.name, wave]));
        for (const [from, to] of pairs)
          if (to < from) expect(numberOf.get(`n${from}`)).toBeGreaterThanOrEqual(numberOf.get(`n${to}`)!);
      }),
      { numRuns: 40 },
    );
  });
});

describe("an apply in waves", () => {
  test("a wave begins when the one before has ended and may", async () => {
    const engine = new TestEngine(many(5));
    const ends: [number, number][] = [];
    const between = async ({ wave, changed, failed }: WaveEnd<InstanceChange>) => {
      expect(failed).toEqual([]);
      ends.push([wave, engine.changes().length]);
      expect(changed.length).toBe(wave === 0 ? 1 : 2);
      return true;
    };
    const result = await engine.apply(undefined, { waves: { sizes: counts(1, 2), between } });
    expect(ends).toEqual([
      [0, 1],
      [1, 3],
    ]);
    expect(result).toMatchObject({ complete: true, waves: { begun: 3, count: 3 } });
  });

  test("it ends where the next wave may not begin, and what was done is in the state", async () => {
    const engine = new TestEngine(many(5));
    const between = async ({ wave }: WaveEnd<InstanceChange>) => wave === 0;
    const result = await engine.apply(undefined, { waves: { sizes: counts(1, 2), between } });
    expect(engine.objects()).toHaveLength(3);
    expect(result).toMatchObject({ complete: false, waves: { begun: 2, count: 3 }, diagnostics: [] });
  });

  test("what failed in a wave is told, and later waves skip what depends on it", async () => {
    const engine = new TestEngine(chain(3));
    engine.provider.alter.apply = (answer, call) =>
      JSON.stringify(call.planned.data instanceof Map ? [...call.planned.data] : []).includes("c1")
        ? { ...answer, diagnostics: [{ severity: "error", summary: "No", detail: "no" }] }
        : answer;
    const seen: number[][] = [];
    const between = async ({ changed, failed }: WaveEnd<InstanceChange>) => {
      seen.push([changed.length, failed.length]);
      return true;
    };
    const result = await engine.apply(undefined, { waves: { sizes: counts(1), between } });
    expect(seen).toEqual([
      [1, 0],
      [0, 1],
    ]);
    expect(result.complete).toBe(false);
  });

  test("a question that cannot be answered ends it, and says so", async () => {
    const engine = new TestEngine(many(3));
    const between = () => Promise.reject(new Error("the gate fell off"));
    const result = await engine.apply(undefined, { waves: { sizes: counts(1), between } });
    expect(engine.objects()).toHaveLength(1);
    expect(result.diagnostics[0]?.detail).toContain("the gate fell off");
  });

  test("check blocks are looked at after each wave, as things are then", async () => {
    const check = `check "few" {
  assert {
    condition     = test_small.a[1].value == "old"
    error_message = "too many are new"
  }
}\n`;
    const engine = new TestEngine("");
    await engine.given(many(3, 'value = "old"') + check);
    engine.configure(many(3, 'value = "new"') + check);
    const seen: string[][] = [];
    const between = async ({ checks }: WaveEnd<InstanceChange>) => {
      seen.push(checks.filter(({ kind }) => kind === "check").map(({ status }) => status));
      return true;
    };
    const result = await engine.apply(undefined, { waves: { sizes: counts(1), between } });
    expect(seen).toEqual([["pass"], ["fail"]]);
    expect(result.diagnostics.map(({ severity }) => severity)).toEqual(["warning"]);
  });

  test("an interrupt between two waves ends it", async () => {
    const engine = new TestEngine(many(3));
    const stop = new AbortController();
    const between = async () => {
      stop.abort();
      return true;
    };
    const result = await engine.apply(undefined, { stop: stop.signal, waves: { sizes: counts(1), between } });
    expect(engine.objects()).toHaveLength(1);
    expect(result.diagnostics[0]?.summary).toBe("Interrupted");
  });

  test("a replacement in waves leaves nothing behind", async () => {
    const engine = new TestEngine("");
    await engine.given(many(4, 'force = "one"'));
    engine.configure(many(4, 'force = "two"'));
    const result = await engine.apply(undefined, { waves: { sizes: counts(1), between: goOn } });
    expect(result).toMatchObject({ complete: true, waves: { count: 4 } });
    expect(engine.objects()).toHaveLength(4);
  });
});
