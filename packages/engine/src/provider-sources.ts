import type { ProviderSource } from "./addresses.ts";
import { parseProviderConfigAddress } from "./addresses.ts";
import type { Configuration } from "./configuration.ts";
import { providerOfResource } from "./provider-config.ts";
import type { State } from "./state.ts";

/** Every provider that the configuration or the state has something of. */
export function sourcesOf(configuration: Configuration, state: State): ProviderSource[] {
  const sources: ProviderSource[] = [];
  for (const module of configuration.modules.values()) {
    for (const requirement of module.requiredProviders.values()) sources.push(requirement.source);
    for (const resource of module.resources.values())
      sources.push(providerOfResource(configuration, module, resource).address.source);
  }
  for (const resource of state.resources.values()) {
    const address = parseProviderConfigAddress(resource.provider);
    if (address) sources.push(address.source);
  }
  return sources;
}
