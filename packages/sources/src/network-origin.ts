import { OperationalError } from "@millwright/core/errors";
import type { ServiceDiscovery } from "./discovery.ts";
import { sourceErrors } from "./errors.ts";
import { objectIn, textIn, textsIn } from "./json-fields.ts";
import { matchesAny } from "./package-hash.ts";
import { type Platform, platformText } from "./platform.ts";
import type { OfferedVersions, PackageOffer, PackageTrust, ProviderOrigin } from "./provider-origin.ts";
import { type ProviderSource, providerSourceText } from "./provider-source.ts";

/**
 * A mirror of providers of any registry, on a server of files.
 * Source: Terraform's documentation of the provider network mirror protocol.
 */
export class NetworkOrigin implements ProviderOrigin {
  readonly #discovery: ServiceDiscovery;
  readonly #base: URL;

  /** `base` ends with a slash. */
  constructor(discovery: ServiceDiscovery, base: URL) {
    this.#discovery = discovery;
    this.#base = base;
  }

  async versions(source: ProviderSource): Promise<OfferedVersions> {
    const { value } = await this.#json(source, "index.json");
    return { versions: Object.keys(objectIn(objectIn(value)?.["versions"]) ?? {}), warnings: [] };
  }

  async offer(source: ProviderSource, version: string, platform: Platform): Promise<PackageOffer> {
    const { value, url } = await this.#json(source, `${encodeURIComponent(version)}.json`);
    const archive = objectIn(objectIn(objectIn(value)?.["archives"])?.[platformText(platform)]);
    const name = textIn(archive?.["url"]);
    if (name === undefined || !URL.canParse(name, url.href)) {
      const message = `provider ${providerSourceText(source)} ${version} is not available for ${platformText(platform)}.`;
      throw new OperationalError(sourceErrors.otherPlatform, message);
    }
    const hashes = textsIn(archive?.["hashes"]);
    const place = { kind: "url", url: new URL(name, url.href) } as const;
    return { source, version, platform, place, check: (path) => check(path, hashes, source, version) };
  }

  async #json(source: ProviderSource, name: string): Promise<{ readonly value: unknown; readonly url: URL }> {
    const path = [source.host, source.namespace, source.type].map((part) =>
      encodeURIComponent(part).replaceAll("%3A", ":"),
    );
    const url = new URL(`${path.join("/")}/${name}`, this.#base);
    const request = await this.#discovery.authorized(this.#base.host);
    return this.#discovery.http.json(url, `provider ${providerSourceText(source)}`, request);
  }
}

async function check(
  path: string,
  hashes: readonly string[],
  source: ProviderSource,
  version: string,
): Promise<PackageTrust> {
  if (hashes.length === 0) return { kind: "unauthenticated" };
  if (await matchesAny(path, "packed", hashes)) return { kind: "checksum" };
  const message = `The mirror's package of ${providerSourceText(source)} ${version} has none of the checksums that the mirror says. Nothing of it was kept; ask who runs the mirror.`;
  throw new OperationalError(sourceErrors.untrusted, message);
}
