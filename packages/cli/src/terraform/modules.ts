import type { Configuration, Module } from "@millwright/engine/configuration";
import { childPath } from "@millwright/engine/configuration";
import { shownSource } from "@millwright/sources/module-source";
import { goJson, type ModuleManifest, readManifest } from "@millwright/sources/module-manifest";
import type { FlagTable } from "../flags.ts";
import { sourceSettings } from "../init/source-settings.ts";
import type { CommandIo } from "../io.ts";
import { runCommand } from "./command.ts";
import { readConfiguration } from "./folder.ts";
import { variableFlags, viewFlags } from "./options.ts";
import type { CommandStyle } from "./session.ts";

const flags = {
  ...variableFlags,
  "no-color": viewFlags["no-color"],
  json: viewFlags.json,
} as const satisfies FlagTable;

/** Lists the modules that a folder calls. */
export function runModules(args: readonly string[], io: CommandIo, style: CommandStyle): Promise<number> {
  return runCommand(
    {
      flags,
      usage: "modules [flags]",
      about: "Lists the modules that the folder calls, and those that they call, with their sources and versions.",
      example: "modules -json",
      arguments: [0, 0],
      run: async ({ session, values, occurrences }) => {
        const { configuration, diagnostics } = await readConfiguration(session, occurrences);
        if (!(await session.report(diagnostics))) return 1;
        const manifest = readManifest(sourceSettings(session).data);
        const entries = entriesBelow(configuration, configuration.root, manifest, 0);
        if (values.json) await io.stdout(`${modulesJson(entries)}\n`);
        else if (entries.length === 0) await io.stdout("No modules found in configuration.\n");
        else
          await io.stdout(
            `\nModules declared by configuration:\n.\n${tree(configuration, configuration.root, manifest, "")}\n`,
          );
        return 0;
      },
    },
    args,
    io,
    style,
  );
}

interface Entry {
  readonly key: string;
  readonly source: string;
  readonly version: string;
}

// Terraform's documented format: the key is the call's own name, not the way to it.
function modulesJson(entries: readonly Entry[]): string {
  return goJson({ format_version: "1.0", modules: entries });
}

function entriesBelow(configuration: Configuration, module: Module, manifest: ModuleManifest, depth: number): Entry[] {
  return callsOf(module).flatMap((entry) => {
    const child = configuration.modules.get(childPath(module, entry.key));
    const version = versionOf(module, entry.key, manifest);
    return [{ ...entry, version }, ...(child ? entriesBelow(configuration, child, manifest, depth + 1) : [])];
  });
}

function tree(configuration: Configuration, module: Module, manifest: ModuleManifest, indent: string): string {
  const calls = callsOf(module);
  return calls
    .map(({ key, source }, i) => {
      const isLast = i === calls.length - 1;
      const child = configuration.modules.get(childPath(module, key));
      const version = versionOf(module, key, manifest);
      const line = `${indent}${isLast ? "└──" : "├──"} "${key}"[${source}]${version === "" ? "" : ` ${version}`}\n`;
      return line + (child ? tree(configuration, child, manifest, `${indent}${isLast ? "    " : "│   "}`) : "");
    })
    .join("");
}

function callsOf(module: Module): { readonly key: string; readonly source: string }[] {
  return [...module.calls.values()]
    .map(({ name, source }) => ({ key: name, source: shownSource(source) }))
    .sort((a, b) => (a.key < b.key ? -1 : 1));
}

function versionOf(module: Module, name: string, manifest: ModuleManifest): string {
  return manifest.get([...module.names, name].join("."))?.version ?? "";
}
