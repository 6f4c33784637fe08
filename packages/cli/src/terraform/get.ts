import type { FlagTable } from "../flags.ts";
import { InitOutput } from "../init/init-output.ts";
import { installFolderModules } from "../init/install-folder-modules.ts";
import { sourceSettings } from "../init/source-settings.ts";
import type { CommandIo } from "../io.ts";
import { runCommand } from "./command.ts";
import { jsonLinesFlag, variableFlags, viewFlags } from "./options.ts";
import type { CommandStyle } from "./session.ts";

const flags = {
  ...variableFlags,
  "no-color": viewFlags["no-color"],
  ...jsonLinesFlag,
  update: { kind: "bool", help: "Fetch again what is there, the newest versions that the constraints allow." },
  "test-directory": { kind: "string", value: "FOLDER", help: 'Where the tests are (default "tests").' },
} as const satisfies FlagTable;

/** Installs the modules of a folder, and nothing else. */
export function runGet(args: readonly string[], io: CommandIo, style: CommandStyle): Promise<number> {
  return runCommand(
    {
      flags,
      usage: "get [flags]",
      about: "Installs the modules that the folder calls, and those that they call. init does so too.",
      example: "get -update",
      jsonLines: true,
      arguments: [0, 0],
      run: async ({ session, values, occurrences }) => {
        if (!(await session.report(sourceSettings(session).diagnostics))) return 1;
        const output = new InitOutput(session);
        const upgrade = values.update === true;
        const { diagnostics } = await installFolderModules({
          session,
          occurrences,
          output,
          upgrade,
          testDirectory: values["test-directory"],
        });
        return (await session.report(diagnostics)) ? 0 : 1;
      },
    },
    args,
    io,
    style,
  );
}
