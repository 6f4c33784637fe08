import { hasErrors, type Diagnostic } from "@millwright/core/diagnostics";
import { checkTestFile } from "@millwright/engine/tests/check-file";
import { validateConfiguration } from "@millwright/engine/validate";
import { unknownVariables } from "@millwright/engine/variables";
import { parseModuleSource } from "@millwright/sources/module-source";
import type { FlagTable } from "../flags.ts";
import type { CommandIo } from "../io.ts";
import { diagnosticPlain } from "../views/diagnostic-json.ts";
import type { SourceText } from "../views/diagnostics.ts";
import { styleOf } from "../views/style.ts";
import { runCommand } from "./command.ts";
import { type LoadedFolder, loadFolder, hasConfiguration } from "./folder.ts";
import { variableSources } from "./variable-sources.ts";
import { type GivenFlag, variableFlags, viewFlags } from "./options.ts";
import { withPool, evaluatorContext } from "./run-context.ts";
import { configurationsOfRuns, readRunModules, readTestFiles } from "./run-modules.ts";
import type { CommandStyle, Session } from "./session.ts";

const flags = {
  ...variableFlags,
  json: viewFlags.json,
  "no-color": viewFlags["no-color"],
  "no-tests": { kind: "bool", help: "Leave the test files out." },
  "test-directory": { kind: "string", value: "FOLDER", help: 'Where the tests are (default "tests").' },
} as const satisfies FlagTable;

export function runValidate(args: readonly string[], io: CommandIo, style: CommandStyle): Promise<number> {
  return runCommand(
    {
      flags,
      usage: "validate [flags]",
      about:
        "Checks the configuration of a folder: syntax, references, types, and what the\nproviders ask for; and its test files. Looks at no state and no remote system.",
      example: "validate -json",
      arguments: [0, 0],
      run: async ({ session, values, occurrences }) => {
        const found: Diagnostic[] = [];
        if (hasConfiguration(session.folder)) {
          const folder = await loadFolder(session, occurrences);
          found.push(...(await checkFolder(session, folder)));
          if (!values["no-tests"])
            found.push(...(await checkTests(session, folder, occurrences, values["test-directory"])));
        }
        if (values.json) {
          await io.stdout(`${JSON.stringify(validationReport(found, session.sources), null, 2)}\n`);
          return hasErrors(found) ? 1 : 0;
        }
        const bold = styleOf(session.view);
        if (!(await session.report(found))) return 1;
        const text =
          found.length > 0
            ? "Success! The configuration is valid, but there were some validation warnings as shown above."
            : "Success! The configuration is valid.";
        await io.stdout(`${bold.green(bold.bold("Success!"))}${text.slice("Success!".length)}\n\n`);
        return 0;
      },
    },
    args,
    io,
    style,
  );
}

/** What is wrong with a folder's test files, and with the modules beside that they name: others are the business of those who wrote them. */
async function checkTests(
  session: Session,
  { configuration }: LoadedFolder,
  occurrences: readonly GivenFlag[],
  directory: string | undefined,
): Promise<Diagnostic[]> {
  const tests = readTestFiles(session, directory);
  const { sources } = variableSources(session, occurrences);
  const modules = readRunModules(session, tests.value, sources);
  const found = [...tests.diagnostics, ...modules.diagnostics];
  if (hasErrors(found)) return found;
  const beside = modules.value.filter(({ address }) => parseModuleSource(address.source).kind === "local");
  for (const { configuration } of new Map(beside.map((module) => [module.address.source, module])).values())
    found.push(...(await checkFolder(session, { configuration, diagnostics: [] })));
  const configurationOf = configurationsOfRuns(configuration, modules.value);
  return [...found, ...tests.value.flatMap((file) => checkTestFile(file, (run) => configurationOf(file, run)))];
}

/** Everything that is wrong with a folder that was read, what was found while reading included. */
export async function checkFolder(
  session: Session,
  { configuration, diagnostics }: Pick<LoadedFolder, "configuration" | "diagnostics">,
): Promise<Diagnostic[]> {
  if (hasErrors(diagnostics)) return [...diagnostics];
  const variables = unknownVariables(configuration.root);
  return withPool(session, async (pool) => {
    const context = evaluatorContext(session, { configuration, variables, applying: false });
    return [...diagnostics, ...(await validateConfiguration(context, pool))];
  });
}

/** What validate says as JSON, in Terraform's documented format. */
export function validationReport(found: readonly Diagnostic[], sources: SourceText): unknown {
  const errors = found.filter((d) => d.severity === "error").length;
  return {
    format_version: "1.0",
    valid: errors === 0,
    error_count: errors,
    warning_count: found.length - errors,
    diagnostics: found.map((d) => diagnosticPlain(d, sources)),
  };
}
