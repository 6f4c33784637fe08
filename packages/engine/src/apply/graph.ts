import type { ConfigNode } from "../config-graph.ts";
import type { Graph } from "../graph.ts";
import { GraphBuilder } from "../graph.ts";
import { absoluteResourceText, configResourceText } from "../addresses.ts";
import type { InstanceChange, Plan } from "../plan/plan.ts";
import { isReplace } from "../plan/plan.ts";

/** A step of an apply: what configuration declares, to be evaluated again with real values, or a change. */
export type ApplyNode =
  | { readonly kind: "config"; readonly node: ConfigNode }
  /** Makes, changes or reads one object. */
  | { readonly kind: "make"; readonly change: InstanceChange; readonly deposes?: string }
  /** Destroys one object: a current one, or one that was deposed. */
  | { readonly kind: "destroy"; readonly change: InstanceChange; readonly deposedKey?: string }
  /** Comes after all destroys of one resource. */
  | { readonly kind: "destroyed" };

/**
 * The order of a plan's changes. Its reasons, each an edge:
 * - a change comes after everything its resource refers to, and the resource counts as done after all its changes;
 * - what depends on an object is destroyed before it;
 * - a replacement destroys first, or makes first where it is to be so; then the old object goes after all that depended on
 *   it has been given the new one;
 * - a new object comes after the end of those it (had) depended on, unless they are made first.
 */
export function applyGraph(plan: Plan, config: Graph<ConfigNode>, newDeposedKey: () => string): Graph<ApplyNode> {
  const builder = new GraphBuilder<ApplyNode>();
  for (const [id, node] of config.nodes) builder.add(id, { kind: "config", node });
  for (const [id, all] of config.dependencies) for (const to of all) builder.depend(id, to);
  const destroys = new Map<InstanceChange, string>();
  for (const change of plan.changes) {
    const destroy = addChange(builder, config, change, newDeposedKey);
    if (destroy !== undefined) destroys.set(change, destroy);
  }
  orderDestroys(builder, plan, config, destroys);
  return builder.build();
}

const destroyId = (change: InstanceChange, deposedKey = change.deposedKey) =>
  deposedKey === undefined
    ? `${change.address.text} (destroy)`
    : `${change.address.text} (destroy deposed ${deposedKey})`;

const makeId = (change: InstanceChange) => `${change.address.text} (${change.action === "read" ? "read" : "make"})`;

const destroyedId = (configAddress: string) => `${configAddress} (destroyed)`;

function addChange(
  builder: GraphBuilder<ApplyNode>,
  config: Graph<ConfigNode>,
  change: InstanceChange,
  newDeposedKey: () => string,
): string | undefined {
  const { action } = change;
  if (action === "no-op" || action === "forget") return undefined;
  const nodeId = configResourceText(change.address.module, change.address.resource);
  const destroys = action === "delete" || isReplace(action);
  const deposes = action === "create-delete" ? newDeposedKey() : undefined;
  const destroy = destroyId(change, deposes ?? change.deposedKey);
  if (destroys) {
    const deposedKey = deposes ?? change.deposedKey;
    builder.add(
      destroy,
      deposedKey === undefined ? { kind: "destroy", change } : { kind: "destroy", change, deposedKey },
    );
    builder.depend(destroy, change.provider.text);
    builder.add(destroyedId(nodeId), { kind: "destroyed" });
    builder.depend(destroyedId(nodeId), destroy);
  }
  if (action === "delete") return destroy;
  const make = makeId(change);
  builder.add(make, deposes === undefined ? { kind: "make", change } : { kind: "make", change, deposes });
  builder.depend(make, change.provider.text);
  for (const to of config.dependencies.get(nodeId) ?? []) builder.depend(make, to);
  builder.depend(nodeId, make);
  if (destroys) {
    if (deposes === undefined) builder.depend(make, destroy);
    else builder.depend(destroy, make);
  }
  return destroys ? destroy : undefined;
}

function orderDestroys(
  builder: GraphBuilder<ApplyNode>,
  plan: Plan,
  config: Graph<ConfigNode>,
  destroys: ReadonlyMap<InstanceChange, string>,
): void {
  const madeFirst = new Set<string>();
  for (const change of plan.changes) {
    if (change.createBeforeDestroy) madeFirst.add(configResourceText(change.address.module, change.address.resource));
  }
  const dependents = new Map<string, Set<string>>();
  for (const change of plan.changes) {
    const id = configResourceText(change.address.module, change.address.resource);
    const { action } = change;
    for (const needed of allDependencies(plan, change)) {
      if (needed === id) continue;
      // What depends on an object is destroyed before it.
      if (action === "delete" || isReplace(action)) addTo(dependents, needed, destroyedId(id));
      if (action === "no-op" || action === "delete" || action === "forget") continue;
      if (madeFirst.has(needed)) {
        // The old object is kept until what depends on it has moved to the new one.
        addTo(dependents, needed, config.nodes.has(id) ? id : makeId(change));
      } else if (action !== "create-delete") builder.depend(makeId(change), destroyedId(needed));
    }
  }
  for (const [change, destroy] of destroys) {
    const id = configResourceText(change.address.module, change.address.resource);
    for (const before of dependents.get(id) ?? []) builder.depend(destroy, before);
  }
}

// What an object was made after, and what its configuration now names.
function allDependencies(plan: Plan, change: InstanceChange): ReadonlySet<string> {
  const all = new Set(change.dependencies);
  const text = absoluteResourceText(change.address.module, change.address.resource);
  for (const instance of plan.priorState.resources.get(text)?.instances.values() ?? []) {
    if (instance.key === change.address.key) for (const needed of instance.current?.dependencies ?? []) all.add(needed);
  }
  return all;
}

function addTo(map: Map<string, Set<string>>, key: string, value: string): void {
  const set = map.get(key);
  if (set) set.add(value);
  else map.set(key, new Set([value]));
}
