import { expect, test } from "vitest";
import { execute } from "./execute.ts";
import { parseTemplate } from "./parse.ts";
import type { GoCase } from "./testing/go-cases.ts";
import { goFunctions, readGoCases } from "./testing/go-cases.ts";

const cases = readGoCases();

test("There are hundreds of cases learnt from Go", () => expect(cases.length).toBeGreaterThan(700));

test.each(cases.map((goCase, i) => ({ name: `${i}: ${goCase.text}`, goCase })))("As Go: $name", ({ goCase }) => {
  const { output, error, parseError } = goCase;
  expect(run(goCase)).toEqual({ output, error, parseError });
});

function run({ text, data, option, left = "", right = "" }: GoCase) {
  const parsed = parseTemplate(text, { name: "t", functions: goFunctions.keys(), delimiters: { left, right } });
  if (!parsed.ok) return { output: undefined, error: undefined, parseError: parsed.error };
  const missingKey = option === "invalid" || option === undefined ? "default" : option;
  const result = execute(parsed.template, { data, functions: goFunctions, missingKey });
  return {
    output: result.kind === "text" ? result.text : undefined,
    error: result.kind === "error" ? result.error.message : undefined,
    parseError: undefined,
  };
}
