import type { Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import type { Configuration, Module, Resource } from "../configuration.ts";
import { nodeId } from "../config-graph.ts";
import { providerOfResource } from "../provider-config.ts";

/**
 * Resources that name a configuration by an alias which was to be handed in, and which nothing configures. Names that a module
 * does not know are told of where its references to providers are checked.
 */
export function missingProviderConfigurations(configuration: Configuration): Diagnostic[] {
  const diagnostics: Diagnostic[] = [];
  for (const module of configuration.modules.values()) {
    for (const resource of module.resources.values()) {
      const { address, block } = providerOfResource(configuration, module, resource);
      if (block || address.alias === undefined || !isHandedIn(module, resource)) continue;
      const name = nodeId.resource(module, resource);
      const detail = `To work with ${name} its provider configuration at ${address.text} is required, and there is none. Write a provider block with alias = "${address.alias}", or hand such a configuration to the module.`;
      diagnostics.push(errorDiagnostic("Provider configuration not present", detail, { subject: resource.range }));
    }
  }
  return diagnostics;
}

function isHandedIn({ requiredProviders }: Module, { provider }: Resource): boolean {
  const { configurationAliases = [] } = requiredProviders.get(provider?.localName ?? "") ?? {};
  return configurationAliases.some(({ alias }) => alias === provider?.alias);
}
