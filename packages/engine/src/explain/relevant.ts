import { formatPath, type Path } from "@millwright/value/path";
import { resourceText, rootModule, staticModule } from "../addresses.ts";
import type { Configuration } from "../configuration.ts";
import type { InstanceChange, Plan } from "../plan/plan.ts";
import { referencesOf, referencesOfBody } from "../references.ts";
import type { OriginScope } from "./origins.ts";
import { originsOf, resourceOrigins } from "./origins.ts";

/** A part of a resource that something which is going to change takes a value from. */
export interface RelevantAttribute {
  /** In its module instance, without an instance key. */
  readonly resource: string;
  readonly attribute: Path;
}

/** The parts of resources that the changes of a plan take values from: what of all that has drifted is worth a word. */
export function relevantAttributes(
  configuration: Configuration,
  { changes, outputs, expansions }: Pick<Plan, "changes" | "outputs" | "expansions">,
): RelevantAttribute[] {
  const scope: OriginScope = { configuration, calls: expansions.calls };
  const found = new Map<string, RelevantAttribute>();
  const take = (origins: ReturnType<typeof originsOf>) => {
    for (const { text, path } of resourceOrigins(origins))
      found.set(`${text}${formatPath(path)}`, { resource: text, attribute: path });
  };
  for (const change of changes) if (change.action !== "no-op") take(originsOfChange(scope, change));
  for (const [name, { action }] of outputs) {
    const output = configuration.root.outputs.get(name);
    if (action === "no-op" || !output) continue;
    take(originsOf(scope, referencesOf(output.value), rootModule, { kind: "single" }));
  }
  return [...found.values()];
}

function originsOfChange(scope: OriginScope, { address }: InstanceChange) {
  const module = scope.configuration.modules.get(staticModule(address.module));
  const resource = module?.resources.get(resourceText(address.resource));
  if (!resource) return [];
  const { body, repetition } = resource;
  const own = originsOf(scope, referencesOfBody(body), address.module, repetition);
  if (repetition.kind === "single") return own;
  return [...own, ...originsOf(scope, referencesOf(repetition.expression), address.module, { kind: "single" })];
}
