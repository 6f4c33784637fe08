import { expect, test } from "vitest";
import { chooseGarbage } from "./garbage.ts";

const limits = { mostAllocations: 3, age: 100 };
const ended = (id: string, endedAt: number, isListed = true) => ({ id, endedAt, isListed });

test.each([
  { name: "few stay", all: [ended("a", 1), ended("b", 2)], want: [] },
  { name: "the oldest of too many go", all: [ended("c", 3), ended("a", 1), ended("d", 4), ended("b", 2)], want: ["a"] },
  { name: "forgotten ones go when they are old", all: [ended("a", 1, false), ended("b", 950, false)], want: ["a"] },
  { name: "on a full disk at once", all: [ended("a", 990, false), ended("b", 2)], isDiskFull: true, want: ["a"] },
])("$name", ({ all, isDiskFull = false, want }) => {
  expect(chooseGarbage(all, limits, { now: 1_000, isDiskFull })).toEqual(want);
});
