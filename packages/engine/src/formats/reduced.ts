/** Which nodes a node comes after. */
export type Edges = ReadonlyMap<string, ReadonlySet<string>>;

/**
 * The same order with fewest edges: one that follows from others is left out. What is part of a circle keeps its edges.
 * The time is that of a walk from every node, which is fine for a drawing.
 */
export function reduced(edges: Edges): Edges {
  const result = new Map<string, ReadonlySet<string>>();
  for (const [from, all] of edges) {
    const kept = new Set(all);
    for (const to of all) {
      const behind = reachable(edges, to);
      if (behind.has(from)) continue;
      for (const other of all)
        if (other !== to && behind.has(other) && !reachable(edges, other).has(to)) kept.delete(other);
    }
    result.set(from, kept);
  }
  return result;
}

/** All that a node comes after, at any distance. */
function reachable(edges: Edges, start: string): ReadonlySet<string> {
  const found = new Set<string>();
  const queue = [start];
  for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
    for (const to of edges.get(id) ?? []) {
      if (found.has(to)) continue;
      found.add(to);
      queue.push(to);
    }
  }
  return found;
}
