import type { ScopeTraversal } from "@millwright/hcl/ast";
import { compareKeys } from "@millwright/value/types";
import { resourceText } from "../addresses.ts";
import type { ConfigNode } from "../config-graph.ts";
import { nodeId } from "../config-graph.ts";
import type { Configuration, Module } from "../configuration.ts";
import { childPath } from "../configuration.ts";
import type { Graph } from "../graph.ts";
import type { ParsedReference } from "../references.ts";
import { parseReference, referencesOfBody } from "../references.ts";

/** For each resource node all resource nodes that it comes after, at any distance, in byte order. */
export function transitive(direct: ReadonlyMap<string, ReadonlySet<string>>): ReadonlyMap<string, readonly string[]> {
  const memo = new Map<string, ReadonlySet<string>>();
  const empty: readonly string[] = [];
  const result = new Map<string, readonly string[]>();
  for (const id of direct.keys()) {
    const all = collect(id, direct, memo);
    result.set(id, all.size === 0 ? empty : [...all].sort(compareKeys));
  }
  return result;
}

// Depth first with a stack of our own: chains are as long as users make them.
function collect(
  start: string,
  direct: ReadonlyMap<string, ReadonlySet<string>>,
  memo: Map<string, ReadonlySet<string>>,
): ReadonlySet<string> {
  const stack = [start];
  while (stack.length > 0) {
    const id = stack.at(-1)!;
    const next = [...(direct.get(id) ?? [])];
    const missing = memo.has(id) ? [] : next.filter((to) => !memo.has(to));
    if (missing.length > 0) {
      stack.push(...missing);
      continue;
    }
    stack.pop();
    if (memo.has(id)) continue;
    const all = new Set(next);
    for (const to of next) for (const further of memo.get(to) ?? []) all.add(further);
    memo.set(id, all);
  }
  return memo.get(start)!;
}

/**
 * The resources that are replaced by making the new object first: those that say so, and all that such a one depends on,
 * since its new object needs theirs before its old one is gone.
 */
export function createBeforeDestroyNodes(
  graph: Graph<ConfigNode>,
  direct: ReadonlyMap<string, ReadonlySet<string>>,
): ReadonlySet<string> {
  const found = new Set<string>();
  const queue: string[] = [];
  for (const [id, node] of graph.nodes)
    if (node.kind === "resource" && node.resource.lifecycle.createBeforeDestroy) queue.push(id);
  for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
    if (found.has(id)) continue;
    found.add(id);
    for (const to of direct.get(id) ?? []) {
      const node = graph.nodes.get(to);
      if (node?.kind === "resource" && node.resource.address.mode === "managed") queue.push(to);
    }
  }
  return found;
}

/**
 * For a data source's node, the resources whose changes it waits for: those that its own `depends_on`, or that of a module it is
 * in, names, directly or through others; those managed ones that it refers to itself; and where it has conditions, all that it
 * depends on. Source: Terraform's documentation of data sources, "Data Resource Dependencies"; measured with 1.11.4.
 */
export function waitedFor(
  graph: Graph<ConfigNode>,
  configuration: Configuration,
): (nodeId: string) => ReadonlySet<string> {
  const memo = new Map<string, ReadonlySet<string>>();
  return (id) => {
    const known = memo.get(id);
    if (known) return known;
    const node = graph.nodes.get(id);
    const direct = directOf(node) ?? [...(graph.dependencies.get(id) ?? [])];
    const found = new Set(isData(node) ? direct.filter((to) => isManaged(graph.nodes.get(to))) : []);
    const queue = [...namedBy(node, configuration), ...(isData(node) && hasConditions(node) ? direct : [])];
    const seen = new Set<string>();
    for (let at = queue.pop(); at !== undefined; at = queue.pop()) {
      if (seen.has(at)) continue;
      seen.add(at);
      const node = graph.nodes.get(at);
      if (node?.kind === "resource") found.add(at);
      queue.push(...(graph.dependencies.get(at) ?? []));
    }
    memo.set(id, found);
    return found;
  };
}

// The data source of a check comes after everything, and waits for no more than what it refers to itself.
function directOf(node: ConfigNode | undefined): string[] | undefined {
  if (node?.kind !== "resource" || node.resource.check === undefined) return undefined;
  return idsOfReferences(referencesOfBody(node.resource.body), node.module);
}

function isData(node: ConfigNode | undefined): boolean {
  return node?.kind === "resource" && node.resource.address.mode === "data";
}

function isManaged(node: ConfigNode | undefined): boolean {
  return node?.kind === "resource" && node.resource.address.mode === "managed";
}

function hasConditions(node: ConfigNode | undefined): boolean {
  if (node?.kind !== "resource") return false;
  const { preconditions, postconditions } = node.resource.lifecycle;
  return preconditions.length + postconditions.length > 0;
}

function namedBy(node: ConfigNode | undefined, configuration: Configuration): string[] {
  if (node?.kind !== "resource") return [];
  const ids = idsOf(node.resource.dependsOn, node.module);
  for (let names = node.module.names; names.length > 0; names = names.slice(0, -1)) {
    const caller = configuration.modules.get(
      names
        .slice(0, -1)
        .map((name) => `module.${name}`)
        .join("."),
    )!;
    const call = caller.calls.get(names.at(-1)!);
    if (call) ids.push(...idsOf(call.dependsOn, caller));
  }
  return ids;
}

function idsOf(traversals: readonly ScopeTraversal[], module: Module): string[] {
  return idsOfReferences(traversals.map(parseReference), module);
}

function idsOfReferences(references: readonly ParsedReference[], module: Module): string[] {
  return references.flatMap((parsed) => {
    if (!parsed.ok) return [];
    const { subject } = parsed.reference;
    if (subject.kind === "module") return [nodeId.close(childPath(module, subject.name))];
    if (subject.kind !== "resource") return [];
    const resource = module.resources.get(resourceText(subject.address));
    return resource ? [nodeId.resource(module, resource)] : [];
  });
}
