import type { ConfigNode } from "../config-graph.ts";
import type { Graph } from "../graph.ts";
import { GraphBuilder } from "../graph.ts";
import { absoluteResourceText, configResourceText, wholeProviderConfig } from "../addresses.ts";
import type { InstanceChange, Plan } from "../plan/plan.ts";
import { endsAndMakes } from "../plan/plan.ts";
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
  const destroys = action === "delete" || (endsAndMakes(action) && !change.keepsOld);
  const deposes = action === "create-delete" ? newDeposedKey() : undefined;
  const destroy = destroyId(change, deposes ?? change.deposedKey);
  if (destroys) {
    const deposedKey = deposes ?? change.deposedKey;
    builder.add(
      destroy,
      deposedKey === undefined ? { kind: "destroy", change } : { kind: "destroy", change, deposedKey },
    );
    builder.depend(destroy, wholeProviderConfig(change.provider).text);
    builder.add(destroyedId(nodeId), { kind: "destroyed" });
    builder.depend(destroyedId(nodeId), destroy);
  }
  if (action === "delete") return destroy;
  const make = makeId(change);
  builder.add(make, deposes === undefined ? { kind: "make", change } : { kind: "make", change, deposes });
  builder.depend(make, wholeProviderConfig(change.provider).text);
  for (const to of config.dependencies.get(nodeId) ?? []) builder.depend(make, to);
  builder.depend(nodeId, make);
  if (destroys) {
    if (deposes === undefined) builder.depend(make, destroy);
    else builder.depend(destroy, make);
  }
  return destroys ? destroy : undefined;
}

/** What the destroys of one resource wait for. */
interface Waits {
  /** Ends of what depends on it, by node, each with the provider that brings it about. */
  readonly ends: Map<string, string>;
  /** Nodes of what has to move to the new object first. */
  readonly moves: Set<string>;
}

function orderDestroys(
  builder: GraphBuilder<ApplyNode>,
  plan: Plan,
  config: Graph<ConfigNode>,
  destroys: ReadonlyMap<InstanceChange, string>,
): void {
  const madeFirst = new Set(plan.changes.filter((change) => change.createBeforeDestroy).map(configIdOf));
  const waits = new Map<string, Waits>();
  for (const change of plan.changes) {
    const id = configIdOf(change);
    const { action } = change;
    if (action === "no-op" || action === "forget") continue;
    for (const needed of madeAfter(plan, change)) {
      if (needed === id || !builder.has(destroyedId(needed))) continue;
      let wait = waits.get(needed);
      if (!wait) waits.set(needed, (wait = { ends: new Map(), moves: new Set() }));
      // What depends on an object is destroyed before it.
      if (destroys.has(change)) wait.ends.set(destroyedId(id), change.provider.text);
      if (action === "delete") continue;
      // The old object is kept until what depends on it has moved to the new one.
      if (madeFirst.has(needed)) wait.moves.add(config.nodes.has(id) ? id : makeId(change));
      else if (action !== "create-delete") builder.depend(makeId(change), destroyedId(needed));
    }
  }
  const acrossProviders: [string, string][] = [];
  for (const [change, destroy] of destroys) {
    const { ends, moves } = waits.get(configIdOf(change)) ?? noWaits;
    for (const move of moves) builder.depend(destroy, move);
    for (const [end, provider] of ends) {
      if (provider === change.provider.text) builder.depend(destroy, end);
      else acrossProviders.push([destroy, end]);
    }
  }
  // A provider that is configured by an object needs the new one to destroy what it manages: then that order goes first.
  for (const [destroy, end] of acrossProviders) if (!builder.reaches(end, destroy)) builder.depend(destroy, end);
}

const noWaits: Waits = { ends: new Map(), moves: new Set() };

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
