import { describe, expect, test } from "vitest";
import { atMostOneOf, exactlyOneOf } from "./rules.ts";

describe("exactly one of several attributes", () => {
  const cases = [
    { name: "one is set", config: { a: "1", b: null }, want: [] },
    { name: "one is not known yet", config: { a: "1", b: undefined }, want: [] },
    {
      name: "none is set",
      config: { a: null, b: null },
      want: ['None of "a" and "b" is set. Set exactly one of them.'],
    },
    {
      name: "both are set",
      config: { a: "1", b: "2" },
      want: ['"a" and "b" cannot be set together. Set exactly one of "a" and "b".'],
    },
  ];
  test.each(cases)("$name", ({ config, want }) => {
    expect([...exactlyOneOf(config, ["a", "b"])].map((p) => p.detail)).toEqual(want);
  });
});

test("at most one of several attributes may be set", () => {
  expect([...atMostOneOf({ a: null, b: undefined, c: "1" }, ["a", "b", "c"])]).toEqual([]);
  expect([...atMostOneOf({ a: "0", b: "1" }, ["a", "b"])]).toMatchObject([{ severity: "error", at: ["b"] }]);
});
