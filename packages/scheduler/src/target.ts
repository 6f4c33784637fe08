import type { Node } from "./snapshot.ts";

/** What one side of a comparison is on a node; undefined where the node does not have it. */
export type Target = (node: Node) => string | undefined;

/**
 * Reads `${attr.kernel.name}`, `${meta.rack}`, `${node.class}` and the other names of a node's properties, also in the form of
 * 2016 without braces; anything else stands for itself.
 */
export function targetOf(text: string): Target {
  const name = /^\$\{\s*([^}]+?)\s*\}$/.exec(text)?.[1] ?? /^\$((?:attr|meta|node)\.\S+)$/.exec(text)?.[1];
  if (name === undefined) return () => text;
  const own = nodeProperties.get(name);
  if (own) return own;
  if (name.startsWith("attr.")) return ({ attributes }) => attributes[name.slice("attr.".length)];
  if (name.startsWith("meta.")) return ({ meta }) => meta[name.slice("meta.".length)];
  return () => undefined;
}

const nodeProperties: ReadonlyMap<string, Target> = new Map<string, Target>([
  ["node.unique.id", ({ id }) => id],
  ["node.unique.name", ({ name }) => name],
  ["node.datacenter", ({ datacenter }) => datacenter],
  ["node.class", ({ nodeClass }) => nodeClass],
  ["node.pool", ({ pool }) => pool],
]);
