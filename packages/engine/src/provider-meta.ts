import type { Diagnosed, Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import { decode } from "@millwright/hcl/decode";
import { emptyScope } from "@millwright/hcl/scope";
import type { Provider } from "@millwright/provider/protocol";
import type { Value } from "@millwright/value/value";
import type { ProviderSource } from "./addresses.ts";
import { providerSourceShort, providerSourceText } from "./addresses.ts";
import type { Configuration, Module, ProviderMetaBlock } from "./configuration.ts";
import { specOf } from "./decode-body.ts";
import { sourceOfLocalName } from "./provider-config.ts";
import type { ProviderPool } from "./provider-pool.ts";

/** What is wrong with the `provider_meta` blocks of a configuration: an unfit body, or a provider that takes none. */
export function checkProviderMeta(configuration: Configuration, pool: ProviderPool): Diagnostic[] {
  return [...configuration.modules.values()].flatMap((module) =>
    module.providerMeta.flatMap((block) => decodeMeta(module, block, pool).diagnostics),
  );
}

/** The provider, which is told with each call what the module of the object says of itself in `provider_meta`. */
export function withProviderMeta(
  provider: Provider,
  module: Module | undefined,
  source: ProviderSource,
  pool: ProviderPool,
): Provider {
  const wanted = providerSourceText(source);
  const block = module?.providerMeta.find(
    ({ localName }) => providerSourceText(sourceOfLocalName(module, localName)) === wanted,
  );
  const providerMeta = block && module && decodeMeta(module, block, pool).value;
  if (!providerMeta) return provider;
  return overlaid(provider, {
    readResource: (call) => provider.readResource({ ...call, providerMeta }),
    planResourceChange: (call) => provider.planResourceChange({ ...call, providerMeta }),
    applyResourceChange: (call) => provider.applyResourceChange({ ...call, providerMeta }),
    readDataSource: (call) => provider.readDataSource({ ...call, providerMeta }),
  });
}

/** The provider with some calls made otherwise; it may be an object of any class. */
function overlaid(provider: Provider, calls: Partial<Provider>): Provider {
  const others = new Map<string | symbol, unknown>(Object.entries(calls));
  return new Proxy(provider, {
    get: (target, name) => {
      const member: unknown = others.get(name) ?? Reflect.get(target, name);
      return typeof member === "function" && !others.has(name) ? member.bind(target) : member;
    },
  });
}

function decodeMeta(module: Module, block: ProviderMetaBlock, pool: ProviderPool): Diagnosed<Value | undefined> {
  const source = sourceOfLocalName(module, block.localName);
  const schema = pool.schema(source)?.providerMeta;
  if (schema) return decode(block.body, specOf(schema.block), emptyScope);
  const detail = `The provider ${providerSourceShort(source)} does not take metadata of modules. Remove the block.`;
  const summary = `Provider ${providerSourceShort(source)} doesn't support provider_meta`;
  return { value: undefined, diagnostics: [errorDiagnostic(summary, detail, { subject: block.range })] };
}
