import { env } from "node:process";
import { describe, expect, test } from "vitest";
import { hcldec } from "../test/hcldec.ts";
import { problemsWith, suiteIn } from "../test/spec-suite.ts";

/** The published suite, where `HCL_SPECSUITE` names its folder of tests (specsuite/tests of a clone of hashicorp/hcl). */
const folder = env["HCL_SPECSUITE"];

describe.skipIf(folder === undefined)("the published specification suite of HCL", () => {
  const suite = folder === undefined ? [] : suiteIn(folder);

  test("is there", () => expect(suite.length).toBeGreaterThan(0));

  test.for(suite)("$name is decoded as its test says", (input) => {
    expect(problemsWith(input, hcldec)).toEqual([]);
  });
});
