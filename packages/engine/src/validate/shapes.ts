import type { Diagnostic } from "@millwright/core/diagnostics";
import type { Configuration } from "../configuration.ts";
import { shapeFaults } from "../decode-body.ts";
import { unknownType } from "../plan/resource.ts";
import { providerOfResource } from "../provider-config.ts";
import type { ProviderPool } from "../provider-pool.ts";

/**
 * What is wrong with the bodies of resources whatever their values are: arguments and blocks that their types do not have, or
 * ask for. For configurations with references that lead nowhere, of which nothing can be evaluated: all is told in one run.
 */
export function checkShapes(configuration: Configuration, pool: ProviderPool): Diagnostic[] {
  return [...configuration.modules.values()].flatMap((module) =>
    [...module.resources.values()].flatMap((resource) => {
      const { address } = providerOfResource(configuration, module, resource);
      const schema = pool.resourceSchema(address.source, resource.address);
      return schema ? shapeFaults(resource.body, schema.block) : [unknownType({ pool }, resource, address)];
    }),
  );
}
