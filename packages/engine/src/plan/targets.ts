import type { Graph } from "../graph.ts";

/** Which part of a configuration a run is about. */
export interface Targeting {
  /** Nodes to visit; all, where nothing is targeted. */
  has(nodeId: string): boolean;
  isTargeted(instance: string): boolean;
}

export const everything: Targeting = { has: () => true, isTargeted: () => true };

/**
 * The nodes that targets name and all that these depend on (for a destroy also all that depends on them). A target is an
 * address of a module, a resource or an instance.
 */
export function targetNodes<T extends { readonly kind: string }>(
  graph: Graph<T>,
  targets: readonly string[],
  destroy: boolean,
  addressOf: (node: T, id: string) => string = (_, id) => id,
): Targeting {
  if (targets.length === 0) return everything;
  const bare = targets.map(withoutKeys);
  const named = [...graph.nodes].filter(([id, node]) => bare.some((target) => covers(target, addressOf(node, id))));
  const direct = new Set(named.map(([id]) => id));
  const dependencies = new Set<string>();
  follow([...direct], (id) => graph.dependencies.get(id) ?? [], dependencies);
  const later = new Set<string>();
  if (destroy) {
    const dependents = dependentsOf(graph);
    follow([...direct], (id) => dependents.get(id) ?? [], later);
    // Dependents go too, and to destroy them needs what they depend on.
    for (const id of later) dependencies.add(id);
    follow([...later], (id) => graph.dependencies.get(id) ?? [], dependencies);
  }
  for (const [id, node] of graph.nodes) {
    if (node.kind !== "output" || !id.startsWith("output.") || direct.has(id)) continue;
    const needs = [...graph.dependencies.get(id)!];
    if (needs.length > 0 && needs.every((to) => direct.has(to) || dependencies.has(to))) dependencies.add(id);
  }
  return {
    has: (id) => direct.has(id) || dependencies.has(id),
    isTargeted: (instance) => {
      if (targets.some((target) => covers(target, instance))) return true;
      const id = withoutKeys(instance);
      // What a destroyed thing depends on is looked at, and stays.
      return destroy ? later.has(id) && !direct.has(id) : dependencies.has(id);
    },
  };
}

/**
 * All nodes but those that excludes name and what depends on them; for a destroy, what they depend on stays too. Where an
 * instance alone is excluded, its resource is still visited for the others.
 */
export function excludeNodes<T extends { readonly kind: string }>(
  graph: Graph<T>,
  excludes: readonly string[],
  destroy: boolean,
  addressOf: (node: T, id: string) => string = (_, id) => id,
): Targeting {
  if (excludes.length === 0) return everything;
  const named = new Set<string>();
  const whole = new Set<string>();
  for (const exclude of excludes) {
    const bare = withoutKeys(exclude);
    for (const [id, node] of graph.nodes) {
      if (!covers(bare, addressOf(node, id))) continue;
      named.add(id);
      if (bare === exclude) whole.add(id);
    }
  }
  const further = new Set<string>();
  const next = destroy ? graph.dependencies : dependentsOf(graph);
  follow([...named], (id) => next.get(id) ?? [], further);
  const isLeftOut = (id: string) => whole.has(id) || (!destroy && further.has(id));
  return {
    has: (id) => !isLeftOut(id),
    isTargeted: (instance) => {
      if (excludes.some((exclude) => covers(exclude, instance))) return false;
      return !further.has(withoutKeys(instance));
    },
  };
}

/** What both leave in. */
export function both(a: Targeting, b: Targeting): Targeting {
  if (b === everything) return a;
  return {
    has: (id) => a.has(id) && b.has(id),
    isTargeted: (instance) => a.isTargeted(instance) && b.isTargeted(instance),
  };
}

function dependentsOf(graph: Graph<unknown>): Map<string, string[]> {
  const dependents = new Map<string, string[]>();
  for (const [id, all] of graph.dependencies) {
    for (const to of all) {
      const known = dependents.get(to);
      if (known) known.push(id);
      else dependents.set(to, [id]);
    }
  }
  return dependents;
}

function follow(start: readonly string[], next: (id: string) => Iterable<string>, found: Set<string>): void {
  const queue = [...start];
  for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
    for (const to of next(id)) {
      if (found.has(to)) continue;
      found.add(to);
      queue.push(to);
    }
  }
}

/** Whether `address` is what `target` names, or inside it. */
export function covers(target: string, address: string): boolean {
  if (!address.startsWith(target)) return false;
  const next = address[target.length];
  return next === undefined || next === "." || next === "[";
}

/** An address with all instance keys left out: `module.a["x"].b.c[0]` becomes `module.a.b.c`. */
export function withoutKeys(address: string): string {
  return address.replace(/\[(?:\d+|"(?:[^"\\]|\\.)*")\]/g, "");
}
