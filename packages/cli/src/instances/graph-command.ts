import { dotOfResources, mermaidOfResources } from "@millwright/engine/drawing";
import type { InstanceList } from "@millwright/engine/instances/list";
import type { CommandIo } from "../io.ts";
import { runCommand } from "../terraform/command.ts";
import { badFormat, graphFlags } from "../terraform/graph.ts";
import type { CommandStyle } from "../terraform/session.ts";
import { loadListing } from "./listing.ts";

/** Prints which instances use outputs of which. */
export function runGraphInstances(args: readonly string[], io: CommandIo, style: CommandStyle): Promise<number> {
  return runCommand(
    {
      flags: { format: graphFlags.format, "no-color": graphFlags["no-color"] },
      usage: "graph [flags]",
      about:
        "Prints the graph of the instances that this folder lists, each with its template, in the DOT language or as a Mermaid flowchart.",
      example: "graph | dot -Tsvg > graph.svg",
      arguments: [0, 0],
      run: async ({ session, values }) => {
        const wrong = badFormat(values.format);
        const { list, diagnostics } = await loadListing(session);
        if (!(await session.report([...(wrong ? [wrong] : []), ...diagnostics]))) return 1;
        const draw = values.format === "mermaid" ? mermaidOfResources : dotOfResources;
        await io.stdout(draw(graphOf(list)));
        return 0;
      },
    },
    args,
    io,
    style,
  );
}

function graphOf({ instances }: InstanceList) {
  const all = [...instances.values()];
  return {
    modules: [{ path: "", resources: all.map(({ name, template }) => ({ id: name, label: `${name} (${template})` })) }],
    edges: all.flatMap(({ name, dependencies }) => [...dependencies].sort().map((to) => [name, to] as const)),
  };
}
