import { OperationalError } from "@millwright/core/errors";
import { rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { chooseVersion } from "./choose-version.ts";
import { fetchPackage } from "./fetch-package.ts";
import { FolderOrigin } from "./folder-origin.ts";
import type { SourceHttp } from "./http.ts";
import type { InstallFailure, ProviderNeed } from "./install-providers.ts";
import type { Locks } from "./lock-file.ts";
import { goJson } from "./module-manifest.ts";
import { hashZipContents, matchesAny } from "./package-hash.ts";
import { type Platform, platformText } from "./platform.ts";
import type { PackageTrust, ProviderOrigin } from "./provider-origin.ts";
import { type ProviderSource, providerSourceText } from "./provider-source.ts";
import { unfinishedFor } from "./unfinished.ts";
import { sourceError, sourceErrors } from "./errors.ts";

export interface MirrorOptions {
  /** Where packages are put, a folder that is made where it is not there. */
  readonly folder: string;
  readonly origin: ProviderOrigin;
  readonly http: SourceHttp;
  readonly locks: Locks;
  readonly platforms: readonly Platform[];
  readonly tell: (event: MirrorEvent) => Promise<void>;
}

export type MirrorEvent = { readonly source: ProviderSource } & (
  | { readonly kind: "mirroring" }
  | { readonly kind: "selected"; readonly version: string; readonly why: "lock" | "constraints" }
  | { readonly kind: "downloading"; readonly platform: Platform }
  | { readonly kind: "checked"; readonly trust: PackageTrust }
);

/**
 * Downloads packages of providers into a folder that serves as a filesystem mirror, and as a network mirror when a server gives
 * its files away. Source: Terraform's documentation of `providers mirror` and of the network mirror protocol.
 */
export async function mirrorProviders(
  needs: readonly ProviderNeed[],
  options: MirrorOptions,
): Promise<readonly InstallFailure[]> {
  const failures: InstallFailure[] = [];
  for (const need of needs) {
    options.http.signal.throwIfAborted();
    try {
      await mirrorOne(need, options);
    } catch (error) {
      failures.push({ source: need.source, error: sourceError(error) });
    }
  }
  return failures;
}

async function mirrorOne(need: ProviderNeed, options: MirrorOptions): Promise<void> {
  const { source } = need;
  const { tell, origin, locks, http } = options;
  await tell({ kind: "mirroring", source });
  const lock = locks.get(providerSourceText(source));
  const { version } = await chooseVersion(need, origin, lock);
  await tell({ kind: "selected", source, version, why: lock ? "lock" : "constraints" });
  const folder = join(options.folder, source.host, source.namespace, source.type);
  for (const platform of options.platforms) {
    await tell({ kind: "downloading", source, platform });
    const offer = await origin.offer(source, version, platform);
    const path = join(folder, `terraform-provider-${source.type}_${version}_${platformText(platform)}.zip`);
    const temporary = await unfinishedFor(path);
    try {
      const fetched = join(temporary, "package.zip");
      const trust = await fetchPackage(offer, fetched, http);
      if (lock && lock.hashes.length > 0 && !(await matchesAny(fetched, "packed", lock.hashes)))
        throw new OperationalError(
          sourceErrors.untrusted,
          `the package for ${platformText(platform)} has none of the checksums of the lock file. If it is the one you want, add them with: providers lock -platform=${platformText(platform)}`,
        );
      await rename(fetched, path);
      await tell({ kind: "checked", source, trust });
    } finally {
      await rm(temporary, { recursive: true, force: true });
    }
  }
  await writeIndexes(source, options.folder, folder);
}

// Of all packages that the folder has, those of earlier runs too.
async function writeIndexes(source: ProviderSource, mirror: string, folder: string): Promise<void> {
  const packages = new FolderOrigin(mirror).packages(source).filter(({ place }) => place.kind === "file");
  const versions = [...new Set(packages.map(({ version }) => version))].sort();
  for (const version of versions) {
    const archives: [string, unknown][] = [];
    for (const { platform, place } of packages.filter((one) => one.version === version)) {
      const url = place.path.slice(folder.length + 1);
      archives.push([platformText(platform), { hashes: [await hashZipContents(place.path)], url }]);
    }
    const sorted = Object.fromEntries(archives.sort(([a], [b]) => (a < b ? -1 : 1)));
    await writeFile(join(folder, `${version}.json`), goJson({ archives: sorted }, 2));
  }
  const index = { versions: Object.fromEntries(versions.map((version) => [version, {}])) };
  await writeFile(join(folder, "index.json"), goJson(index, 2));
}
