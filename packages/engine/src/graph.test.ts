import { describe, expect, test } from "vitest";
import { cyclesOf, type Graph, GraphBuilder, type Visited, walkGraph } from "./graph.ts";

/** `a: b c` says that a comes after b and c. */
function graphOf(text: string): Graph<string> {
  const builder = new GraphBuilder<string>();
  for (const line of text.split(",")) {
    const [from, rest = ""] = line.split(":").map((part) => part.trim());
    if (from) builder.add(from, from);
    for (const to of rest.split(" ").filter(Boolean)) builder.depend(from!, to);
  }
  return builder.build();
}

describe("cycles are found", () => {
  const cases: readonly { name: string; input: string; want: readonly (readonly string[])[] }[] = [
    { name: "none in a diamond", input: "a: b c, b: d, c: d, d", want: [] },
    { name: "of one", input: "a: a", want: [["a"]] },
    { name: "of three, from the first by name, the way round", input: "c: a, a: b, b: c", want: [["a", "b", "c"]] },
    {
      name: "two apart",
      input: "a: b, b: a, c: d, d: c",
      want: [
        ["a", "b"],
        ["c", "d"],
      ],
    },
    { name: "the shortest of a tangle", input: "a: b c, b: c, c: a", want: [["a", "c"]] },
    { name: "an edge to nothing is none", input: "a: x", want: [] },
  ];
  for (const { name, input, want } of cases) test(name, () => expect(cyclesOf(graphOf(input))).toEqual(want));
});

async function walk(
  text: string,
  results: Readonly<Record<string, Visited>> = {},
): Promise<{ order: string[]; outcomes: Record<string, string> }> {
  const order: string[] = [];
  const outcomes = await walkGraph(graphOf(text), (node) => {
    order.push(node);
    return results[node] ?? true;
  });
  return { order, outcomes: Object.fromEntries(outcomes) };
}

describe("a walk", () => {
  test("visits each node after those it depends on, and otherwise as they came", async () => {
    expect((await walk("a, d: b c, b: a, c: a, e")).order).toEqual(["a", "e", "b", "c", "d"]);
  });

  test("skips what depends on a failure, at any distance, and goes on with the rest", async () => {
    const { order, outcomes } = await walk("a, b: a, c: b, d", { a: false });
    expect(order).toEqual(["a", "d"]);
    expect(outcomes).toEqual({ a: "failed", b: "skipped", c: "skipped", d: "done" });
  });

  test("tells what was not begun from what failed", async () => {
    expect((await walk("a, b: a", { a: "skipped" })).outcomes).toEqual({ a: "skipped", b: "skipped" });
  });

  test("begins nothing more once it is stopped, and waits for what runs", async () => {
    const stop = new AbortController();
    let ended = false;
    const outcomes = await walkGraph(
      graphOf("a, b: a, c"),
      async (node) => {
        if (node !== "a") return true;
        await Promise.resolve();
        stop.abort();
        await new Promise((resolve) => setTimeout(resolve, 5));
        ended = true;
        return true;
      },
      stop.signal,
    );
    expect(ended).toBe(true);
    expect(Object.fromEntries(outcomes)).toEqual({ a: "done", b: "skipped", c: "done" });
  });

  test("rejects with a bug after what runs has ended", async () => {
    let ended = false;
    const walking = walkGraph(graphOf("slow, bug, after: bug"), async (node) => {
      if (node === "bug") throw new Error("a bug");
      await new Promise((resolve) => setTimeout(resolve, 5));
      ended = true;
      return true;
    });
    await expect(walking).rejects.toThrow("a bug");
    expect(ended).toBe(true);
  });

  test("of no nodes ends", async () => {
    expect((await walk("")).order).toEqual([]);
  });
});

test("a chain of 100,000 nodes is walked, and searched for cycles, step by step", async () => {
  const builder = new GraphBuilder<number>();
  for (let i = 0; i < 100_000; i++) {
    builder.add(String(i), i);
    if (i > 0) builder.depend(String(i), String(i - 1));
  }
  // From the far end, so that the search is as deep as the chain is long.
  const reversed = new GraphBuilder<number>();
  for (let i = 100_000; i-- > 0; ) {
    reversed.add(String(i), i);
    if (i > 0) reversed.depend(String(i), String(i - 1));
  }
  // Work that grew with the square of its length would not end in a test's time.
  expect(cyclesOf(reversed.build())).toEqual([]);
  expect(builder.reaches("99999", "0")).toBe(true);
  let visited = 0;
  await walkGraph(builder.build(), () => ++visited > 0);
  expect(visited).toBe(100_000);
});
