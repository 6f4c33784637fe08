import { parseProviderConfigAddress, type ProviderSource, providerSourceText } from "@millwright/engine/addresses";
import type { Configuration, Module } from "@millwright/engine/configuration";
import { childPath } from "@millwright/engine/configuration";
import { providerOfResource } from "@millwright/engine/provider-config";
import type { ProviderRegistry } from "@millwright/engine/ports";
import { providerSchemasJson } from "@millwright/engine/provider-schema-json";
import { sourcesOf } from "@millwright/engine/provider-sources";
import { emptyState } from "@millwright/engine/state";
import type { TestFile } from "@millwright/engine/tests/test-file";
import type { FlagTable } from "../flags.ts";
import type { CommandIo } from "../io.ts";
import { refuseWithoutJson, runCommand } from "./command.ts";
import { loadFolder, readConfiguration } from "./folder.ts";
import { variableSources } from "./variable-sources.ts";
import { readState } from "./open-state.ts";
import { viewFlags } from "./options.ts";
import { providersOf } from "./registry.ts";
import { withPool } from "./run-context.ts";
import { fileNames, readRunModules, readTestFiles, type RunModule, runNames } from "./run-modules.ts";
import type { CommandStyle } from "./session.ts";

export function runProviders(args: readonly string[], io: CommandIo, style: CommandStyle): Promise<number> {
  const rest = args.slice(1);
  switch (args[0]) {
    case "schema":
      return runSchema(rest, io, style);
    case "lock":
      return import("./providers-lock.ts").then(({ runProvidersLock }) => runProvidersLock(rest, io, style));
    case "mirror":
      return import("./providers-mirror.ts").then(({ runProvidersMirror }) => runProvidersMirror(rest, io, style));
    default:
      return runTree(args, io, style);
  }
}

const treeFlags = {
  "no-color": viewFlags["no-color"],
  "test-directory": { kind: "string", value: "FOLDER", help: 'Where the tests are (default "tests").' },
} as const satisfies FlagTable;

function runTree(args: readonly string[], io: CommandIo, style: CommandStyle): Promise<number> {
  return runCommand(
    {
      flags: treeFlags,
      usage: "providers",
      about:
        "Shows which providers the folder and its modules need, with what versions, and\nwhich version is used. Subcommands: lock and mirror; schema -json, the schemas of all of them.",
      example: "providers",
      arguments: [0, 0],
      run: async ({ session, values }) => {
        const folder = await readConfiguration(session, []);
        const tests = readTestFiles(session, values["test-directory"]);
        const { sources } = variableSources(session, []);
        const { value: runModules, diagnostics } = readRunModules(session, tests.value, sources);
        if (!(await session.report([...folder.diagnostics, ...tests.diagnostics, ...diagnostics]))) return 1;
        const state = await readState(session, undefined);
        if (!state) return 1;
        await io.stdout(
          `\nProviders required by configuration:\n.\n${linesOf([...branches(folder.configuration, folder.configuration.root), ...testBranches(tests.value, runModules)], "")}\n`,
        );
        const stored = new Set(
          [...state.kept.current.state.resources.values()]
            .flatMap((r) => parseProviderConfigAddress(r.provider)?.source ?? [])
            .map(providerSourceText),
        );
        if (stored.size > 0)
          await io.stdout(
            `Providers required by state:\n\n${[...stored]
              .sort()
              .map((text) => `    provider[${text}]\n`)
              .join("")}\n`,
          );
        const { registry } = await providersOf(session);
        const all = new Map(
          sourcesOf(folder.configuration, state.kept.current.state).map((source) => [
            providerSourceText(source),
            source,
          ]),
        );
        const used = [...all]
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([text, source]) => `    ${text} ${usedVersion(registry, source)}\n`);
        if (used.length > 0) await io.stdout(`Used:\n\n${used.join("")}\n`);
        return 0;
      },
    },
    args,
    io,
    style,
  );
}

const originWords = { "built-in": "built-in", installed: "installed", folder: "written in this folder" } as const;

function usedVersion(registry: ProviderRegistry, source: ProviderSource): string {
  const offer = registry.find(source);
  return offer ? `v${offer.version} (${originWords[offer.origin]})` : "(not available)";
}

interface Branch {
  readonly text: string;
  readonly below: readonly Branch[];
}

function branches(configuration: Configuration, module: Module): Branch[] {
  const needs = new Map<string, string>();
  for (const requirement of module.requiredProviders.values()) {
    needs.set(providerSourceText(requirement.source), requirement.versions.join(", "));
  }
  for (const resource of module.resources.values()) {
    const text = providerSourceText(providerOfResource(configuration, module, resource).address.source);
    if (!needs.has(text)) needs.set(text, "");
  }
  const providers = [...needs]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([text, versions]) => ({ text: `provider[${text}]${versions === "" ? "" : ` ${versions}`}`, below: [] }));
  const modules = [...module.calls.values()].map((call) => {
    const child = configuration.modules.get(childPath(module, call.name));
    return { text: `module.${call.name}`, below: child ? branches(configuration, child) : [] };
  });
  return [...providers, ...modules];
}

function testBranches(tests: readonly TestFile[], modules: readonly RunModule[]): Branch[] {
  const byKey = new Map(modules.map(({ names, configuration }) => [names.join("."), configuration]));
  return tests.map((file) => {
    const below = file.runs.flatMap((run): Branch[] => {
      const tested = byKey.get(runNames(file, run).join("."));
      return tested ? [{ text: `run.${run.name}`, below: branches(tested, tested.root) }] : [];
    });
    return { text: fileNames(file).join("."), below };
  });
}

function linesOf(all: readonly Branch[], indent: string): string {
  return all
    .map(({ text, below }, i) => {
      const last = i === all.length - 1;
      return `${indent}${last ? "└──" : "├──"} ${text}\n${linesOf(below, `${indent}${last ? "    " : "│   "}`)}`;
    })
    .join("");
}

function runSchema(args: readonly string[], io: CommandIo, style: CommandStyle): Promise<number> {
  return runCommand(
    {
      flags: { json: viewFlags.json },
      usage: "providers schema -json",
      about: "Prints the schemas of the folder's providers in Terraform's documented format.",
      example: "providers schema -json",
      arguments: [0, 0],
      run: async ({ session, values }) => {
        if (!values.json) return refuseWithoutJson(session, "providers schema");
        const folder = await loadFolder(session);
        return withPool(session, async (pool) => {
          const sources = sourcesOf(folder.configuration, emptyState);
          const found = [...folder.diagnostics, ...(await pool.load(sources))];
          // Who reads the JSON reads standard output, where warnings would be in the way.
          if (!(await session.report(found.filter(({ severity }) => severity === "error")))) return 1;
          await io.stdout(`${JSON.stringify(providerSchemasJson(sources, pool))}\n`);
          return 0;
        });
      },
    },
    args,
    io,
    style,
  );
}
