import { describe, expect, test } from "vitest";
import { allows, compareVersions, parseConstraints, parseVersion } from "./versions.ts";

describe("a constraint allows a version", () => {
  const cases: readonly [string, string, boolean][] = [
    ["1.2.3", "1.2.3", true],
    ["= 1.2", "1.2.0", true],
    ["!= 1.2.3", "1.2.3", false],
    ["> 1.2, < 2", "1.2.1", true],
    ["> 1.2, < 2", "2.0.0", false],
    [">= 1.0, <= 1.0", "1.0.0", true],
    ["~> 1.2", "1.9.0", true],
    ["~> 1.2", "1.1.9", false],
    ["~> 1.2", "2.0.0", false],
    ["~> 1.2.3", "1.2.9", true],
    ["~> 1.2.3", "1.3.0", false],
    ["~> 1", "1.9.0", true],
    ["~> 1", "2.0.0", true],
    ["v1.2.3", "1.2.3", true],
    [">= 1.0.0", "1.5.0-beta1", false],
    ["1.5.0-beta1", "1.5.0-beta1", true],
    ["> 1.5.0-beta1", "1.5.0-beta2", true],
  ];
  for (const [constraint, version, want] of cases) {
    test(`${constraint} and ${version}: ${want}`, () => {
      expect(allows(parseConstraints(constraint)!, parseVersion(version)!)).toBe(want);
    });
  }
});

test("versions stand in order, prereleases before their release", () => {
  const sorted = ["1.10.0", "1.9.0", "1.9.0-rc1", "1.9.0-beta.11", "1.9.0-beta.2", "1.9.0-beta"];
  const order = [...sorted].sort((a, b) => compareVersions(parseVersion(a)!, parseVersion(b)!));
  expect(order).toEqual([...sorted].reverse());
});

test("what is no constraint is not read", () => {
  for (const text of ["", "x", ">= ", "=> 1.0", "1.0,, 2.0", "~ 1.0"]) expect(parseConstraints(text)).toBeUndefined();
});
