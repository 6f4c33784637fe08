import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Diagnosed, Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic, hasErrors } from "@millwright/core/diagnostics";
import { parseProviderSource, providerSourceText } from "@millwright/engine/addresses";
import type { ProviderOffer } from "@millwright/engine/ports";

/**
 * The providers that a folder's `*.provider.ts` files export, by source. They run in this process, and hold over any other of the
 * same source.
 */
export async function folderProviders(folder: string): Promise<Diagnosed<ReadonlyMap<string, ProviderOffer>>> {
  // The template of an instance that is to be removed may be gone already.
  const all = existsSync(folder) ? readdirSync(folder) : [];
  const names = all.filter((name) => name.endsWith(".provider.ts"));
  const offers = new Map<string, ProviderOffer>();
  const diagnostics: Diagnostic[] = [];
  const files = new Map<string, string>();
  for (const name of names.sort()) {
    const loaded = await offerOf(join(folder, name), name);
    diagnostics.push(...loaded.diagnostics);
    if (!loaded.value) continue;
    const text = providerSourceText(loaded.value.source);
    const other = files.get(text);
    if (other === undefined) offers.set(text, loaded.value);
    else diagnostics.push(twice(text, other, name));
    files.set(text, name);
  }
  return { value: offers, diagnostics };
}

async function offerOf(path: string, name: string): Promise<Diagnosed<ProviderOffer | undefined>> {
  const { loadProviderFile } = await import("millwright/provider-file");
  const { sourceOf } = await import("millwright/provider-source");
  const { value: provider, diagnostics } = await loadProviderFile(path);
  if (!provider || hasErrors(diagnostics)) return { value: undefined, diagnostics };
  const text = sourceOf(provider);
  const source = parseProviderSource(text);
  if (!source) {
    const detail = `${name} says that its source is ${JSON.stringify(text)}. A source has the form HOST/NAMESPACE/NAME, as example.com/me/${provider.name} has.`;
    return { value: undefined, diagnostics: [errorDiagnostic("Invalid provider source", detail)] };
  }
  const offer: ProviderOffer = {
    source,
    version: provider.version,
    origin: "folder",
    start: async () => provider.start(),
  };
  return { value: offer, diagnostics };
}

function twice(source: string, first: string, second: string): Diagnostic {
  const detail = `${first} and ${second} both are ${source}. Keep one, or give one another source.`;
  return errorDiagnostic("Two providers of one source", detail);
}
