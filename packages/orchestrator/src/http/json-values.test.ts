import { expect, test } from "vitest";
import { timeJson } from "./json-values.ts";

test.each([
  { name: "never", at: 0, want: null },
  { name: "a whole second", at: 1_000, want: "1970-01-01T00:00:01Z" },
  { name: "a tenth", at: 1_100, want: "1970-01-01T00:00:01.1Z" },
  { name: "later than any clock, as a node may say", at: Number.MAX_SAFE_INTEGER, want: "9999-12-31T23:59:59.999Z" },
  { name: "before all, as a node may say", at: Number.MIN_SAFE_INTEGER, want: "1970-01-01T00:00:00Z" },
])("a moment that is $name has a text", ({ at, want }) => {
  expect(timeJson(at)).toBe(want);
});
