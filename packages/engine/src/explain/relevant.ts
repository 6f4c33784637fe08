import { formatPath, type Path } from "@millwright/value/path";
import {
  childModule,
  type InstanceKey,
  keyText,
  type ModuleInstance,
  type ResourceAddress,
  resourceText,
  rootModule,
  staticModule,
} from "../addresses.ts";
import { childPath, type Configuration, type Module } from "../configuration.ts";
import { expansionKeys } from "../expansion.ts";
import type { Plan } from "../plan/plan.ts";
import { referencesOf, referencesOfBody } from "../references.ts";
import type { OriginScope } from "./origins.ts";
import { originsOf, resourceOrigins } from "./origins.ts";

/** A part of a resource that something which is going to change takes a value from. */
export interface RelevantAttribute {
  /** In its module, without an instance key; the module's keys are left out where all of its instances are meant. */
  readonly resource: string;
  /** The instance, where one is named. */
  readonly key?: Exclude<InstanceKey, undefined>;
  readonly attribute: Path;
}

/** The parts of resources that the changes of a plan take values from: what of all that has drifted is worth a word. */
export function relevantAttributes(
  configuration: Configuration,
  {
    mode,
    changes,
    outputs,
    expansions,
    priorState,
  }: Pick<Plan, "mode" | "changes" | "outputs" | "expansions" | "priorState">,
): RelevantAttribute[] {
  // Without the keys of calls, what names all instances of a module leads to one resource, not to each.
  const scope: OriginScope = { configuration, calls: new Map() };
  const found = new Map<string, RelevantAttribute>();
  const take = (origins: ReturnType<typeof originsOf>) => {
    for (const { text, key, path } of resourceOrigins(origins)) {
      const relevant = { resource: text, attribute: path, ...(key === undefined ? {} : { key }) };
      found.set(`${text}${keyText(key)}${formatPath(path)}`, relevant);
    }
  };
  for (const change of changes)
    if (change.action !== "no-op") take(originsOfResource(scope, change.address.module, change.address.resource));
  // What was read goes from the state with the rest, though no change says so.
  if (mode === "destroy")
    for (const { module, address } of priorState.resources.values())
      if (address.mode === "data") take(originsOfResource(scope, module, address));
  for (const [name, { action }] of outputs) {
    const output = configuration.root.outputs.get(name);
    if (action === "no-op" || !output) continue;
    take(originsOf(scope, referencesOf(output.value), rootModule, { kind: "single" }));
  }
  // What modules give counts as changed each time, as Terraform has it: no state says what it was.
  if (mode !== "destroy")
    for (const { module, instance } of modulesBelow(configuration, expansions, configuration.root, rootModule))
      for (const { value } of module.outputs.values())
        take(originsOf(scope, referencesOf(value), instance, { kind: "single" }));
  return [...found.values()];
}

function modulesBelow(
  configuration: Configuration,
  expansions: Plan["expansions"],
  module: Module,
  instance: ModuleInstance,
): { readonly module: Module; readonly instance: ModuleInstance }[] {
  return [...module.calls.keys()].flatMap((name) => {
    const child = configuration.modules.get(childPath(module, name));
    const expansion = expansions.calls.get(`${instance.text}|${name}`);
    if (!child || !expansion) return [];
    return expansionKeys(expansion).flatMap((key) => {
      const own = childModule(instance, name, key);
      return [{ module: child, instance: own }, ...modulesBelow(configuration, expansions, child, own)];
    });
  });
}

function originsOfResource(scope: OriginScope, instance: ModuleInstance, address: ResourceAddress) {
  const module = scope.configuration.modules.get(staticModule(instance));
  const resource = module?.resources.get(resourceText(address));
  if (!resource) return [];
  const { body, repetition } = resource;
  const own = originsOf(scope, referencesOfBody(body), instance, repetition);
  if (repetition.kind === "single") return own;
  return [...own, ...originsOf(scope, referencesOf(repetition.expression), instance, { kind: "single" })];
}
