import type { ConfigNode } from "../config-graph.ts";
import type { Graph } from "../graph.ts";
import { GraphBuilder } from "../graph.ts";
import { absoluteResourceText, configResourceText } from "../addresses.ts";
import type { InstanceChange, Plan } from "../plan/plan.ts";
import { isReplace } from "../plan/plan.ts";
import { keyOf } from "../state.ts";

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
  const nodeId = configIdOf(change);
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

/** That the destroy `from` waits for all of `to`. */
interface Wait {
  readonly from: string;
  readonly to: string;
}

function orderDestroys(
  builder: GraphBuilder<ApplyNode>,
  plan: Plan,
  config: Graph<ConfigNode>,
  destroys: ReadonlyMap<InstanceChange, string>,
): void {
  const madeFirst = new Set<string>();
  const destroysOf = new Map<string, { readonly destroy: string; readonly provider: string }[]>();
  for (const change of plan.changes) {
    const id = configIdOf(change);
    if (change.createBeforeDestroy) madeFirst.add(id);
    const destroy = destroys.get(change);
    if (destroy !== undefined) addTo(destroysOf, id, { destroy, provider: change.provider.text });
  }
  const acrossProviders = new Map<string, Wait>();
  for (const change of plan.changes) {
    const id = configIdOf(change);
    const { action } = change;
    if (action === "no-op" || action === "forget") continue;
    const makes = action !== "delete";
    for (const needed of madeAfter(plan, change)) {
      if (needed === id) continue;
      for (const { destroy, provider } of destroysOf.get(needed) ?? []) {
        // What depends on an object is destroyed before it.
        const wait = { from: destroy, to: destroyedId(id) };
        if (!destroys.has(change)) continue;
        if (provider === change.provider.text) builder.depend(wait.from, wait.to);
        else acrossProviders.set(`${wait.from}|${wait.to}`, wait);
      }
      if (!makes) continue;
      if (madeFirst.has(needed)) {
        // The old object is kept until what depends on it has moved to the new one.
        for (const { destroy } of destroysOf.get(needed) ?? [])
          builder.depend(destroy, config.nodes.has(id) ? id : makeId(change));
      } else if (action !== "create-delete") builder.depend(makeId(change), destroyedId(needed));
    }
  }
  // A provider that is configured by an object needs the new one to destroy what it manages: then that order goes first.
  for (const { from, to } of acrossProviders.values()) if (!builder.reaches(to, from)) builder.depend(from, to);
}

function configIdOf({ address }: InstanceChange): string {
  return configResourceText(address.module, address.resource);
}

// What the object that is there was made after, else what the new one will be.
function madeAfter(plan: Plan, change: InstanceChange): readonly string[] {
  if (change.deposedKey !== undefined) return change.dependencies;
  const text = absoluteResourceText(change.address.module, change.address.resource);
  const stored = plan.priorState.resources.get(text)?.instances.get(keyOf(change.address.key));
  return stored?.current?.dependencies ?? change.dependencies;
}

function addTo<T>(map: Map<string, T[]>, key: string, value: T): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}
