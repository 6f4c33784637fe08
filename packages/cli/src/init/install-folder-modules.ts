import type { Diagnostic } from "@millwright/core/diagnostics";
import { hasErrors } from "@millwright/core/diagnostics";
import type { Configuration, ModuleCall } from "@millwright/engine/configuration";
import type { ModuleResolver, ResolvedModule } from "@millwright/engine/load/module-resolver";
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
import type { Session } from "../terraform/session.ts";
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
}

/**
 * Installs the modules that a folder calls, and those that they call, and notes all of them. What cannot be installed is among the
 * diagnostics; the configuration is what could be read.
 */
export async function installFolderModules(installation: ModuleInstallation): Promise<LoadedFolder> {
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
  for (let round = 0; ; round++) {
    const wanted = new Map<string, ModuleNeed>();
    const folder = await readConfiguration(session, occurrences, collecting(installed, wanted));
    if (round === 0 && folder.configuration.root.calls.size > 0) await installation.begin?.();
    if (wanted.size === 0 || failed.length > 0) {
      const { diagnostics } = folder;
      if (!hasErrors([...diagnostics, ...failed]))
        await noteModules(installation, folder.configuration, before, installed);
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

function versionOf({ version }: ModuleCall): { readonly version?: string } {
  return version === undefined ? {} : { version };
}

// Every module is noted, those beside too. Folders of modules that are called no more stay until they are in the way.
async function noteModules(
  { session, output }: ModuleInstallation,
  configuration: Configuration,
  before: ModuleManifest,
  installed: ModuleManifest,
): Promise<void> {
  const { data } = sourceSettings(session);
  const notes = new Map<string, InstalledModule>([["", { key: "", source: "", folder: "." }]]);
  for (const module of configuration.modules.values())
    for (const call of module.calls.values()) {
      const names = [...module.names, call.name];
      const key = names.join(".");
      const child = configuration.modules.get(names.map((name) => `module.${name}`).join("."));
      if (!child) continue;
      const source = parseModuleSource(call.source);
      const note = {
        key,
        source: source.kind === "bad" ? call.source : moduleSourceText(source),
        folder: child.folder,
      };
      notes.set(key, installed.get(key) ?? note);
      const noted = before.get(key);
      const isNew = noted?.source !== note.source || noted.folder !== note.folder;
      if (source.kind === "local" && isNew) await output.line(`- ${key} in ${child.folder}`);
    }
  if (notes.size > 1 || before.size > 0) writeManifest(data, notes);
}

function eventText(event: ModuleEvent): string {
  if (event.kind === "installed") return `- ${event.key} in ${event.folder}`;
  return `Downloading ${event.package}${event.version === undefined ? "" : ` ${event.version}`} for ${event.key}...`;
}
