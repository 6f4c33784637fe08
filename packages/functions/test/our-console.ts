import { hasErrors } from "@millwright/core/diagnostics";
import { systemChance, systemClock } from "@millwright/core/ports";
import { evaluate } from "@millwright/hcl/evaluate";
import { parseExpression } from "@millwright/hcl/parse";
import { sourceFile } from "@millwright/hcl/source-file";
import { formatConsoleResult } from "../src/console-format.ts";
import type { Dialect } from "../src/dialect.ts";
import { functionsFor } from "../src/library.ts";
import { nodeFiles } from "../src/node-files.ts";
import { terraformProviderFunctions } from "../src/provider-terraform.ts";
import { errorAnswer, valueAnswer } from "./console-cases.ts";
import { moduleFolder, moduleScope } from "./console-scope.ts";

/** What ours answers to an expression in the module of the console cases, as the lines of a case's answer. */
export function ourConsole(dialect: Dialect): (expression: string) => string[] {
  const functions = functionsFor(
    {
      dialect,
      files: { ...nodeFiles(moduleFolder), homeFolder: () => "/home/someone" },
      baseDir: ".",
      clock: systemClock,
      chance: systemChance,
      impure: "now",
      use: "console",
    },
    terraformProviderFunctions,
  );
  const scope = moduleScope(functions);
  return (expression) => {
    const parsed = parseExpression(sourceFile("<console-input>", expression));
    if (hasErrors(parsed.diagnostics)) return errorsOf(parsed.diagnostics);
    const { value, diagnostics } = evaluate(parsed.value, scope);
    if (hasErrors(diagnostics)) return errorsOf(diagnostics);
    const shown = formatConsoleResult(value);
    if (hasErrors(shown.diagnostics)) return errorsOf(shown.diagnostics);
    return valueAnswer(shown.value.replaceAll(moduleFolder, "{module}"));
  };
}

function errorsOf(diagnostics: readonly { readonly summary: string; readonly detail: string }[]): string[] {
  return diagnostics.flatMap(({ summary, detail }) => errorAnswer(summary, detail));
}
