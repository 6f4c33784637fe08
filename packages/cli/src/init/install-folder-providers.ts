import type { Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic, hasErrors, warningDiagnostic } from "@millwright/core/diagnostics";
import {
  builtinTerraform,
  type ProviderSource,
  providerSourceShort,
  providerSourceText,
} from "@millwright/engine/addresses";
import type { Configuration } from "@millwright/engine/configuration";
import { sourcesOf } from "@millwright/engine/provider-sources";
import type { State } from "@millwright/engine/state";
import { emptyState } from "@millwright/engine/state";
import { originOfFolders } from "@millwright/sources/chosen-origin";
import {
  type InstallEvent,
  type InstallFailure,
  installProviders,
  type ProviderNeed,
} from "@millwright/sources/install-providers";
import { type LockedProvider, lockFileName, type Locks, sameLocks } from "@millwright/sources/lock-file";
import { currentPlatform, platformText } from "@millwright/sources/platform";
import type { PackageTrust } from "@millwright/sources/provider-origin";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Session } from "../terraform/session.ts";
import { providersOf } from "../terraform/registry.ts";
import { progressText } from "./download-progress.ts";
import { readLocks, writeLocks } from "./folder-locks.ts";
import type { InitOutput } from "./init-output.ts";
import { providerNeeds } from "./provider-needs.ts";
import { isServedWithoutInstall } from "./provider-choice.ts";
import { sourceSettings } from "./source-settings.ts";

export interface ProviderInstallation {
  readonly session: Session;
  /** The folder's own, and those of modules that its tests name. */
  readonly configurations: readonly Configuration[];
  /** What is still there, though nothing declares it any more. */
  readonly state?: State;
  readonly output: InitOutput;
  readonly upgrade: boolean;
  /** Whether the lock file may not be changed. */
  readonly readonlyLock: boolean;
  /** Folders that alone are asked; where none is given, what the user has set. */
  readonly pluginFolders: readonly string[];
}

/** Installs the providers that a folder needs and that nothing built in serves, and notes them in its lock file. */
export async function installFolderProviders(installation: ProviderInstallation): Promise<Diagnostic[]> {
  const { session, configurations, state, output, upgrade, pluginFolders } = installation;
  const settings = sourceSettings(session);
  const locks = readLocks(session.folder);
  const needs = providerNeeds(configurations, state);
  const diagnostics = [...locks.diagnostics, ...needs.diagnostics];
  if (hasErrors(diagnostics)) return diagnostics;
  const providers = await providersOf(session);
  const wanted: ProviderNeed[] = [];
  const kept = new Map<string, LockedProvider>();
  await tellBuiltin(installation);
  for (const [text, need] of needs.value) {
    const served = isServedWithoutInstall(need, { providers, locks: locks.value, installed: settings.installed });
    const lock = locks.value.get(text);
    if (served && lock && lock.hashes.length > 0) kept.set(text, lock);
    if (served) await output.line(`- ${providerSourceShort(need.source)} ${served}`, `${text} ${served}`);
    else wanted.push(need);
  }
  notePluginFolders(settings.data, pluginFolders);
  const { pluginCache } = settings.config;
  const result = await installProviders(wanted, {
    origin: pluginFolders.length > 0 ? originOfFolders(pluginFolders) : await settings.origin(),
    http: settings.http,
    locks: locks.value,
    installed: settings.installed,
    upgrade,
    tell: async (event) => {
      if (event.kind === "warning") diagnostics.push(registryWarning(event.source, event.text));
      await tell(event, output);
    },
    ...(pluginCache ? { cache: pluginCache } : {}),
  });
  diagnostics.push(...result.failures.map((failure) => failureDiagnostic(failure, session)));
  if (result.failures.length > 0) return diagnostics;
  const incomplete = result.incomplete.map(providerSourceShort);
  const after = new Map([...kept, ...result.locks]);
  return [...diagnostics, ...(await keepLocks(installation, locks.value, after, incomplete))];
}

async function tellBuiltin({ configurations, state, output }: ProviderInstallation): Promise<void> {
  const text = providerSourceText(builtinTerraform);
  const sources = configurations.flatMap((configuration) => sourcesOf(configuration, state ?? emptyState));
  const isUsed = sources.some((source) => providerSourceText(source) === text);
  if (isUsed) await output.line(`- ${text} is built in to ${output.name}`, `${text} is built in to ${output.name}`);
}

async function keepLocks(
  { session, output, readonlyLock }: ProviderInstallation,
  before: Locks,
  after: Locks,
  incomplete: readonly string[],
): Promise<Diagnostic[]> {
  if (sameLocks(before, after)) return [];
  if (readonlyLock) {
    const onlyHashes = sameLocks(withoutHashes(before), withoutHashes(after));
    const again = `To use and record these requirements, run "${session.style} init" without the "-lockfile=readonly" flag.`;
    if (!onlyHashes) {
      const detail = `Changes to the required provider dependencies were detected, but the lock file is read-only. ${again}`;
      return [errorDiagnostic("Provider dependency changes detected", detail)];
    }
    const detail = `More checksums of provider packages are known than the lock file has, and it is read-only. ${again}`;
    return [warningDiagnostic("Provider lock file not updated", detail)];
  }
  const isNew = !existsSync(join(session.folder, lockFileName));
  writeLocks(session.folder, after);
  const text = isNew
    ? `The versions chosen above are recorded in the lock file ${lockFileName}.\nKeep it with the configuration in version control: then every later init, here and\nelsewhere, makes the same choices.`
    : `The lock file ${lockFileName} has changed. Look at the changes, and keep\nthem in version control if they are meant.`;
  await output.paragraph(isNew ? "lock_info" : "dependencies_lock_changes_info", text);
  return incomplete.length === 0 ? [] : [incompleteLock(session, incomplete)];
}

function withoutHashes(locks: Locks): Locks {
  return new Map([...locks].map(([text, lock]) => [text, { ...lock, hashes: [] }]));
}

function incompleteLock({ style }: Session, providers: readonly string[]): Diagnostic {
  const platform = platformText(currentPlatform);
  const list = providers.map((text) => `  - ${text}\n`).join("");
  const detail = `These providers came from a place that does not sign them for all platforms, so their checksums were calculated here, for ${platform} only:\n${list}\nOn another platform they could not be installed by this lock file. To add its checksums, run:\n  ${style} providers lock -platform=${platform}\n(where ${platform} is the platform to add)`;
  return warningDiagnostic("Incomplete lock file information for providers", detail);
}

function failureDiagnostic({ source, version, error }: InstallFailure, { style }: Session): Diagnostic {
  const short = providerSourceShort(source);
  if (version !== undefined)
    return errorDiagnostic(
      "Failed to install provider",
      `Error while installing ${short} v${version}: ${error.message}`,
    );
  const detail = `Could not retrieve the list of available versions for provider ${short}: ${error.message}\n\nTo see which modules need ${short} in which versions, run:\n    ${style} providers`;
  return errorDiagnostic("Failed to query available provider packages", detail);
}

function registryWarning(source: ProviderSource, text: string): Diagnostic {
  const detail = `The registry of ${providerSourceShort(source)} says of it:\n- ${text}`;
  return warningDiagnostic("Additional provider information from registry", detail);
}

// Terraform keeps them for its own later runs.
function notePluginFolders(data: string, folders: readonly string[]): void {
  const path = join(data, "plugin_path");
  if (folders.length === 0) return rmSync(path, { force: true });
  mkdirSync(data, { recursive: true });
  writeFileSync(path, JSON.stringify(folders, null, 2));
}

async function tell(event: InstallEvent, output: InitOutput): Promise<void> {
  const name = providerSourceShort(event.source);
  switch (event.kind) {
    case "reusing":
      return output.line(
        `- Reusing previous version of ${name} from the dependency lock file`,
        `${name}: Reusing previous version from the dependency lock file`,
      );
    case "finding":
      return event.constraints === ""
        ? output.line(`- Finding latest version of ${name}...`, `${name}: Finding latest version...`)
        : output.line(
            `- Finding ${name} versions matching "${event.constraints}"...`,
            `Finding matching versions for provider: ${name}, version_constraint: "${event.constraints}"`,
          );
    case "warning":
      return;
    case "there":
      return output.line(
        `- Using previously-installed ${name} v${event.version}`,
        `${name} v${event.version}: Using previously-installed provider version`,
      );
    case "cached":
      return output.line(
        `- Using ${name} v${event.version} from the shared cache directory`,
        `${name} v${event.version}: Using from the shared cache directory`,
      );
    case "installing":
      return output.line(
        `- Installing ${name} v${event.version}...`,
        `Installing provider version: ${name} v${event.version}...`,
      );
    case "downloading":
      return output.line(
        `- Downloading ${name} v${event.version}: ${progressText(event.progress)}`,
        `${name} v${event.version}: downloaded ${progressText(event.progress)}`,
      );
    case "installed":
      return output.line(
        `- Installed ${name} v${event.version} (${trustText(event.trust)})`,
        `Installed provider version: ${name} v${event.version} (${trustText(event.trust)})`,
      );
  }
}

/** How much is known of who made a package, as people read it. */
export function trustText(trust: PackageTrust): string {
  switch (trust.kind) {
    case "unauthenticated":
      return "unauthenticated";
    case "checksum":
      return "verified checksum";
    case "signed":
      return trust.by === "hashicorp" ? "signed by HashiCorp" : `self-signed, key ID ${trust.keyId}`;
  }
}
