import { defaultRegistry, providerSourceText, tofuRegistry } from "@millwright/sources/provider-source";
import { parseProviderConfigAddress, providerConfigAddress } from "../addresses.ts";
import type { ResourceState, State } from "../state.ts";

/**
 * A state with its providers named as they are asked for here: a state of OpenTofu names by the host of its own registry what
 * Terraform's registry serves too, and OpenTofu reads ours the other way round. What is asked for by that host in full, which
 * `inFull` gives as `providerSourceText`, stays as it is; it is called only where there is such a provider.
 */
export function withDefaultRegistry(state: State, inFull: () => ReadonlySet<string>): State {
  let asked: ReadonlySet<string> | undefined;
  const renamed = (resource: ResourceState): ResourceState => {
    const provider = parseProviderConfigAddress(resource.provider);
    if (provider?.source.host !== tofuRegistry) return resource;
    asked ??= inFull();
    if (asked.has(providerSourceText(provider.source))) return resource;
    const { module, alias, key } = provider;
    const source = { ...provider.source, host: defaultRegistry };
    return { ...resource, provider: providerConfigAddress(module, source, alias, key).text };
  };
  const resources = [...state.resources].map(([text, resource]) => [text, renamed(resource)] as const);
  return asked ? { ...state, resources: new Map(resources) } : state;
}
