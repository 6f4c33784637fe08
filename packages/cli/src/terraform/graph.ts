import { configGraph, resourceDependencies } from "@millwright/engine/config-graph";
import type { CommandIo } from "../io.ts";
import { runCommand } from "./command.ts";
import { loadFolder } from "./folder.ts";
import { viewFlags } from "./options.ts";
import type { CommandStyle } from "./session.ts";

export function runGraph(args: readonly string[], io: CommandIo, style: CommandStyle): Promise<number> {
  return runCommand(
    {
      flags: {
        "no-color": viewFlags["no-color"],
        type: {
          kind: "string",
          value: "TYPE",
          help: 'With "plan", everything that is declared; without it, only resources and how they depend on each other.',
        },
      },
      usage: "graph [flags]",
      about: "Prints the graph of a folder in the DOT language.",
      example: "graph | dot -Tsvg > graph.svg",
      arguments: [0, 0],
      run: async ({ session, values }) => {
        const folder = await loadFolder(session);
        if (!(await session.report(folder.diagnostics))) return 1;
        const graph = configGraph(folder.configuration);
        const edges = values.type === undefined ? resourceDependencies(graph) : graph.dependencies;
        const lines = ["digraph G {", '  rankdir = "RL";', '  node [shape = rect, fontname = "sans-serif"];'];
        for (const id of [...edges.keys()].sort()) lines.push(`  ${dotText(id)};`);
        for (const [from, all] of [...edges].sort(([a], [b]) => (a < b ? -1 : 1))) {
          for (const to of [...all].sort()) lines.push(`  ${dotText(from)} -> ${dotText(to)};`);
        }
        await io.stdout(`${lines.join("\n")}\n}\n`);
        return 0;
      },
    },
    args,
    io,
    style,
  );
}

function dotText(text: string): string {
  return `"${text.replace(/[\\"]/g, "\\$&")}"`;
}
