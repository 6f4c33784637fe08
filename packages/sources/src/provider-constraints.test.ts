import { parseVersion } from "@millwright/text/versions";
import { describe, expect, test } from "vitest";
import { allowsProvider, constraintsText, newestAllowed, parseProviderConstraints } from "./provider-constraints.ts";

describe("constraints on a provider's version", () => {
  const cases: readonly { constraints: string; version: string; want: boolean }[] = [
    { constraints: "", version: "1.0.0", want: true },
    { constraints: "~> 2", version: "2.9.0", want: true },
    { constraints: "~> 2", version: "3.0.0", want: false },
    { constraints: "~> 2.1", version: "2.9.0", want: true },
    { constraints: "~> 2.1.1", version: "2.1.9", want: true },
    { constraints: "~> 2.1.1", version: "2.2.0", want: false },
    { constraints: ">= 1.0, != 1.5.0", version: "1.5.0", want: false },
    { constraints: ">= 1.0.0", version: "2.0.0-beta1", want: false },
    { constraints: ">= 2.0.0-beta1", version: "2.0.0-beta1", want: false },
    { constraints: "2.0.0-beta1", version: "2.0.0-beta1", want: true },
  ];
  for (const { constraints, version, want } of cases)
    test(`"${constraints}" ${want ? "allows" : "does not allow"} ${version}`, () => {
      expect(allowsProvider(parseProviderConstraints(constraints)!, parseVersion(version)!)).toBe(want);
    });

  test("that are of no such form are none", () => {
    expect(parseProviderConstraints("=> 1")).toBeUndefined();
  });

  test("choose the newest version by its numbers", () => {
    const versions = ["1.9.0", "1.10.0", "2.0.0-rc1", "x"];
    expect(newestAllowed(versions, [])).toBe("1.10.0");
    expect(newestAllowed(versions, parseProviderConstraints("~> 3.0")!)).toBeUndefined();
  });

  // As terraform 1.11.4 prints them.
  test("are printed in one order, written out, without doubles", () => {
    const text = ">= 2, < 3, ~> 2, ~> 2.0, ~> 2.0.0, = 2.0.0, != 2.0.0, > 2.0.0, >= 2.0.0, <= 2.0.0, < 2.0.0";
    expect(constraintsText(parseProviderConstraints(text)!)).toBe(
      "> 2.0.0, >= 2.0.0, 2.0.0, ~> 2.0.0, ~> 2.0, <= 2.0.0, < 2.0.0, != 2.0.0, < 3.0.0",
    );
  });
});
