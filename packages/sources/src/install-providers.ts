import type { OperationalError } from "@millwright/core/errors";
import { chooseVersion } from "./choose-version.ts";
import { sourceError } from "./errors.ts";
import { linkFolder, placePackage } from "./fetch-package.ts";
import type { DownloadProgress, SourceHttp } from "./http.ts";
import type { LockedProvider, Locks } from "./lock-file.ts";
import { hashFolder } from "./package-hash.ts";
import { currentPlatform } from "./platform.ts";
import { constraintsText, type ProviderConstraints } from "./provider-constraints.ts";
import { ProviderFolder } from "./provider-folder.ts";
import type { PackageTrust, ProviderOrigin } from "./provider-origin.ts";
import { type ProviderSource, providerSourceText } from "./provider-source.ts";

/** What a folder needs of one provider. */
export interface ProviderNeed {
  readonly source: ProviderSource;
  readonly constraints: ProviderConstraints;
}

export interface InstallOptions {
  readonly origin: ProviderOrigin;
  readonly http: SourceHttp;
  readonly locks: Locks;
  /** The folder's own packages. */
  readonly installed: ProviderFolder;
  /** Packages that several folders share; the folder's are links to them. */
  readonly cache?: { readonly folder: string; readonly mayBreakLockFile: boolean };
  /** Whether newer versions than the locked ones are looked for. */
  readonly upgrade: boolean;
  readonly tell: (event: InstallEvent) => Promise<void>;
}

/** What is told while providers are installed, in this order for each of them. */
export type InstallEvent = { readonly source: ProviderSource } & (
  | { readonly kind: "reusing" }
  | { readonly kind: "finding"; readonly constraints: string }
  | { readonly kind: "warning"; readonly text: string }
  | { readonly kind: "there"; readonly version: string }
  | { readonly kind: "cached"; readonly version: string; readonly folder: string }
  | { readonly kind: "installing"; readonly version: string }
  /** Now and then, while a package is on its way for long. */
  | { readonly kind: "downloading"; readonly version: string; readonly progress: DownloadProgress }
  | { readonly kind: "installed"; readonly version: string; readonly trust: PackageTrust }
);

export interface InstallResult {
  /** The locks as they are now: of providers that are needed no more, none. */
  readonly locks: Locks;
  /** Providers of which only this platform's package has a noted checksum. */
  readonly incomplete: readonly ProviderSource[];
  readonly failures: readonly InstallFailure[];
}

export interface InstallFailure {
  readonly source: ProviderSource;
  /** Set where a version was found, and could not be installed. */
  readonly version?: string;
  readonly error: OperationalError;
}

/**
 * Chooses a version of each provider, the locked one where there is one, and installs what is not there. Where a version cannot
 * be found for one of them, nothing is installed. Only operational errors are failures; all else is thrown.
 */
export async function installProviders(
  needs: readonly ProviderNeed[],
  options: InstallOptions,
): Promise<InstallResult> {
  const installation = new Installation(options);
  const sorted = [...needs].sort((a, b) => (providerSourceText(a.source) < providerSourceText(b.source) ? -1 : 1));
  const chosen: { readonly need: ProviderNeed; readonly version: string }[] = [];
  for (const need of sorted) {
    const version = await installation.attempt(need.source, undefined, () => installation.choose(need));
    if (version !== undefined) chosen.push({ need, version });
  }
  if (installation.failures.length === 0)
    for (const { need, version } of chosen)
      await installation.attempt(need.source, version, () => installation.install(need, version));
  const { locks, incomplete, failures } = installation;
  return { locks, incomplete, failures };
}

class Installation {
  readonly locks = new Map<string, LockedProvider>();
  readonly incomplete: ProviderSource[] = [];
  readonly failures: InstallFailure[] = [];
  readonly #options: InstallOptions;

  constructor(options: InstallOptions) {
    this.#options = options;
  }

  async attempt<T>(
    source: ProviderSource,
    version: string | undefined,
    work: () => Promise<T>,
  ): Promise<T | undefined> {
    this.#options.http.signal.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      this.failures.push({ source, error: sourceError(error), ...(version === undefined ? {} : { version }) });
      return undefined;
    }
  }

  async choose(need: ProviderNeed): Promise<string> {
    const { source, constraints } = need;
    const { locks, upgrade, tell, origin } = this.#options;
    const lock = upgrade ? undefined : locks.get(providerSourceText(source));
    if (!lock) await tell({ kind: "finding", source, constraints: constraintsText(constraints) });
    const { version, warnings } = await chooseVersion(need, origin, lock);
    if (lock) await tell({ kind: "reusing", source });
    for (const text of warnings) await tell({ kind: "warning", source, text });
    return version;
  }

  async install(need: ProviderNeed, version: string): Promise<void> {
    const { source } = need;
    const { installed, locks, tell } = this.#options;
    const before = locks.get(providerSourceText(source));
    const lock = before?.version === version ? before : undefined;
    if (lock && lock.hashes.length > 0 && (await installed.holds(lock)) === "locked") {
      await tell({ kind: "there", source, version });
      return this.#note(need, version, lock.hashes);
    }
    if (await this.#fromCache(need, version, lock)) return;
    await tell({ kind: "installing", source, version });
    const trust = await this.#fetch(source, version, lock?.hashes ?? []);
    await tell({ kind: "installed", source, version, trust });
    const own = await hashFolder(installed.packagePath(source, version));
    const signed = trust.kind === "signed" ? trust.hashes : [];
    const hashes = [...(lock?.hashes ?? []), own, ...signed];
    if (signed.length === 0 && !lock) this.incomplete.push(source);
    this.#note(need, version, hashes);
  }

  async #fetch(source: ProviderSource, version: string, noted: readonly string[]): Promise<PackageTrust> {
    const { origin, installed, cache, tell } = this.#options;
    const http = this.#options.http.telling((progress) => tell({ kind: "downloading", source, version, progress }));
    const offer = await origin.offer(source, version, currentPlatform);
    const target = installed.packagePath(source, version);
    if (!cache) return placePackage(offer, noted, { path: target, http });
    const shared = new ProviderFolder(cache.folder).packagePath(source, version);
    const trust = await placePackage(offer, noted, { path: shared, http });
    await linkFolder(shared, target);
    return trust;
  }

  // What is shared is taken only where the lock file says that it is right, unless the user lets that be.
  async #fromCache(need: ProviderNeed, version: string, lock: LockedProvider | undefined): Promise<boolean> {
    const { cache, installed, tell } = this.#options;
    const { source } = need;
    if (!cache) return false;
    const shared = new ProviderFolder(cache.folder);
    if (!shared.has(source, version)) return false;
    const path = shared.packagePath(source, version);
    const isLocked = lock !== undefined && lock.hashes.length > 0 && (await shared.holds(lock)) === "locked";
    if (!isLocked && !(cache.mayBreakLockFile && (lock?.hashes.length ?? 0) === 0)) return false;
    await tell({ kind: "cached", source, version, folder: cache.folder });
    await linkFolder(path, installed.packagePath(source, version));
    if (!isLocked) this.incomplete.push(source);
    this.#note(need, version, [...(lock?.hashes ?? []), await hashFolder(path)]);
    return true;
  }

  #note({ source, constraints }: ProviderNeed, version: string, hashes: readonly string[]): void {
    const lock = { source, version, constraints: constraintsText(constraints), hashes };
    this.locks.set(providerSourceText(source), lock);
  }
}
