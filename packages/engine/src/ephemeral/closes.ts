import type { ConfigNode } from "../config-graph.ts";
import type { Graph } from "../graph.ts";
import { GraphBuilder } from "../graph.ts";

/** Closes the instances of one ephemeral resource, after all that could use them. */
export interface CloseNode {
  readonly kind: "close-ephemeral";
  /** Of the resource. */
  readonly resourceId: string;
}

type MaybeConfig = ConfigNode | { readonly kind: "config"; readonly node: ConfigNode } | { readonly kind: string };

/** The graph with a node for each ephemeral resource that comes after everything that depends on it, at any distance. */
export function withCloses<T extends { readonly kind: string }>(graph: Graph<T>): Graph<T | CloseNode> {
  const opened = [...graph.nodes].filter(([, node]) => isEphemeral(node)).map(([id]) => id);
  if (opened.length === 0) return graph;
  const builder = new GraphBuilder<T | CloseNode>();
  const dependents = new Map<string, string[]>();
  for (const [id, node] of graph.nodes) builder.add(id, node);
  for (const [id, all] of graph.dependencies) {
    for (const to of all) {
      builder.depend(id, to);
      const list = dependents.get(to);
      if (list) list.push(id);
      else dependents.set(to, [id]);
    }
  }
  for (const resourceId of opened) {
    const id = `${resourceId} (close)`;
    builder.add(id, { kind: "close-ephemeral", resourceId });
    const users = new Set([resourceId]);
    for (const user of users) for (const next of dependents.get(user) ?? []) users.add(next);
    for (const user of users) builder.depend(id, user);
  }
  return builder.build();
}

/**
 * Ids of what an apply needs that the plan did not keep: from the steps that do something back to ephemeral resources, and
 * the providers of those. What lies behind another resource is in the state.
 */
export function neededAtApply<T extends { readonly kind: string }>(
  graph: Graph<T>,
  starts: (node: T) => boolean,
): ReadonlySet<string> {
  const needed = new Set([...graph.nodes].filter(([, node]) => starts(node)).map(([id]) => id));
  for (const id of needed) {
    const node = graph.nodes.get(id)!;
    if (configOf(node).kind === "resource" && !isEphemeral(node)) continue;
    for (const to of graph.dependencies.get(id) ?? []) needed.add(to);
  }
  return needed;
}

function configOf(node: MaybeConfig): MaybeConfig {
  return "node" in node && node.kind === "config" ? node.node : node;
}

function isEphemeral(node: MaybeConfig): boolean {
  const config = configOf(node);
  return config.kind === "resource" && "resource" in config && config.resource.address.mode === "ephemeral";
}
