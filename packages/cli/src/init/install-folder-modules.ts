import type { Diagnostic } from "@millwright/core/diagnostics";
import { hasErrors } from "@millwright/core/diagnostics";
import { childPath, type Configuration, type Module } from "@millwright/engine/configuration";
import { wrongInput } from "@millwright/engine/load";
import type { ModuleAddress, ModuleResolver, ResolvedModule } from "@millwright/engine/load/module-resolver";
import {
  type InstalledModule,
  type ModuleManifest,
  readManifest,
  writeManifest,
} from "@millwright/sources/module-manifest";
import { ModuleInstaller, type ModuleEvent, type ModuleNeed } from "@millwright/sources/install-modules";
import { ModuleRegistry } from "@millwright/sources/module-registry";
import { moduleSourceText, parseModuleSource } from "@millwright/sources/module-source";
import type { GivenFlag } from "../terraform/options.ts";
import { type LoadedFolder, readConfiguration } from "../terraform/folder.ts";
import { variableSources } from "../terraform/variable-sources.ts";
import { readRunModules, readTestFiles, type RunModule } from "../terraform/run-modules.ts";
import type { Session } from "../terraform/session.ts";
import { progressText } from "./download-progress.ts";
import type { InitOutput } from "./init-output.ts";
import { sourceSettings } from "./source-settings.ts";

export interface ModuleInstallation {
  readonly session: Session;
  readonly occurrences: readonly GivenFlag[];
  readonly output: InitOutput;
  /** Told before the first module is looked after; never where none is called. */
  readonly begin?: () => Promise<void>;
  /** Whether what is there is fetched again, the newest version that is allowed. */
  readonly upgrade: boolean;
  /** Where the folder's tests are, whose runs name modules too; the default where undefined. */
  readonly testDirectory: string | undefined;
}

/** A folder with all of its modules. */
export interface FolderModules extends LoadedFolder {
  readonly runModules: readonly RunModule[];
}

/**
 * Installs the modules that a folder and its tests call, and those that they call, and notes all of them. What cannot be installed is among the
 * diagnostics; the configuration is what could be read.
 */
export async function installFolderModules(installation: ModuleInstallation): Promise<FolderModules> {
  const { session, occurrences, output, upgrade } = installation;
  const { data, discovery, http } = sourceSettings(session);
  const before = readManifest(data);
  const installer = new ModuleInstaller({
    folder: session.folder,
    data,
    registry: new ModuleRegistry(discovery),
    http,
    installed: before,
    upgrade,
    tell: (event) => output.line(eventText(event)),
  });
  const installed = new Map<string, InstalledModule>();
  const failed: Diagnostic[] = [];
  const tests = readTestFiles(session, installation.testDirectory);
  const { sources } = variableSources(session, occurrences);
  for (let round = 0; ; round++) {
    const wanted = new Map<string, ModuleNeed>();
    const resolver = collecting(installed, wanted);
    const read = await readConfiguration(session, occurrences, resolver);
    const { value: runModules, diagnostics: found } = readRunModules(session, tests.value, sources, resolver);
    const all = [...read.diagnostics, ...tests.diagnostics, ...found];
    // What a module is given is looked at by what uses it: it can be installed whatever that is.
    const folder = { ...read, runModules, diagnostics: all.filter(({ code }) => code !== wrongInput) };
    if (round === 0 && read.configuration.root.calls.size + runModules.length + wanted.size > 0)
      await installation.begin?.();
    if (wanted.size === 0 || failed.length > 0) {
      const { diagnostics } = folder;
      if (!hasErrors([...diagnostics, ...failed])) await noteModules(installation, folder, before, installed);
      return { ...folder, diagnostics: [...diagnostics, ...failed] };
    }
    // What cannot be read calls modules that nobody has asked for.
    if (hasErrors(folder.diagnostics)) return folder;
    for (const need of [...wanted.values()].sort((a, b) => (a.key < b.key ? -1 : 1))) {
      const answer = await installer.install(need);
      if ("severity" in answer) failed.push(answer);
      else installed.set(need.key, answer);
    }
  }
}

/** Finds what this run has installed, and collects all other calls. */
function collecting(installed: ModuleManifest, wanted: Map<string, ModuleNeed>): ModuleResolver {
  return (call, names): ResolvedModule => {
    const key = names.join(".");
    const there = installed.get(key);
    if (there) return { kind: "folder", folder: there.folder };
    if (names.length > deepest) {
      const detail = `The calls of modules are more than ${deepest} deep here. A module that calls itself, by whichever address, has no end.`;
      return { kind: "refused", summary: "Module calls itself", detail };
    }
    wanted.set(key, { key, source: call.source, range: call.sourceRange, ...versionOf(call) });
    return { kind: "pending" };
  };
}

const deepest = 30;

function versionOf({ version }: ModuleAddress): { readonly version?: string } {
  return version === undefined ? {} : { version };
}

// Every module is noted, those beside too. Folders of modules that are called no more stay until they are in the way.
async function noteModules(
  { session, output }: ModuleInstallation,
  { configuration, runModules }: FolderModules,
  before: ModuleManifest,
  installed: ModuleManifest,
): Promise<void> {
  const { data } = sourceSettings(session);
  const notes = new Map<string, InstalledModule>([["", { key: "", source: "", folder: "." }]]);
  const note = async (names: readonly string[], address: ModuleAddress, { folder }: Module) => {
    const key = names.join(".");
    const source = parseModuleSource(address.source);
    const text = source.kind === "bad" ? address.source : moduleSourceText(source);
    notes.set(key, installed.get(key) ?? { key, source: text, folder });
    const noted = before.get(key);
    const isNew = noted?.source !== text || noted.folder !== folder;
    if (source.kind === "local" && isNew) await output.line(`- ${key} in ${folder}`);
  };
  const noteBelow = async (names: readonly string[], { modules }: Configuration) => {
    for (const module of modules.values())
      for (const call of module.calls.values()) {
        const child = modules.get(childPath(module, call.name));
        if (child) await note([...names, ...module.names, call.name], call, child);
      }
  };
  await noteBelow([], configuration);
  for (const { names, address, configuration: tested } of runModules) {
    await note(names, address, tested.root);
    await noteBelow(names, tested);
  }
  if (notes.size > 1 || before.size > 0) writeManifest(data, notes);
}

function eventText(event: ModuleEvent): string {
  if (event.kind === "installed") return `- ${event.key} in ${event.folder}`;
  if (event.kind === "progress") return `- ${event.key}: ${progressText(event.progress)}`;
  return `Downloading ${event.package}${event.version === undefined ? "" : ` ${event.version}`} for ${event.key}...`;
}
