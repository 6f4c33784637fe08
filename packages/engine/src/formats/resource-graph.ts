import { compareKeys } from "@millwright/value/types";
import { type ConfigNode, configGraph, nodeId, resourceDependencies } from "../config-graph.ts";
import type { Configuration, Module } from "../configuration.ts";
import { resourceText } from "../addresses.ts";
import { type Edges, reduced } from "./reduced.ts";

/** A resource in a drawing: its whole address without keys, and its name inside its module. */
export interface DrawnResource {
  readonly id: string;
  readonly label: string;
}

/** The resources of a configuration by module, and in which order they are, without edges that follow from others. */
export interface ResourceGraph {
  /** The root first (its path is empty), then others in the order of their paths. */
  readonly modules: readonly { readonly path: string; readonly resources: readonly DrawnResource[] }[];
  readonly edges: readonly (readonly [string, string])[];
}

export function resourceGraph(configuration: Configuration): ResourceGraph {
  const dependencies = reduced(resourceDependencies(configGraph(configuration)));
  const modules = [...configuration.modules.values()]
    .filter((module) => module.resources.size > 0)
    .sort(compareModules)
    .map((module) => ({ path: module.path, resources: drawn(module) }));
  const order = new Map(modules.flatMap((module) => module.resources).map(({ id }, i) => [id, i]));
  const rank = (id: string) => order.get(id) ?? 0;
  const edges = [...dependencies]
    .sort(([a], [b]) => rank(a) - rank(b))
    .flatMap(([from, all]) => [...all].sort((a, b) => rank(a) - rank(b)).map((to) => [from, to] as const));
  return { modules, edges };
}

function drawn(module: Module): DrawnResource[] {
  return [...module.resources.values()]
    .map((resource) => ({ id: nodeId.resource(module, resource), label: resourceText(resource.address) }))
    .sort((a, b) => compareKeys(a.label, b.label));
}

function compareModules(a: Module, b: Module): number {
  const length = Math.min(a.names.length, b.names.length);
  for (let i = 0; i < length; i++) {
    const order = compareKeys(a.names[i]!, b.names[i]!);
    if (order !== 0) return order;
  }
  return a.names.length - b.names.length;
}

/** One step of a drawing that shows everything. */
export interface DrawnStep {
  readonly id: string;
  readonly shape?: "box" | "diamond" | "note";
}

/** Everything that a configuration declares, in the order in which it is planned. */
export function stepGraph(configuration: Configuration): {
  readonly steps: readonly DrawnStep[];
  readonly edges: Edges;
} {
  const graph = configGraph(configuration);
  const steps = [...graph.nodes].map(([id, node]): DrawnStep => {
    const shape = shapeOf(node);
    return shape === undefined ? { id } : { id, shape };
  });
  return { steps, edges: reduced(graph.dependencies) };
}

/** The same for taking all down: what depends on an object goes before it. */
export function destroyGraph(configuration: Configuration): {
  readonly steps: readonly DrawnStep[];
  readonly edges: Edges;
} {
  const dependencies = resourceDependencies(configGraph(configuration));
  const edges = new Map<string, Set<string>>([...dependencies.keys()].map((id) => [`${id} (destroy)`, new Set()]));
  for (const [from, all] of dependencies) for (const to of all) edges.get(`${to} (destroy)`)?.add(`${from} (destroy)`);
  return { steps: [...edges.keys()].map((id) => ({ id, shape: "box" })), edges: reduced(edges) };
}

function shapeOf(node: ConfigNode): DrawnStep["shape"] {
  if (node.kind === "resource") return "box";
  if (node.kind === "provider") return "diamond";
  return node.kind === "variable" && node.module.path === "" ? "note" : undefined;
}
