import { describe, expect, test } from "vitest";
import type { Glob } from "./glob.ts";
import { compileGlob } from "./glob.ts";

function glob(pattern: string): Glob {
  const compiled = compileGlob(pattern);
  if (!compiled.ok) throw new Error(compiled.error);
  return compiled.glob;
}

describe("a glob", () => {
  const paths = ["a", "b", "a/b", "a/c/b", "a/x/y/b", "aXb", "ab", "x.tf", ".hid", "d/x.tf", "é1", "]", "{a"];
  const cases = [
    {
      name: "with one star stays within a name",
      pattern: "*",
      want: ["a", "b", "aXb", "ab", "x.tf", ".hid", "é1", "]", "{a"],
    },
    { name: "with two stars alone takes everything", pattern: "**", want: paths },
    {
      name: "with two stars in front takes any depth, also none",
      pattern: "**/b",
      want: ["b", "a/b", "a/c/b", "a/x/y/b"],
    },
    { name: "with two stars between takes any depth, also none", pattern: "a/**/b", want: ["a/b", "a/c/b", "a/x/y/b"] },
    { name: "with two stars behind takes what is inside only", pattern: "a/**", want: ["a/b", "a/c/b", "a/x/y/b"] },
    { name: "with two stars in a name takes them as one", pattern: "a**b", want: ["aXb", "ab"] },
    { name: "with a question mark takes one character", pattern: "é?", want: ["é1"] },
    { name: "with a class takes one of it", pattern: "[a-c]", want: ["a", "b"] },
    { name: "with a negated class takes one not of it", pattern: "[^a]", want: ["b", "]"] },
    { name: "with an escaped bracket in a class takes it", pattern: "[\\]]", want: ["]"] },
    { name: "with a range backwards takes nothing", pattern: "[c-a]", want: [] },
    { name: "with braces takes each alternative", pattern: "{a,*.tf}", want: ["a", "x.tf"] },
    { name: "with an empty alternative takes none of it", pattern: "{,a}b", want: ["b", "ab"] },
    { name: "with an escape takes the character", pattern: "\\{a", want: ["{a"] },
    { name: "without wildcards takes itself", pattern: "a/b", want: ["a/b"] },
  ];
  test.each(cases)("$name", ({ pattern, want }) => {
    expect(paths.filter((path) => glob(pattern).matches(path))).toEqual(want);
  });

  test.each(["[a", "[]", "[]a]", "[a-]", "[-a]", "[a-c-e]", "{a", "{a,b/c}", "\\", "a/[/b"])(
    "refuses %s",
    (pattern) => {
      expect(compileGlob(pattern)).toEqual({ ok: false, error: "syntax error in pattern" });
    },
  );

  test("says what folders need no visit", () => {
    const inside = (pattern: string) => ["", "a", "a/b", "c"].filter((folder) => glob(pattern).mayMatchInside(folder));
    expect(inside("a/*.tf")).toEqual(["", "a"]);
    expect(inside("a/**/x")).toEqual(["", "a", "a/b"]);
    expect(inside("**")).toEqual(["", "a", "a/b", "c"]);
    expect(inside("x.tf")).toEqual([""]);
  });

  test("takes linear time for many stars", () => {
    const before = performance.now();
    expect(glob(`${"*a".repeat(30)}b`).matches("a".repeat(20_000))).toBe(false);
    expect(glob(`${"**/a/".repeat(30)}b`).matches("a/".repeat(5000))).toBe(false);
    expect(performance.now() - before).toBeLessThan(2000);
  });
});
