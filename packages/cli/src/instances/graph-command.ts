import type { CommandIo } from "../io.ts";
import { runCommand } from "../terraform/command.ts";
import { viewFlags } from "../terraform/options.ts";
import type { CommandStyle } from "../terraform/session.ts";
import { loadListing } from "./listing.ts";

/** Prints which instances use outputs of which. */
export function runGraphInstances(args: readonly string[], io: CommandIo, style: CommandStyle): Promise<number> {
  return runCommand(
    {
      flags: { "no-color": viewFlags["no-color"] },
      usage: "graph [flags]",
      about: "Prints the graph of the instances that this folder lists, in the DOT language.",
      example: "graph | dot -Tsvg > graph.svg",
      arguments: [0, 0],
      run: async ({ session }) => {
        const { list, diagnostics } = await loadListing(session);
        if (!(await session.report(diagnostics))) return 1;
        const lines = ["digraph G {", '  rankdir = "RL";', '  node [shape = rect, fontname = "sans-serif"];'];
        for (const { name, template } of list.instances.values())
          lines.push(`  "${name}" [label = "${name}\\n${template.replace(/["\\]/g, "\\$&")}"];`);
        for (const { name, dependencies } of list.instances.values())
          for (const to of [...dependencies].sort()) lines.push(`  "${name}" -> "${to}";`);
        await io.stdout(`${lines.join("\n")}\n}\n`);
        return 0;
      },
    },
    args,
    io,
    style,
  );
}
