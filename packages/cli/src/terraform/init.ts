import type { Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic, hasErrors } from "@millwright/core/diagnostics";
import { providerSourceShort, providerSourceText } from "@millwright/engine/addresses";
import { sourcesOf } from "@millwright/engine/make-plan";
import type { ProviderRegistry } from "@millwright/engine/ports";
import { checkRequirements } from "@millwright/engine/requirements";
import { emptyState } from "@millwright/engine/state";
import type { CommandIo } from "../io.ts";
import { styleOf } from "../views/style.ts";
import { runCommand } from "./command.ts";
import { loadFolder, hasConfiguration } from "./folder.ts";
import { variableFlags, viewFlags } from "./options.ts";
import { providersOf } from "./registry.ts";
import type { CommandStyle } from "./session.ts";

export function runInit(args: readonly string[], io: CommandIo, style: CommandStyle): Promise<number> {
  return runCommand(
    {
      flags: {
        ...variableFlags,
        "no-color": viewFlags["no-color"],
        input: { kind: "bool", help: "Taken for scripts that give it; init asks nothing." },
        upgrade: { kind: "bool", help: "Taken for scripts that give it; built-in providers have one version each." },
        reconfigure: { kind: "bool", help: "Taken for scripts that give it; the state is a local file." },
        backend: { kind: "bool", help: "Taken for scripts that give it; the state is a local file." },
        lock: { kind: "bool", help: "Taken for scripts that give it; init changes no state." },
        "lock-timeout": {
          kind: "duration",
          value: "DURATION",
          help: "Taken for scripts that give it; init changes no state.",
        },
        get: { kind: "bool", help: "Taken for scripts that give it; modules are local folders." },
      },
      usage: "init [flags]",
      about:
        "Checks that the folder can be worked on: its modules are there, and every provider\nit needs is built in at a version that its constraints allow. Safe to run again.",
      example: "init",
      arguments: [0, 0],
      run: async ({ session, occurrences }) => {
        const style = styleOf(session.view);
        if (!hasConfiguration(session.folder)) {
          await io.stdout(
            "Initialized in an empty folder!\n\nThe folder has no configuration files. You may begin by writing one, such as\nmain.tf, and then run plan.\n",
          );
          return 0;
        }
        const folder = await loadFolder(session, occurrences);
        const { registry } = await providersOf(session);
        const missing = unknownProviders(folder.configuration, registry);
        const found = [...folder.diagnostics, ...missing, ...checkRequirements(folder.configuration, registry)];
        if (!(await session.report(found)) || hasErrors(found)) return 1;
        await io.stdout(`${style.bold("Providers:")}\n`);
        const sources = new Map(
          sourcesOf(folder.configuration, emptyState).map((source) => [providerSourceText(source), source]),
        );
        for (const source of [...sources.values()].sort((a, b) =>
          providerSourceText(a) < providerSourceText(b) ? -1 : 1,
        )) {
          const { version, origin } = registry.find(source)!;
          await io.stdout(`- ${providerSourceShort(source)} v${version} ${placeOf[origin]}\n`);
        }
        if (sources.size === 0) await io.stdout("- none needed\n");
        await io.stdout(
          `\n${style.green(style.bold("The folder is ready."))} Run "${session.style} plan" to see what would change.\n`,
        );
        return 0;
      },
    },
    args,
    io,
    style,
  );
}

const placeOf = {
  "built-in": "is built in",
  installed: "is installed",
  folder: "is written in this folder",
} as const;

function unknownProviders(configuration: Parameters<typeof sourcesOf>[0], registry: ProviderRegistry): Diagnostic[] {
  const known = registry.known().map(providerSourceShort).sort().join(", ");
  const missing = new Map(
    sourcesOf(configuration, emptyState)
      .filter((source) => !registry.find(source))
      .map((source) => [providerSourceText(source), source]),
  );
  return [...missing.keys()].map((text) =>
    errorDiagnostic(
      "Failed to query available provider packages",
      `There is no provider ${text} here. Built in are ${known}; other providers cannot be installed by this version of Millwright.`,
    ),
  );
}
