import { OperationalError } from "@millwright/core/errors";
import { parseVersion } from "@millwright/text/versions";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { sourceErrors } from "./errors.ts";
import { type Platform, parsePlatform, platformText } from "./platform.ts";
import type { OfferedVersions, PackageOffer, PackagePlace, ProviderOrigin } from "./provider-origin.ts";
import { parseProviderSource, type ProviderSource, providerSourceText } from "./provider-source.ts";

/**
 * A folder of provider packages, packed (`HOST/NAMESPACE/TYPE/terraform-provider-TYPE_VERSION_OS_ARCH.zip`) or not
 * (`HOST/NAMESPACE/TYPE/VERSION/OS_ARCH/`). Source: Terraform's documentation of filesystem mirrors.
 */
export class FolderOrigin implements ProviderOrigin {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async versions(source: ProviderSource): Promise<OfferedVersions> {
    const found = this.packages(source);
    if (found.length === 0) throw unknown(source, this.#folder);
    return { versions: [...new Set(found.map(({ version }) => version))], warnings: [] };
  }

  async offer(source: ProviderSource, version: string, platform: Platform): Promise<PackageOffer> {
    const wanted = platformText(platform);
    const found = this.packages(source).find((one) => one.version === version && platformText(one.platform) === wanted);
    if (!found) {
      const message = `provider ${providerSourceText(source)} ${version} is not available for ${wanted}.`;
      throw new OperationalError(sourceErrors.otherPlatform, message);
    }
    return { source, version, platform, place: found.place, check: async () => ({ kind: "unauthenticated" }) };
  }

  /** All packages of a provider; of those of one version and platform, the unpacked one is first. */
  packages(source: ProviderSource): readonly FoundPackage[] {
    const folder = join(this.#folder, source.host, source.namespace, source.type);
    const unpacked = names(folder).flatMap((version) => unpackedIn(join(folder, version), version));
    return [...unpacked, ...names(folder).flatMap((name) => packedAs(folder, name, source.type))];
  }

  /** Every provider that there is a package of. */
  sources(): readonly ProviderSource[] {
    const below = (path: string) =>
      names(join(this.#folder, path)).map((name) => (path === "" ? name : `${path}/${name}`));
    const texts = below("").flatMap(below).flatMap(below);
    return texts.flatMap((text) => {
      const source = parseProviderSource(text);
      return source && this.packages(source).length > 0 ? [source] : [];
    });
  }
}

export interface FoundPackage {
  readonly version: string;
  readonly platform: Platform;
  readonly place: Exclude<PackagePlace, { kind: "url" }>;
}

function unpackedIn(folder: string, version: string): FoundPackage[] {
  if (!parseVersion(version)) return [];
  return names(folder).flatMap((name) => {
    const platform = parsePlatform(name);
    const path = join(folder, name);
    return platform && statSync(path).isDirectory() ? [{ version, platform, place: { kind: "folder", path } }] : [];
  });
}

function packedAs(folder: string, name: string, type: string): FoundPackage[] {
  const prefix = `terraform-provider-${type}_`;
  if (!name.startsWith(prefix) || !name.endsWith(".zip")) return [];
  const [version = "", ...rest] = name.slice(prefix.length, -".zip".length).split("_");
  const platform = parsePlatform(rest.join("_"));
  if (!platform || !parseVersion(version)) return [];
  return [{ version, platform, place: { kind: "file", path: join(folder, name) } }];
}

function names(folder: string): string[] {
  if (!existsSync(folder) || !statSync(folder).isDirectory()) return [];
  return readdirSync(folder).sort();
}

function unknown(source: ProviderSource, folder: string): OperationalError {
  const message = `provider ${providerSourceText(source)} was not found in ${folder}.`;
  return new OperationalError(sourceErrors.notFound, message);
}
