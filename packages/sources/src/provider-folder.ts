import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { LockedProvider } from "./lock-file.ts";
import { hashFolder } from "./package-hash.ts";
import { currentPlatform, type Platform, platformText } from "./platform.ts";
import { type ProviderSource, providerSourceText } from "./provider-source.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Where a folder keeps what is installed for it: `.terraform`, or what `TF_DATA_DIR` names. Absolute, as `folder` is. */
export function dataFolder(folder: string, env: Environment): string {
  const given = env["TF_DATA_DIR"];
  if (!given) return join(folder, ".terraform");
  return given.startsWith("/") ? given : join(folder, given);
}

/** Packages of providers as Terraform keeps them: `HOST/NAMESPACE/TYPE/VERSION/OS_ARCH/`, each a folder or a link to one. */
export class ProviderFolder {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** Where the package of a version is, or would be. */
  packagePath(source: ProviderSource, version: string, platform: Platform = currentPlatform): string {
    return join(this.path, providerSourceText(source), version, platformText(platform));
  }

  has(source: ProviderSource, version: string): boolean {
    return isFolder(this.packagePath(source, version));
  }

  /** The versions of a provider that are here for this platform. */
  versions(source: ProviderSource): readonly string[] {
    const folder = join(this.path, providerSourceText(source));
    if (!isFolder(folder)) return [];
    return readdirSync(folder).filter((version) => this.has(source, version));
  }

  /** Whether the package that a lock pins is here, and is one of those that the lock allows. */
  async holds(lock: LockedProvider): Promise<"missing" | "other" | "locked"> {
    if (!this.has(lock.source, lock.version)) return "missing";
    if (lock.hashes.length === 0) return "locked";
    const hash = await hashFolder(this.packagePath(lock.source, lock.version));
    return lock.hashes.includes(hash) ? "locked" : "other";
  }
}

/** The program in a provider's package: `terraform-provider-TYPE` with whatever behind it; undefined where there is none. */
export function programIn(folder: string, source: ProviderSource): string | undefined {
  if (!isFolder(folder)) return undefined;
  const prefix = `terraform-provider-${source.type}`;
  const isProgram = (name: string) => name.startsWith(prefix) && /^([_.]|$)/.test(name.slice(prefix.length));
  const name = readdirSync(folder)
    .sort()
    .find((one) => isProgram(one) && statSync(join(folder, one)).isFile());
  return name === undefined ? undefined : join(folder, name);
}

function isFolder(path: string): boolean {
  return existsSync(path) && statSync(path).isDirectory();
}
