import { providerSourceText } from "@millwright/engine/addresses";
import { allowsProvider } from "@millwright/sources/provider-constraints";
import type { ProviderFolder } from "@millwright/sources/provider-folder";
import type { ProviderNeed } from "@millwright/sources/install-providers";
import type { Locks } from "@millwright/sources/lock-file";
import { parseVersion } from "@millwright/text/versions";
import type { SessionProviders } from "../terraform/registry.ts";

export interface ChoicePorts {
  readonly providers: SessionProviders;
  readonly locks: Locks;
  readonly installed: ProviderFolder;
}

/**
 * How a provider is served that nothing has to be installed for; undefined where init has to look after it.
 *
 * A provider of which the folder has a package, or that the lock file pins to another version, is the real one: then nothing built
 * in stands for it. Else what is built in serves, where the constraints allow its version; a folder that needs nothing else
 * needs no init.
 */
export function isServedWithoutInstall(need: ProviderNeed, ports: ChoicePorts): string | undefined {
  const { providers, locks, installed } = ports;
  const text = providerSourceText(need.source);
  const offer = providers.registry.find(need.source);
  if (providers.unmanaged.has(text)) return "is given from outside, and not installed";
  if (offer?.origin === "folder") return "is written in this folder";
  if (offer?.origin !== "built-in" || installed.versions(need.source).length > 0) return undefined;
  const lock = locks.get(text);
  if (lock && lock.version !== offer.version) return undefined;
  const version = parseVersion(offer.version);
  return version && allowsProvider(need.constraints, version) ? `v${offer.version} is built in` : undefined;
}
