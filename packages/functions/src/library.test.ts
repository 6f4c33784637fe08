import { fileURLToPath } from "node:url";
import { systemChance, systemClock } from "@millwright/core/ports";
import { hasErrors } from "@millwright/core/diagnostics";
import { evaluate } from "@millwright/hcl/evaluate";
import { parseExpression } from "@millwright/hcl/parse";
import { sourceFile } from "@millwright/hcl/source-file";
import { describe, expect, test } from "vitest";
import type { ConsoleCase } from "../test/console-cases.ts";
import { answersAs, caseFilesIn, casesOf, errorAnswer, valueAnswer } from "../test/console-cases.ts";
import { moduleFolder, moduleScope } from "../test/console-scope.ts";
import { formatConsoleResult } from "./console-format.ts";
import { functionsFor } from "./library.ts";
import { nodeFiles } from "./node-files.ts";
import { terraformProviderFunctions } from "./provider-terraform.ts";

const functions = functionsFor(
  {
    dialect: "terraform",
    files: { ...nodeFiles(moduleFolder), homeFolder: () => "/home/someone" },
    baseDir: ".",
    clock: systemClock,
    chance: systemChance,
    impure: "now",
    use: "console",
  },
  terraformProviderFunctions,
);

function answer(expression: string): string[] {
  const parsed = parseExpression(sourceFile("<console-input>", expression));
  const evaluated = hasErrors(parsed.diagnostics) ? parsed : evaluate(parsed.value, moduleScope(functions));
  const shown =
    hasErrors(evaluated.diagnostics) || !("data" in evaluated.value) ? undefined : formatConsoleResult(evaluated.value);
  const diagnostics = shown ? shown.diagnostics : evaluated.diagnostics;
  if (!shown || hasErrors(diagnostics)) return diagnostics.flatMap((d) => errorAnswer(d.summary, d.detail));
  return valueAnswer(shown.value.replaceAll(moduleFolder, "{module}"));
}

/** Compared: values to the character, errors with their line breaks made blanks. */
function check({ expression, answer: wanted, ours }: ConsoleCase): void {
  const got = answer(expression);
  if (!answersAs(got, ours ?? wanted)) expect(got).toEqual(ours ?? wanted);
}

/** The functions' own cases, and those of the language itself, whose module has nothing that this one's scope has not. */
const folders = ["../testdata/console", "../../hcl/testdata/console"];
const files = folders.flatMap((folder) => caseFilesIn(fileURLToPath(new URL(folder, import.meta.url))));

describe.each(files)("the console answers as Terraform's: $name", (file) => {
  test.each(casesOf(file))("$expression", check);
});
