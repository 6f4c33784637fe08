import { parseProviderConfigAddress, type ProviderSource, providerSourceText } from "@millwright/engine/addresses";
import type { Configuration, Module } from "@millwright/engine/configuration";
import { childPath } from "@millwright/engine/configuration";
import { providerOfResource } from "@millwright/engine/provider-config";
import type { ProviderRegistry } from "@millwright/engine/ports";
import { providerSchemasJson } from "@millwright/engine/provider-schema-json";
import { sourcesOf } from "@millwright/engine/make-plan";
import { emptyState } from "@millwright/engine/state";
import type { CommandIo } from "../io.ts";
import { runCommand } from "./command.ts";
import { loadFolder, readConfiguration } from "./folder.ts";
import { readState } from "./open-state.ts";
import { viewFlags } from "./options.ts";
import { providersOf } from "./registry.ts";
import { newPool } from "./run-context.ts";
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

function runTree(args: readonly string[], io: CommandIo, style: CommandStyle): Promise<number> {
  return runCommand(
    {
      flags: { "no-color": viewFlags["no-color"] },
      usage: "providers",
      about:
        "Shows which providers the folder and its modules need, with what versions, and\nwhich version is used. Subcommands: lock and mirror; schema -json, the schemas of all of them.",
      example: "providers",
      arguments: [0, 0],
      run: async ({ session }) => {
        const folder = await readConfiguration(session, []);
        if (!(await session.report(folder.diagnostics))) return 1;
        const state = await readState(session, undefined);
        if (!state) return 1;
        await io.stdout(
          `\nProviders required by configuration:\n.\n${tree(folder.configuration, folder.configuration.root, "")}\n`,
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

function tree(configuration: Configuration, module: Module, indent: string): string {
  const needs = new Map<string, string>();
  for (const requirement of module.requiredProviders.values()) {
    needs.set(providerSourceText(requirement.source), requirement.versions.join(", "));
  }
  for (const resource of module.resources.values()) {
    const text = providerSourceText(providerOfResource(configuration, module, resource).address.source);
    if (!needs.has(text)) needs.set(text, "");
  }
  const items = [
    ...[...needs]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([text, versions]) => ({ text: `provider[${text}]${versions === "" ? "" : ` ${versions}`}`, below: "" })),
    ...[...module.calls.values()].map((call) => ({
      text: `module.${call.name}`,
      child: configuration.modules.get(childPath(module, call.name)),
    })),
  ];
  return items
    .map((item, i) => {
      const last = i === items.length - 1;
      const line = `${indent}${last ? "└──" : "├──"} ${item.text}\n`;
      return "child" in item && item.child
        ? line + tree(configuration, item.child, `${indent}${last ? "    " : "│   "}`)
        : line;
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
        if (!values.json) {
          await session.report([
            {
              severity: "error",
              summary: "The -json flag is required",
              detail: "providers schema prints JSON only. Run providers schema -json.",
            },
          ]);
          return 1;
        }
        const folder = await loadFolder(session);
        const pool = await newPool(session);
        try {
          const sources = sourcesOf(folder.configuration, emptyState);
          if (!(await session.report([...folder.diagnostics, ...(await pool.load(sources))]))) return 1;
          await io.stdout(`${JSON.stringify(providerSchemasJson(sources, pool))}\n`);
          return 0;
        } finally {
          await pool.close();
        }
      },
    },
    args,
    io,
    style,
  );
}
