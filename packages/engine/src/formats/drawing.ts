import type { Edges } from "./reduced.ts";
import type { DrawnStep, ResourceGraph } from "./resource-graph.ts";

/** Resources by module, in the DOT language, as Terraform's `graph` prints them. */
export function dotOfResources({ modules, edges }: ResourceGraph): string {
  const lines = ["digraph G {", '  rankdir = "RL";', '  node [shape = rect, fontname = "sans-serif"];'];
  for (const { path, resources } of modules) {
    const indent = path === "" ? "  " : "    ";
    const nodes = resources.map(({ id, label }) => `${indent}${quoted(id)} [label=${quoted(label)}];`);
    if (path === "") lines.push(...nodes);
    else {
      const head = [`    label = ${quoted(path)}`, '    fontname = "sans-serif"'];
      lines.push(`  subgraph ${quoted(`cluster_${path}`)} {`, ...head, ...nodes, "  }");
    }
  }
  for (const [from, to] of edges) lines.push(`  ${quoted(from)} -> ${quoted(to)};`);
  return `${lines.join("\n")}\n}\n`;
}

/** Resources by module, as a Mermaid flowchart. */
export function mermaidOfResources({ modules, edges }: ResourceGraph): string {
  const names = new Map<string, string>();
  const nameOf = (id: string) => {
    const known = names.get(id) ?? `n${names.size + 1}`;
    names.set(id, known);
    return known;
  };
  const lines = ["flowchart RL"];
  for (const { path, resources } of modules) {
    const indent = path === "" ? "  " : "    ";
    const nodes = resources.map(({ id, label }) => `${indent}${nameOf(id)}["${mermaidText(label)}"]`);
    if (path === "") lines.push(...nodes);
    else lines.push(`  subgraph ${nameOf(`cluster ${path}`)}["${mermaidText(path)}"]`, ...nodes, "  end");
  }
  for (const [from, to] of edges) lines.push(`  ${nameOf(from)} --> ${nameOf(to)}`);
  return `${lines.join("\n")}\n`;
}

/** Steps that are not grouped, in either language; edges of `cycles` are drawn so that they stand out. */
export function drawSteps(
  steps: readonly DrawnStep[],
  edges: Edges,
  format: "dot" | "mermaid",
  cycles: readonly (readonly string[])[] = [],
): string {
  const inCycle = new Set(cycles.flatMap((way) => way.map((id, i) => `${id}\n${way[(i + 1) % way.length]!}`)));
  const sorted = [...steps].sort((a, b) => (a.id < b.id ? -1 : 1));
  const pairs = [...edges]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([from, all]) => [...all].sort().map((to) => [from, to] as const));
  const isCycle = (from: string, to: string) => inCycle.has(`${from}\n${to}`);
  return format === "dot" ? dotOfSteps(sorted, pairs, isCycle) : mermaidOfSteps(sorted, pairs, isCycle);
}

type Pairs = readonly (readonly [string, string])[];
type IsCycle = (from: string, to: string) => boolean;

function dotOfSteps(steps: readonly DrawnStep[], pairs: Pairs, isCycle: IsCycle): string {
  const root = (id: string) => quoted(`[root] ${id}`);
  const nodes = steps.flatMap(({ id, shape }) =>
    shape === undefined ? [] : [`\t\t${root(id)} [label = ${quoted(id)}, shape = "${shape}"]`],
  );
  const edges = pairs.map(([from, to]) => {
    const look = isCycle(from, to) ? ' [color = "red", penwidth = "2.0"]' : "";
    return `\t\t${root(from)} -> ${root(to)}${look}`;
  });
  const head = ["digraph {", '\tcompound = "true"', '\tnewrank = "true"', '\tsubgraph "root" {'];
  return `${[...head, ...nodes, ...edges].join("\n")}\n\t}\n}\n`;
}

function mermaidOfSteps(steps: readonly DrawnStep[], pairs: Pairs, isCycle: IsCycle): string {
  const names = new Map(steps.map(({ id }, i) => [id, `n${i + 1}`]));
  const nodes = steps.map(({ id }) => `  ${names.get(id)}["${mermaidText(id)}"]`);
  const edges = pairs.map(([from, to]) => `  ${names.get(from)} --> ${names.get(to)}`);
  const looks = pairs.flatMap(([from, to], i) => (isCycle(from, to) ? [`  linkStyle ${i} stroke:red`] : []));
  return `${["flowchart RL", ...nodes, ...edges, ...looks].join("\n")}\n`;
}

function quoted(text: string): string {
  return `"${text.replace(/[\\"]/g, "\\$&")}"`;
}

function mermaidText(text: string): string {
  return text.replaceAll("#", "#35;").replaceAll('"', "#quot;");
}
