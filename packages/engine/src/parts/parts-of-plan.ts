import { configResourceText } from "../addresses.ts";
import { configGraph, nodeId } from "../config-graph.ts";
import type { Configuration } from "../configuration.ts";
import { parseAddress } from "../parse-address.ts";
import { isChange, type Plan } from "../plan/plan.ts";
import type { ObjectState, State } from "../state.ts";

/**
 * Which parts of a state a plan is about. A part is a managed resource as the configuration knows it, with all its instances
 * (`module.a.aws_thing.b`), or an output of the root module (`output.name`).
 */
export interface PlanParts {
  /** What carrying it out changes, sorted. */
  readonly changed: readonly string[];
  /** What these are made from, and are not changed themselves, sorted. */
  readonly read: readonly string[];
  /** Data that these are made from. Nobody holds it, since all read it anew; it is put beside them. */
  readonly along: readonly string[];
}

/** The parts of a plan, with the configuration that it was made from. */
export function partsOfPlan(plan: Plan, configuration: Configuration): PlanParts {
  const changed = new Set<string>();
  const needed = new Set<string>();
  for (const change of plan.changes) {
    if (!isChange(change)) continue;
    changed.add(configResourceText(change.address.module, change.address.resource));
    if (change.previousAddress !== undefined) changed.add(partOfInstance(change.previousAddress));
    for (const dependency of change.dependencies) needed.add(dependency);
  }
  for (const part of madeAfter(plan.previousState, leftParts(plan))) changed.add(part);
  for (const text of plan.settled) changed.add(partOfInstance(text));
  for (const [name, { action }] of plan.outputs) if (action !== "no-op") changed.add(outputPart(name));
  for (const id of resourcesBefore(configuration, changed)) needed.add(id);
  const all = [...changed, ...needed];
  return {
    changed: [...changed].filter((part) => !isData(part)).sort(),
    read: [...needed].filter((part) => !changed.has(part) && !isData(part)).sort(),
    along: [...new Set(all.filter(isData))].sort(),
  };
}

export function outputPart(name: string): string {
  return `output.${name}`;
}

/** The part that an instance belongs to, by its address. */
export function partOfInstance(text: string): string {
  const parsed = parseAddress(text);
  return parsed?.kind === "instance" ? configResourceText(parsed.address.module, parsed.address.resource) : text;
}

// Parts that objects are moved away from.
function leftParts({ changes }: Plan): ReadonlySet<string> {
  const left = changes.flatMap(({ address, previousAddress }) => {
    const from = partOfInstance(previousAddress ?? address.text);
    return from === partOfInstance(address.text) ? [] : [from];
  });
  return new Set(left);
}

// Parts with objects that were made after one of these, whose name is another once it has moved.
function madeAfter(state: State, parts: ReadonlySet<string>): string[] {
  if (parts.size === 0) return [];
  const names = (object: ObjectState | undefined) => object?.dependencies.some((name) => parts.has(name));
  return [...state.resources.values()].flatMap(({ module, address, instances }) => {
    const objects = [...instances.values()].flatMap(({ current, deposed }) => [current, ...deposed.values()]);
    return objects.some(names) ? [configResourceText(module, address)] : [];
  });
}

function isData(part: string): boolean {
  return /^(module\.[^.]+\.)*data\./.test(part);
}

// All resources that these come after, through whatever there is between: locals, modules, settings of providers.
function resourcesBefore(configuration: Configuration, parts: ReadonlySet<string>): ReadonlySet<string> {
  const graph = configGraph(configuration);
  const { root } = configuration;
  const outputs = [...root.outputs.keys()].filter((name) => parts.has(outputPart(name)));
  const queue = [
    ...[...parts].filter((part) => graph.nodes.get(part)?.kind === "resource"),
    ...outputs.map((name) => nodeId.output(root, name)),
  ];
  const seen = new Set(queue);
  const found = new Set<string>();
  for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
    for (const to of graph.dependencies.get(id) ?? []) {
      if (seen.has(to)) continue;
      seen.add(to);
      queue.push(to);
      if (graph.nodes.get(to)?.kind === "resource") found.add(to);
    }
  }
  return found;
}
