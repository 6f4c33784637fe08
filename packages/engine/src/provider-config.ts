import type { ProviderConfigAddress, ProviderSource } from "./addresses.ts";
import { impliedProviderSource, providerConfigAddress, providerSourceText } from "./addresses.ts";
import type { Expression } from "@millwright/hcl/ast";
import type { Configuration, Module, ProviderBlock, ProviderReference, Resource } from "./configuration.ts";

/** Which configuration of a provider serves something, and the block that writes it (none: an empty configuration). */
export interface ResolvedProvider {
  readonly address: ProviderConfigAddress;
  readonly module: Module;
  readonly block?: ProviderBlock;
  /** Which of the configuration's instances, and the module on the way in whose words that is said. */
  readonly key?: { readonly expression: Expression; readonly module: Module };
}

/** The provider a resource names, or the one its type's first word implies. */
export function providerOfResource(configuration: Configuration, module: Module, resource: Resource): ResolvedProvider {
  const localName = resource.provider?.localName ?? impliedLocalName(resource.address.type);
  return withKey(
    resolveProvider(configuration, module, localName, resource.provider?.alias),
    resource.provider,
    module,
  );
}

// The nearest to the configuration counts: what is handed in by a caller has its instance already.
function withKey(
  resolved: ResolvedProvider,
  reference: ProviderReference | undefined,
  module: Module,
): ResolvedProvider {
  return resolved.key || !reference?.key ? resolved : { ...resolved, key: { expression: reference.key, module } };
}

export function impliedLocalName(resourceType: string): string {
  return resourceType.split("_", 1)[0]!;
}

/** What a local provider name stands for in a module. */
export function sourceOfLocalName(module: Module, localName: string): ProviderSource {
  return module.requiredProviders.get(localName)?.source ?? impliedProviderSource(localName);
}

/**
 * The configuration that `localName` (with `alias`) means in a module: its own block, what the caller hands in by
 * `providers`, or, without an alias, what the caller itself uses for the same source; in the end the root's default.
 */
export function resolveProvider(
  configuration: Configuration,
  module: Module,
  localName: string,
  alias: string | undefined,
): ResolvedProvider {
  const source = sourceOfLocalName(module, localName);
  const key = alias === undefined ? localName : `${localName}.${alias}`;
  const block = module.providers.get(key);
  const address = providerConfigAddress(module.path, source, alias);
  if (block && !(isProxy(block) && module.path !== "")) return { address, module, block };
  if (module.path === "") return { address, module };
  const caller = callerOf(configuration, module);
  const call = caller.calls.get(module.names.at(-1)!)!;
  const handed = call.providers.get(key);
  if (handed) return withKey(resolveProvider(configuration, caller, handed.localName, handed.alias), handed, caller);
  if (alias !== undefined) return block ? { address, module, block } : { address, module };
  return inherited(configuration, caller, source);
}

// Every module but the root has one.
function callerOf(configuration: Configuration, module: Module): Module {
  const path = module.names.slice(0, -1).map((name) => `module.${name}`);
  return configuration.modules.get(path.join("."))!;
}

// A module that has nothing to do with a source hands on what it is called in.
function inherited(configuration: Configuration, module: Module, source: ProviderSource): ResolvedProvider {
  const localName = localNameOf(module, source);
  if (localName !== undefined) return resolveProvider(configuration, module, localName, undefined);
  if (module.path === "") return { address: providerConfigAddress("", source), module };
  const caller = callerOf(configuration, module);
  return inherited(configuration, caller, source);
}

/** An empty block, by which modules of old said that they want a configuration handed in. */
export function isProxy({ body, forEach }: ProviderBlock): boolean {
  const { json } = body;
  if (forEach || body.attributes.size > 0 || body.blocks.length > 0) return false;
  return json === undefined || (json.kind === "jsonObject" && json.properties.every(({ name }) => name === "alias"));
}

/** `aws` or `aws.west`: how a module's provider blocks are keyed. */
export function providerKeyText({ localName, alias }: Pick<ProviderReference, "localName" | "alias">): string {
  return alias === undefined ? localName : `${localName}.${alias}`;
}

/** By which local name a module knows a source; undefined where that name means another one there. */
function localNameOf(module: Module, source: ProviderSource): string | undefined {
  const wanted = providerSourceText(source);
  for (const requirement of module.requiredProviders.values()) {
    if (providerSourceText(requirement.source) === wanted) return requirement.localName;
  }
  return providerSourceText(sourceOfLocalName(module, source.type)) === wanted ? source.type : undefined;
}
