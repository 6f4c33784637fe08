import fc from "fast-check";
import { expect, test } from "vitest";
import { matchesGlob } from "./text-glob.ts";

test("fits what a regular expression with .* in place of each star fits", () => {
  const text = fc.array(fc.constantFrom("a", "b", "ab"), { maxLength: 6 }).map((parts) => parts.join(""));
  const pattern = fc.array(fc.constantFrom("a", "b", "*"), { maxLength: 6 }).map((parts) => parts.join(""));
  fc.assert(
    fc.property(pattern, text, (glob, candidate) => {
      const want = new RegExp(`^${glob.replaceAll("*", ".*")}$`).test(candidate);
      expect(matchesGlob(glob, candidate)).toBe(want);
    }),
    { numRuns: 2000, seed: 3 },
  );
});

test("takes no long time for a pattern with many stars", () => {
  expect(matchesGlob(`${"*a".repeat(2000)}*b`, "a".repeat(50_000))).toBe(false);
});
