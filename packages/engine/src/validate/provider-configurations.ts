import type { Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import type { Configuration } from "../configuration.ts";
import { nodeId } from "../config-graph.ts";
import { providerOfResource } from "../provider-config.ts";

/** Resources that name a configuration by an alias which nothing configures: that of the root has no default to fall back to. */
export function missingProviderConfigurations(configuration: Configuration): Diagnostic[] {
  const diagnostics: Diagnostic[] = [];
  for (const module of configuration.modules.values()) {
    for (const resource of module.resources.values()) {
      const { address, block } = providerOfResource(configuration, module, resource);
      if (block || address.alias === undefined) continue;
      const name = nodeId.resource(module, resource);
      const detail = `To work with ${name} its provider configuration at ${address.text} is required, and there is none. Write a provider block with alias = "${address.alias}", or hand such a configuration to the module.`;
      diagnostics.push(errorDiagnostic("Provider configuration not present", detail, { subject: resource.range }));
    }
  }
  return diagnostics;
}
