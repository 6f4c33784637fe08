import { existsSync } from "node:fs";
import type { Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import { orderOfPlan } from "@millwright/engine/apply";
import { configGraph } from "@millwright/engine/config-graph";
import type { Configuration } from "@millwright/engine/configuration";
import { dotOfResources, drawSteps, mermaidOfResources } from "@millwright/engine/drawing";
import { cyclesOf } from "@millwright/engine/graph";
import { destroyGraph, resourceGraph, stepGraph } from "@millwright/engine/resource-graph";
import { reduced } from "@millwright/engine/reduced";
import type { CommandIo } from "../io.ts";
import { runCommand } from "./command.ts";
import { loadFolder } from "./folder.ts";
import { variableFlags, viewFlags } from "./options.ts";
import { readSavedPlan } from "./plan-files.ts";
import { savedConfiguration } from "./saved-configuration.ts";
import type { CommandStyle, Session } from "./session.ts";

/** The flags of graph. */
export const graphFlags = {
  ...variableFlags,
  "no-color": viewFlags["no-color"],
  type: {
    kind: "string",
    value: "TYPE",
    help: "Show all steps of plan, plan-refresh-only, plan-destroy or apply; without it, only resources and their order.",
  },
  plan: { kind: "string", value: "FILE", help: "Show the steps that applying a saved plan takes." },
  format: { kind: "string", value: "FORMAT", help: "dot (the default) or mermaid." },
  "module-depth": { kind: "string", value: "N", help: "Taken for scripts that give it." },
  "draw-cycles": { kind: "bool", help: "Draw circles of steps in red. Only with -type." },
} as const;

type Format = "dot" | "mermaid";

/** What is said where a graph is asked for in a form that there is not. */
export function badFormat(format: string | undefined): Diagnostic | undefined {
  if (format === undefined || format === "dot" || format === "mermaid") return undefined;
  return errorDiagnostic("Unsupported graph format", `A graph is printed as dot or mermaid, and not as "${format}".`);
}

export function runGraph(args: readonly string[], io: CommandIo, style: CommandStyle): Promise<number> {
  return runCommand(
    {
      flags: graphFlags,
      usage: "graph [flags]",
      about: "Prints the graph of a folder, or of a saved plan, in the DOT language or as a Mermaid flowchart.",
      example: "graph | dot -Tsvg > graph.svg",
      arguments: [0, 0],
      run: async ({ session, values, occurrences }) => {
        const refused = misuse(session, values);
        if (refused) {
          await session.report([refused]);
          return 1;
        }
        const format: Format = values.format === "mermaid" ? "mermaid" : "dot";
        if (values.plan !== undefined) return drawPlan(session, values.plan, format);
        const { configuration, diagnostics } = await loadFolder(session, occurrences);
        if (!(await session.report(diagnostics))) return 1;
        await io.stdout(draw(configuration, values.type, format, values["draw-cycles"]));
        return 0;
      },
    },
    args,
    io,
    style,
  );
}

function misuse(
  session: Session,
  {
    type,
    plan,
    format,
  }: {
    readonly type?: string | undefined;
    readonly plan?: string | undefined;
    readonly format?: string | undefined;
  },
): Diagnostic | undefined {
  if (type !== undefined && !types.includes(type)) {
    const detail = 'The -type=... argument must be either "plan", "plan-refresh-only", "plan-destroy", or "apply".';
    return errorDiagnostic("Unsupported graph type", detail);
  }
  const wrong = badFormat(format);
  if (wrong) return wrong;
  if (plan === undefined) return undefined;
  if (type !== undefined && type !== "apply") {
    const detail = "A saved plan is drawn as what applying it takes: leave -type out, or give -type=apply.";
    return errorDiagnostic("Unsupported graph type", detail);
  }
  if (existsSync(session.path(plan))) return undefined;
  return errorDiagnostic("Failed to read the plan file", `There is no file ${plan} in ${session.folder}.`);
}

const types: readonly string[] = ["plan", "plan-refresh-only", "plan-destroy", "apply"];

function draw(configuration: Configuration, type: string | undefined, format: Format, cycles: boolean): string {
  if (type === undefined) {
    const graph = resourceGraph(configuration);
    return format === "dot" ? dotOfResources(graph) : mermaidOfResources(graph);
  }
  const { steps, edges } = type === "plan-destroy" ? destroyGraph(configuration) : stepGraph(configuration);
  return drawSteps(steps, edges, format, cycles ? cyclesOf(configGraph(configuration)) : []);
}

async function drawPlan(session: Session, path: string, format: Format): Promise<number> {
  const saved = await readSavedPlan(session, session.path(path));
  if (!saved) return 1;
  const read = await savedConfiguration(session, { ...saved, variables: saved.plan.variables });
  if (!(await session.report(read.diagnostics.filter(({ severity }) => severity === "error")))) return 1;
  const graph = orderOfPlan(saved.plan, read.value);
  const steps = [...graph.nodes].map(([id, node]) => {
    return node.kind === "make" || node.kind === "destroy" ? { id, shape: "box" as const } : { id };
  });
  await session.io.stdout(drawSteps(steps, reduced(graph.dependencies), format));
  return 0;
}
