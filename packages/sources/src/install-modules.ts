import type { Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import type { SourceRange } from "@millwright/core/source";
import { parseConstraints } from "@millwright/text/versions";
import { existsSync } from "node:fs";
import { cp, rename, rm } from "node:fs/promises";
import { join, relative } from "node:path";
import { sourceError } from "./errors.ts";
import { fetchModulePackage, folderMeant } from "./fetch-module.ts";
import type { DownloadProgress, SourceHttp } from "./http.ts";
import type { InstalledModule, ModuleManifest } from "./module-manifest.ts";
import { installedFor, type ModuleCallSource } from "./installed-for.ts";
import type { ModuleRegistry } from "./module-registry.ts";
import {
  moduleSourceText,
  type ModuleSource,
  packageText,
  parseModuleSource,
  type RegistrySource,
  type RemoteSource,
  shownSource,
} from "./module-source.ts";
import { unfinishedFor } from "./unfinished.ts";

/** A module call as far as its installation goes. */
export interface ModuleNeed extends ModuleCallSource {
  readonly range: SourceRange;
}

/** What is told while modules are installed. */
export type ModuleEvent =
  | { readonly kind: "downloading"; readonly key: string; readonly package: string; readonly version?: string }
  /** Now and then, while a package is on its way for long. */
  | { readonly kind: "progress"; readonly key: string; readonly progress: DownloadProgress }
  | { readonly kind: "installed"; readonly key: string; readonly folder: string };

export interface ModuleInstallOptions {
  /** The folder that the modules are for; what is installed is noted relative to it. Absolute. */
  readonly folder: string;
  /** Its `.terraform`. Absolute. */
  readonly data: string;
  readonly registry: ModuleRegistry;
  readonly http: SourceHttp;
  readonly installed: ModuleManifest;
  /** Whether what is installed is fetched again, the newest allowed version. */
  readonly upgrade: boolean;
  readonly tell: (event: ModuleEvent) => Promise<void>;
}

/** Installs modules one by one; packages that several calls ask for are fetched once. */
export class ModuleInstaller {
  readonly #options: ModuleInstallOptions;
  /** Packages of this run by their address, and where each lies. */
  readonly #fetched = new Map<string, string>();

  constructor(options: ModuleInstallOptions) {
    this.#options = options;
  }

  /** Installs what a call asks for, unless it is there. A call that cannot be served is a diagnostic. */
  async install(need: ModuleNeed): Promise<InstalledModule | Diagnostic> {
    const source = parseModuleSource(need.source);
    if (source.kind === "bad")
      return mistake(
        "Invalid module source address",
        need,
        `The source "${shownSource(need.source)}" cannot be fetched: ${source.reason}.`,
      );
    if (source.kind === "local")
      return mistake("Invalid module source address", need, "A folder beside is not installed.");
    const constraints = parseConstraints(need.version ?? ">= 0");
    if (!constraints)
      return mistake(
        "Invalid version constraint",
        need,
        `"${need.version}" is not a version constraint. One looks like "~> 1.2", ">= 1.0, < 2.0" or "1.11.4".`,
      );
    if (source.kind === "remote" && need.version !== undefined)
      return mistake(
        "Invalid registry module source address",
        need,
        `The argument "version" is for modules of a registry. Say the version in the address of "${shownSource(need.source)}", as ?ref=v1.2.0 of a repository.`,
      );
    const there = installedFor(need, this.#options.installed);
    if (
      there.kind === "installed" &&
      !this.#options.upgrade &&
      existsSync(join(this.#options.folder, there.module.folder))
    )
      return there.module;
    try {
      if (source.kind === "remote") return await this.#remote(need, source);
      return await this.#fromRegistry(need, source, await this.#options.registry.newest(source, constraints));
    } catch (error) {
      const { message } = sourceError(error);
      const what = source.kind === "registry" ? packageText(source) : moduleSourceText(source);
      return mistake(
        "Failed to download module",
        need,
        `Could not download module "${need.key}" from ${shownSource(what)}: ${message}`,
      );
    }
  }

  async #remote(need: ModuleNeed, source: RemoteSource): Promise<InstalledModule> {
    const whole = packageText(source);
    await this.#options.tell({ kind: "downloading", key: need.key, package: shownSource(whole) });
    return this.#place(need.key, source, source, {});
  }

  async #fromRegistry(need: ModuleNeed, source: RegistrySource, version: string): Promise<InstalledModule> {
    await this.#options.tell({ kind: "downloading", key: need.key, package: packageText(source), version });
    const location = await this.#options.registry.location(source, version);
    const subfolder = [location.subfolder, source.subfolder].filter((part) => part !== "").join("/");
    return this.#place(need.key, source, { ...location, subfolder }, { version });
  }

  async #place(
    key: string,
    source: ModuleSource,
    from: RemoteSource,
    version: { readonly version?: string },
  ): Promise<InstalledModule> {
    const { data, folder, tell } = this.#options;
    const target = join(data, "modules", key);
    const http = this.#options.http.telling((progress) => tell({ kind: "progress", key, progress }));
    const meant = await this.#fetch(from, target, http);
    const module = { key, source: moduleSourceText(source), folder: relative(folder, meant), ...version };
    await tell({ kind: "installed", key, folder: module.folder });
    return module;
  }

  async #fetch(from: RemoteSource, target: string, http: SourceHttp): Promise<string> {
    const whole = packageText(from);
    const before = this.#fetched.get(whole);
    if (before !== undefined) {
      await rm(target, { recursive: true, force: true });
      await cp(before, target, { recursive: true, verbatimSymlinks: true });
      return folderMeant(target, from.subfolder);
    }
    const temporary = await unfinishedFor(target);
    try {
      const fetched = join(temporary, "package");
      const meant = await fetchModulePackage(from, fetched, http);
      await rm(target, { recursive: true, force: true });
      await rename(fetched, target);
      this.#fetched.set(whole, target);
      return join(target, relative(fetched, meant));
    } finally {
      await rm(temporary, { recursive: true, force: true });
    }
  }
}

function mistake(summary: string, { range }: ModuleNeed, detail: string): Diagnostic {
  return errorDiagnostic(summary, detail, { subject: range });
}
