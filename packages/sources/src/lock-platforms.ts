import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chooseVersion } from "./choose-version.ts";
import { sourceError } from "./errors.ts";
import { fetchPackage } from "./fetch-package.ts";
import type { SourceHttp } from "./http.ts";
import type { InstallFailure, ProviderNeed } from "./install-providers.ts";
import type { LockedProvider, Locks } from "./lock-file.ts";
import { hashFolder, hashZipContents } from "./package-hash.ts";
import type { Platform } from "./platform.ts";
import { constraintsText } from "./provider-constraints.ts";
import type { PackageOffer, PackageTrust, ProviderOrigin } from "./provider-origin.ts";
import { type ProviderSource, providerSourceText } from "./provider-source.ts";

export interface LockOptions {
  readonly origin: ProviderOrigin;
  readonly http: SourceHttp;
  readonly locks: Locks;
  readonly platforms: readonly Platform[];
  readonly tell: (event: LockEvent) => Promise<void>;
}

export type LockEvent = { readonly source: ProviderSource; readonly version: string; readonly platform: Platform } & (
  | { readonly kind: "fetching" }
  | { readonly kind: "retrieved"; readonly trust: PackageTrust }
  | { readonly kind: "noted"; readonly change: "new provider" | "new checksums" | "nothing" }
);

export interface LockResult {
  /** What was there, and what was added. */
  readonly locks: Locks;
  readonly failures: readonly (InstallFailure & { readonly platform: Platform })[];
}

/** Notes the checksums of providers' packages for several platforms. Nothing is installed. */
export async function lockPlatforms(needs: readonly ProviderNeed[], options: LockOptions): Promise<LockResult> {
  const locks = new Map(options.locks);
  const failures: (InstallFailure & { platform: Platform })[] = [];
  for (const platform of options.platforms)
    for (const need of needs) {
      options.http.signal.throwIfAborted();
      try {
        await lockOne(need, platform, locks, options);
      } catch (error) {
        failures.push({ source: need.source, platform, error: sourceError(error) });
      }
    }
  return { locks, failures };
}

async function lockOne(
  need: ProviderNeed,
  platform: Platform,
  locks: Map<string, LockedProvider>,
  { origin, http, tell }: LockOptions,
): Promise<void> {
  const text = providerSourceText(need.source);
  const before = locks.get(text);
  const { version } = await chooseVersion(need, origin, before);
  const at = { source: need.source, version, platform };
  await tell({ ...at, kind: "fetching" });
  const offer = await origin.offer(need.source, version, platform);
  const { hash, trust } = await hashOf(offer, http);
  await tell({ ...at, kind: "retrieved", trust });
  const known = before?.hashes ?? [];
  const added = [hash, ...(trust.kind === "signed" ? trust.hashes : [])].filter((one) => !known.includes(one));
  const change = !before ? "new provider" : added.length > 0 ? "new checksums" : "nothing";
  locks.set(text, { ...at, constraints: constraintsText(need.constraints), hashes: [...known, ...added] });
  await tell({ ...at, kind: "noted", change });
}

async function hashOf(
  offer: PackageOffer,
  http: SourceHttp,
): Promise<{ readonly hash: string; readonly trust: PackageTrust }> {
  if (offer.place.kind === "folder")
    return { hash: await hashFolder(offer.place.path), trust: await offer.check(offer.place.path) };
  const folder = await mkdtemp(join(tmpdir(), "millwright-lock-"));
  try {
    const path = join(folder, "package.zip");
    const trust = await fetchPackage(offer, path, http);
    return { hash: await hashZipContents(path), trust };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
