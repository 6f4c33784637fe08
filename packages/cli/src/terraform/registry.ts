import { parseProviderSource, providerSourceText } from "@millwright/engine/addresses";
import type { ProviderOffer, ProviderRegistry } from "@millwright/engine/ports";
import type { Plan } from "@millwright/engine/plan";
import { builtinProviders } from "@millwright/providers/registry";

/** The providers that are part of the program, loaded when they are first used. */
export function builtinRegistry(): ProviderRegistry {
  const offers = new Map<string, ProviderOffer>();
  for (const { address, version, load } of builtinProviders) {
    const source = parseProviderSource(address);
    if (source) offers.set(address, { source, version, origin: "built-in", start: load });
  }
  return {
    find: (source) => offers.get(providerSourceText(source)),
    known: () => [...offers.values()].map((offer) => offer.source),
  };
}

/** The versions of the providers that a plan has something of, by source. */
export function providerVersions(plan: Plan): ReadonlyMap<string, string> {
  const registry = builtinRegistry();
  const versions = new Map<string, string>();
  for (const { provider } of plan.changes) {
    const offer = registry.find(provider.source);
    if (offer) versions.set(providerSourceText(provider.source), offer.version);
  }
  return versions;
}
