import type { Clock } from "@millwright/core/ports";
import { expect, test } from "vitest";
import { Members } from "./members.ts";

let now = 0;
const clock: Clock = { now: () => now, monotonic: () => now, sleep: () => Promise.resolve() };

/** Who is alive at which moment, and what is said then of `a` and `b`. */
const cases: readonly {
  readonly name: string;
  readonly said: readonly {
    readonly at: number;
    readonly alive: readonly string[];
    readonly gone?: readonly string[];
  }[];
  readonly want: readonly (number | null | undefined)[];
}[] = [
  { name: "nobody has said anything", said: [], want: [undefined, undefined] },
  { name: "both are alive", said: [{ at: 10, alive: ["a", "b"] }], want: [null, null] },
  {
    name: "one is gone since it was first said",
    said: [
      { at: 10, alive: ["a", "b"] },
      { at: 20, alive: ["b"], gone: ["a"] },
      { at: 200, alive: ["b"], gone: ["a"] },
    ],
    want: [320, null],
  },
  {
    name: "one has left, and is not mentioned",
    said: [
      { at: 10, alive: ["a", "b"] },
      { at: 20, alive: ["b"] },
    ],
    want: [320, null],
  },
  {
    name: "all are gone at once",
    said: [
      { at: 10, alive: ["a", "b"] },
      { at: 20, alive: [], gone: ["a", "b"] },
    ],
    want: [5_020, 5_020],
  },
  {
    name: "all were gone at once, and one is back",
    said: [
      { at: 10, alive: ["a", "b"] },
      { at: 20, alive: [], gone: ["a", "b"] },
      { at: 30, alive: ["b"], gone: ["a"] },
    ],
    want: [5_020, null],
  },
  {
    name: "the last one follows the others",
    said: [
      { at: 10, alive: ["b"], gone: ["a"] },
      { at: 500, alive: [], gone: ["a", "b"] },
    ],
    want: [310, 800],
  },
];

for (const { name, said, want } of cases)
  test(`from when on nodes are gone: ${name}`, () => {
    const members = new Members(clock);
    for (const { at, alive, gone = [] } of said) {
      now = at;
      const member = (isAlive: boolean) => (id: string) => ({ id, name: id, isAlive });
      members.set([...alive.map(member(true)), ...gone.map(member(false))]);
    }
    expect([members.goneAt("a"), members.goneAt("b")]).toEqual(want);
  });
