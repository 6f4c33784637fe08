import type { Diagnosed, Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import { type ProviderSource, providerSourceText } from "@millwright/engine/addresses";
import type { Configuration } from "@millwright/engine/configuration";
import { sourcesOf } from "@millwright/engine/provider-sources";
import { emptyState, type State } from "@millwright/engine/state";
import type { ProviderNeed } from "@millwright/sources/install-providers";
import { parseProviderConstraints, type ProviderConstraints } from "@millwright/sources/provider-constraints";

/**
 * What configurations, and the state where one is given, need of each provider: the constraints of all modules together, by
 * `providerSourceText`. What is built into Terraform itself is left out: it has no version.
 */
export function providerNeeds(
  configurations: readonly Configuration[],
  state: State = emptyState,
): Diagnosed<ReadonlyMap<string, ProviderNeed>> {
  const diagnostics: Diagnostic[] = [];
  const needs = new Map<string, { source: ProviderSource; constraints: ProviderConstraints }>();
  for (const source of configurations.flatMap((configuration) => sourcesOf(configuration, state)))
    if (source.host !== "terraform.io") needs.set(providerSourceText(source), { source, constraints: [] });
  for (const module of configurations.flatMap(({ modules }) => [...modules.values()]))
    for (const { source, versions, range, versionRange } of module.requiredProviders.values()) {
      const need = needs.get(providerSourceText(source));
      for (const text of versions) {
        const constraints = parseProviderConstraints(text);
        if (need && constraints) need.constraints = [...need.constraints, ...constraints];
        if (!constraints) diagnostics.push(badConstraint(text, versionRange ?? range));
      }
    }
  return { value: needs, diagnostics };
}

function badConstraint(text: string, subject: NonNullable<Diagnostic["subject"]>): Diagnostic {
  const detail = `"${text}" is not a version constraint. One looks like "~> 1.2", ">= 1.0, < 2.0" or "1.11.4".`;
  return errorDiagnostic("Invalid version constraint", detail, { subject });
}
