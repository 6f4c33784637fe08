import { describe, expect, test } from "vitest";
import { cyclesOf } from "../graph.ts";
import { instanceOrder, type Ordered } from "./order.ts";

const make = (name: string, dependencies: readonly string[] = [], used = dependencies): Ordered => ({
  name,
  task: "make",
  dependencies: new Set(dependencies),
  used: new Set(used),
});

const remove = (name: string, dependencies: readonly string[] = []): Ordered => ({
  ...make(name, dependencies),
  task: "remove",
});

/** Every pair of an instance and one that comes before it. */
function pairs(all: readonly Ordered[]): readonly string[] {
  const { dependencies } = instanceOrder(all);
  return [...dependencies].flatMap(([name, before]) => [...before].map((other) => `${name} after ${other}`)).sort();
}

describe("the order of instances", () => {
  const cases: readonly { name: string; all: readonly Ordered[]; want: readonly string[] }[] = [
    {
      name: "makes what others depend on first",
      all: [make("app", ["net"]), make("net")],
      want: ["app after net"],
    },
    {
      name: "removes what others depend on last",
      all: [remove("app", ["net"]), remove("net")],
      want: ["net after app"],
    },
    {
      name: "removes an instance once those that used it have been made without it",
      all: [make("app", ["new"], ["old"]), make("new"), remove("old")],
      want: ["app after new", "old after app"],
    },
    {
      name: "has no order between an instance that goes and one that it used and that stays",
      all: [make("net"), remove("app", ["net"])],
      want: [],
    },
    {
      name: "says nothing of instances that are not worked on",
      all: [make("app", ["net"])],
      want: [],
    },
  ];
  test.each(cases)("$name", ({ all, want }) => expect(pairs(all)).toEqual(want));

  test("has no circle, whatever was remembered at different times", () => {
    const all = [remove("a", ["b"]), remove("b", ["c"]), remove("c", ["a"])];
    expect(cyclesOf(instanceOrder(all))).toEqual([]);
    expect(pairs(all)).toHaveLength(2);
  });
});
