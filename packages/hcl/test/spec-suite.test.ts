import { spawnSync } from "node:child_process";
import { execPath } from "node:process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import type { Outcome } from "./hcldec.ts";
import { hcldec } from "./hcldec.ts";
import { problemsWith, suiteIn } from "./spec-suite.ts";

const suite = suiteIn(fileURLToPath(new URL("../testdata/specsuite", import.meta.url)));

test.each(suite.map((input) => [input.name, input] as const))("%s is decoded as its test says", (_, input) => {
  expect(problemsWith(input, hcldec)).toEqual([]);
});

test("the command does it as a program too", () => {
  const program = fileURLToPath(new URL("hcldec.ts", import.meta.url));
  const run = (args: readonly string[]): Outcome => {
    const { status, stdout, stderr } = spawnSync(execPath, [program, ...args], { encoding: "utf8" });
    return { status: status ?? 1, stdout, stderr };
  };
  const some = suite.filter(({ name }) => name.includes("operators") || name.includes("not-expected"));
  expect(some.length).toBeGreaterThan(1);
  for (const input of some) expect(problemsWith(input, run)).toEqual([]);
});
