import { describe, expect, test } from "vitest";
import { parseReadOptions } from "./read-options.ts";

describe("how a read wants to be answered", () => {
  const cases = [
    { query: "", want: { consistency: "default", index: 0, wait: 300_000 } },
    { query: "index=7&wait=10s", want: { consistency: "default", index: 7, wait: 10_000 } },
    { query: "wait=2h", want: { consistency: "default", index: 0, wait: 600_000 } },
    { query: "wait=-1s", want: { consistency: "default", index: 0, wait: 300_000 } },
    { query: "stale", want: { consistency: "stale", index: 0, wait: 300_000 } },
    { query: "max_stale=1s", want: { consistency: "stale", index: 0, wait: 300_000 } },
    { query: "max_stale=0s", want: { consistency: "default", index: 0, wait: 300_000 } },
    { query: "consistent", want: { consistency: "consistent", index: 0, wait: 300_000 } },
  ];
  test.each(cases)("?$query", ({ query, want }) => expect(parseReadOptions(new URLSearchParams(query))).toEqual(want));
});

describe("what makes no sense is refused", () => {
  const cases = [
    { query: "index=-1", want: "Invalid index" },
    { query: "index=18446744073709551616", want: "Invalid index" },
    { query: "wait=5", want: "Invalid wait time" },
    { query: "max_stale=x", want: 'Invalid max_stale value "x"' },
    { query: "stale&consistent", want: "Cannot specify ?stale with ?consistent, conflicting semantics." },
    { query: "cached&consistent", want: "Cannot specify ?cached with ?consistent, conflicting semantics." },
  ];
  test.each(cases)("?$query", ({ query, want }) => {
    expect(() => parseReadOptions(new URLSearchParams(query))).toThrow(want);
  });
});
