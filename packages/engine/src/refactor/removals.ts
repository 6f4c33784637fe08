import type { ModuleInstance, ResourceAddress } from "../addresses.ts";
import { configResourceText } from "../addresses.ts";
import type { Configuration, Module } from "../configuration.ts";
import { covers } from "../plan/targets.ts";
import type { RemovedBlock } from "./blocks.ts";
import type { Endpoint } from "./endpoint.ts";

/** The `removed` block that speaks of a resource no longer declared: the nearest, where several do. */
export function removalOf(
  configuration: Configuration,
  module: ModuleInstance,
  resource: ResourceAddress,
): RemovedBlock | undefined {
  const text = configResourceText(module, resource);
  let best: { readonly block: RemovedBlock; readonly length: number } | undefined;
  for (const declaring of configuration.modules.values()) {
    for (const block of declaring.removed) {
      const removed = removedText(declaring, block.from);
      if (covers(removed, text) && removed.length > (best?.length ?? -1)) best = { block, length: removed.length };
    }
  }
  return best?.block;
}

/** What a `removed` block names, as seen from the root. */
export function removedText(module: Module, { text }: Endpoint): string {
  return module.path === "" ? text : `${module.path}.${text}`;
}
