import { OperationalError } from "@millwright/core/errors";
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { type CliConfig, configFolder, type InstallationMethod } from "./cli-config.ts";
import type { ServiceDiscovery } from "./discovery.ts";
import { sourceErrors } from "./errors.ts";
import { FolderOrigin } from "./folder-origin.ts";
import { NetworkOrigin } from "./network-origin.ts";
import type { Platform } from "./platform.ts";
import type { OfferedVersions, PackageOffer, ProviderOrigin } from "./provider-origin.ts";
import { isAskedFor } from "./provider-pattern.ts";
import { type ProviderSource, providerSourceText } from "./provider-source.ts";
import { RegistryOrigin } from "./registry-origin.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Where providers come from by a user's settings: the places of `provider_installation`, else registries and local mirrors. */
export function chosenOrigin(
  config: CliConfig,
  discovery: ServiceDiscovery,
  where: { readonly env: Environment; readonly folder: string },
): ProviderOrigin {
  const methods = config.installation?.length ? config.installation : impliedMethods(where);
  return new ChosenOrigin(methods.map((method) => ({ method, origin: originOf(method, discovery) })));
}

/** The registries that providers are named after, whatever a user has set. */
export function originOfRegistries(discovery: ServiceDiscovery): ProviderOrigin {
  return new RegistryOrigin(discovery);
}

/** A network mirror given on the command line. `url` ends with a slash. */
export function originOfMirror(discovery: ServiceDiscovery, url: URL): ProviderOrigin {
  return new NetworkOrigin(discovery, url);
}

/** Folders given on the command line, which alone are asked. */
export function originOfFolders(folders: readonly string[]): ProviderOrigin {
  return new ChosenOrigin(
    folders.map((folder) => ({
      method: { kind: "filesystem", folder, include: [], exclude: [] },
      origin: new FolderOrigin(folder),
    })),
  );
}

interface Place {
  readonly method: InstallationMethod;
  readonly origin: ProviderOrigin;
}

class ChosenOrigin implements ProviderOrigin {
  readonly #places: readonly Place[];

  constructor(places: readonly Place[]) {
    this.#places = places;
  }

  async versions(source: ProviderSource): Promise<OfferedVersions> {
    const found: OfferedVersions[] = [];
    let missing: OperationalError | undefined;
    for (const { origin } of this.#askedFor(source)) {
      try {
        found.push(await origin.versions(source));
      } catch (error) {
        if (!isAbsent(error)) throw error;
        missing ??= error;
      }
    }
    if (found.length === 0) throw missing ?? notAskedFor(source);
    return {
      versions: [...new Set(found.flatMap(({ versions }) => versions))],
      warnings: found.flatMap(({ warnings }) => warnings),
    };
  }

  async offer(source: ProviderSource, version: string, platform: Platform): Promise<PackageOffer> {
    let missing: OperationalError | undefined;
    for (const { origin } of this.#askedFor(source)) {
      try {
        return await origin.offer(source, version, platform);
      } catch (error) {
        if (!isAbsent(error)) throw error;
        missing ??= error;
      }
    }
    throw missing ?? notAskedFor(source);
  }

  #askedFor(source: ProviderSource): readonly Place[] {
    return this.#places.filter(({ method }) => isAskedFor(method, source));
  }
}

function isAbsent(error: unknown): error is OperationalError {
  const absent = [sourceErrors.notFound.code, sourceErrors.otherPlatform.code] as readonly string[];
  return error instanceof OperationalError && absent.includes(error.kind.code);
}

function notAskedFor(source: ProviderSource): OperationalError {
  const message = `none of the places that provider_installation names is asked for ${providerSourceText(source)}. Look at their include and exclude patterns.`;
  return new OperationalError(sourceErrors.notFound, message);
}

function originOf(method: InstallationMethod, discovery: ServiceDiscovery): ProviderOrigin {
  switch (method.kind) {
    case "direct":
      return new RegistryOrigin(discovery);
    case "filesystem":
      return new FolderOrigin(method.folder);
    case "network":
      return new NetworkOrigin(discovery, new URL(method.url));
  }
}

// Without settings: local folders by convention, and registries for all that is in none of them.
function impliedMethods({ env, folder }: { readonly env: Environment; readonly folder: string }): InstallationMethod[] {
  const home = env["HOME"] ?? homedir();
  const data = env["XDG_DATA_HOME"] || join(home, ".local", "share");
  const shared = (env["XDG_DATA_DIRS"] || "/usr/local/share:/usr/share").split(delimiter);
  const folders = [
    join(folder, "terraform.d", "plugins"),
    join(configFolder(env), "plugins"),
    ...[data, ...shared].map((path) => join(path, "terraform", "plugins")),
  ].filter((path) => existsSync(path));
  const local = folders.map(
    (path): InstallationMethod => ({ kind: "filesystem", folder: path, include: [], exclude: [] }),
  );
  const exclude = folders.flatMap((path) => new FolderOrigin(path).sources());
  return [...local, { kind: "direct", include: [], exclude }];
}
