import { hasErrors, type Diagnostic } from "@millwright/core/diagnostics";
import { validateConfiguration } from "@millwright/engine/validate";
import { unknownVariables } from "@millwright/engine/variables";
import type { CommandIo } from "../io.ts";
import { diagnosticPlain } from "../views/diagnostic-json.ts";
import type { SourceText } from "../views/diagnostics.ts";
import { styleOf } from "../views/style.ts";
import { runCommand } from "./command.ts";
import { type LoadedFolder, loadFolder, hasConfiguration } from "./folder.ts";
import { variableFlags, viewFlags } from "./options.ts";
import { newPool, evaluatorContext } from "./run-context.ts";
import type { CommandStyle, Session } from "./session.ts";

export function runValidate(args: readonly string[], io: CommandIo, style: CommandStyle): Promise<number> {
  return runCommand(
    {
      flags: { ...variableFlags, json: viewFlags.json, "no-color": viewFlags["no-color"] },
      usage: "validate [flags]",
      about:
        "Checks the configuration of a folder: syntax, references, types, and what the\nproviders ask for. Looks at no state and no remote system.",
      example: "validate -json",
      arguments: [0, 0],
      run: async ({ session, values, occurrences }) => {
        const found: Diagnostic[] = [];
        if (hasConfiguration(session.folder)) {
          const folder = await loadFolder(session, occurrences);
          found.push(...(await checkFolder(session, folder)));
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

/** Everything that is wrong with a folder that was read, what was found while reading included. */
export async function checkFolder(
  session: Session,
  { configuration, diagnostics }: LoadedFolder,
): Promise<Diagnostic[]> {
  if (hasErrors(diagnostics)) return [...diagnostics];
  const variables = unknownVariables(configuration.root);
  const pool = await newPool(session);
  try {
    const context = evaluatorContext(session, { configuration, variables, applying: false });
    return [...diagnostics, ...(await validateConfiguration(context, pool))];
  } finally {
    await pool.close();
  }
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
