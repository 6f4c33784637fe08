/**
 * A directed graph of steps, each to be taken after those it depends on. Ids are addresses: unique, readable, and what a
 * cycle is shown with.
 */
export interface Graph<T> {
  readonly nodes: ReadonlyMap<string, T>;
  /** From an id to the ids it depends on; ids that are no nodes are not allowed. */
  readonly dependencies: ReadonlyMap<string, ReadonlySet<string>>;
}

const none: ReadonlySet<string> = new Set();

/** Collects nodes and edges; an edge to an id that never becomes a node is dropped. */
export class GraphBuilder<T> {
  readonly #nodes = new Map<string, T>();
  readonly #dependencies = new Map<string, Set<string>>();

  add(id: string, node: T): void {
    this.#nodes.set(id, node);
  }

  has(id: string): boolean {
    return this.#nodes.has(id);
  }

  /** `from` is to be taken after `to`. An edge to itself stays: it is a cycle of one. */
  depend(from: string, to: string): void {
    let set = this.#dependencies.get(from);
    if (!set) this.#dependencies.set(from, (set = new Set()));
    set.add(to);
  }

  /** Whether `to` is among all that `from` comes after. */
  reaches(from: string, to: string): boolean {
    const seen = new Set([from]);
    for (const id of seen) {
      if (id === to) return true;
      for (const next of this.#dependencies.get(id) ?? []) seen.add(next);
    }
    return false;
  }

  #inside(all: ReadonlySet<string>): ReadonlySet<string> {
    return new Set([...all].filter((to) => this.#nodes.has(to)));
  }

  build(): Graph<T> {
    const dependencies = new Map<string, ReadonlySet<string>>();
    for (const id of this.#nodes.keys()) {
      const all = this.#dependencies.get(id) ?? none;
      dependencies.set(id, [...all].every((to) => this.#nodes.has(to)) ? all : this.#inside(all));
    }
    return { nodes: this.#nodes, dependencies };
  }
}

/** Every cycle, one of the shortest of each group of nodes that depend on each other, in the order of its way round. */
export function cyclesOf(graph: Graph<unknown>): string[][] {
  return groupsOf(graph)
    .filter((group) => group.length > 1 || graph.dependencies.get(group[0]!)!.has(group[0]!))
    .map((group) => wayRound(graph, group));
}

/**
 * All nodes in groups: those that depend on each other are together, any other is alone. A group stands after all that it
 * depends on. Tarjan's algorithm, without recursion: a chain of 100,000 nodes is nothing special.
 */
export function groupsOf(graph: Graph<unknown>): string[][] {
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const onStack = new Set<string>();
  const stack: string[] = [];
  const groups: string[][] = [];
  for (const start of graph.nodes.keys()) {
    if (index.has(start)) continue;
    const work: { id: string; rest: Iterator<string> }[] = [];
    const open = (id: string) => {
      index.set(id, index.size);
      low.set(id, index.get(id)!);
      stack.push(id);
      onStack.add(id);
      work.push({ id, rest: graph.dependencies.get(id)![Symbol.iterator]() });
    };
    open(start);
    while (work.length > 0) {
      const frame = work.at(-1)!;
      const next = frame.rest.next();
      if (!next.done) {
        if (!index.has(next.value)) open(next.value);
        else if (onStack.has(next.value)) low.set(frame.id, Math.min(low.get(frame.id)!, index.get(next.value)!));
        continue;
      }
      work.pop();
      const parent = work.at(-1);
      if (parent) low.set(parent.id, Math.min(low.get(parent.id)!, low.get(frame.id)!));
      if (low.get(frame.id) === index.get(frame.id)) {
        const group = stack.splice(stack.lastIndexOf(frame.id));
        for (const id of group) onStack.delete(id);
        groups.push(group);
      }
    }
  }
  return groups;
}

// A group of mutually dependent nodes may hold many cycles: one of the shortest through its first node is what a reader can follow.
function wayRound(graph: Graph<unknown>, group: readonly string[]): string[] {
  const inside = new Set(group);
  const start = [...group].sort()[0]!;
  const cameFrom = new Map<string, string>();
  const queue = [start];
  for (let at = 0; at < queue.length; at++) {
    const id = queue[at]!;
    for (const next of graph.dependencies.get(id)!) {
      if (!inside.has(next)) continue;
      if (next === start) {
        const way = [id];
        while (way[0] !== start) way.unshift(cameFrom.get(way[0]!)!);
        return way;
      }
      if (!cameFrom.has(next)) {
        cameFrom.set(next, id);
        queue.push(next);
      }
    }
  }
  return [...group];
}

/** What came of a node: done, failed, or not tried because something it depends on was not done, or the run was stopped. */
export type Outcome = "done" | "failed" | "skipped";

/** What a visit says: whether it went well, or that it was not begun after all. */
export type Visited = boolean | "skipped";

const outcomeOf = (visited: Visited): Outcome => (visited === "skipped" ? visited : visited ? "done" : "failed");

/**
 * Visits every node after all it depends on, independent ones side by side. A visit gives false where it failed: what
 * depends on that node is skipped, all else goes on. When the signal aborts, no further visit is begun (the rest is
 * skipped); those under way are awaited. The graph has no cycles. A thrown visit is a bug and rejects the walk after the
 * visits under way have ended. `settled` is told what came of each node, those that are never visited too.
 */
export function walkGraph<T>(
  graph: Graph<T>,
  visit: (node: T, id: string) => Visited | Promise<Visited>,
  signal?: AbortSignal,
  settled?: (node: T, outcome: Outcome) => void,
): Promise<ReadonlyMap<string, Outcome>> {
  const outcomes = new Map<string, Outcome>();
  const waitingFor = new Map<string, number>();
  const dependents = new Map<string, string[]>();
  const ready: string[] = [];
  for (const [id, dependencies] of graph.dependencies) {
    waitingFor.set(id, dependencies.size);
    if (dependencies.size === 0) ready.push(id);
    for (const to of dependencies) {
      const list = dependents.get(to);
      if (list) list.push(id);
      else dependents.set(to, [id]);
    }
  }
  return new Promise((resolve, reject) => {
    let running = 0;
    let next = 0;
    let bug: { readonly error: unknown } | undefined;
    const settle = (id: string, outcome: Outcome) => {
      outcomes.set(id, outcome);
      for (const dependent of dependents.get(id) ?? []) {
        const left = waitingFor.get(dependent)! - 1;
        waitingFor.set(dependent, left);
        if (left === 0) ready.push(dependent);
      }
      settled?.(graph.nodes.get(id)!, outcome);
    };
    const fail = (id: string, error: unknown) => {
      bug ??= { error };
      settle(id, "failed");
    };
    const start = (id: string) => {
      const blocked = [...graph.dependencies.get(id)!].some((to) => outcomes.get(to) !== "done");
      if (blocked || signal?.aborted || bug) return settle(id, "skipped");
      try {
        const result = visit(graph.nodes.get(id)!, id);
        if (typeof result !== "object") return settle(id, outcomeOf(result));
        running++;
        result
          .then(
            (visited) => settle(id, outcomeOf(visited)),
            (error: unknown) => fail(id, error),
          )
          .finally(() => {
            running--;
            advance();
          });
      } catch (error) {
        fail(id, error);
      }
    };
    const advance = () => {
      while (next < ready.length) start(ready[next++]!);
      if (running > 0) return;
      if (bug) reject(bug.error);
      else resolve(outcomes);
    };
    advance();
  });
}
