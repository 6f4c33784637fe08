import { readdirSync } from "node:fs";
import type { Diagnostic } from "@millwright/core/diagnostics";
import { hasErrors } from "@millwright/core/diagnostics";
import type { Configuration } from "@millwright/engine/configuration";
import { loadConfiguration } from "@millwright/engine/load";
import { moduleManifestName } from "@millwright/engine/load/installed-modules";
import type { ModuleResolver } from "@millwright/engine/load/module-resolver";
import { filesBelow, RecordingFiles } from "@millwright/engine/node-files";
import type { Files } from "@millwright/engine/ports";
import { checkTerraformVersion } from "@millwright/engine/requirements";
import type { VariableSource } from "@millwright/engine/variables";
import { manifestPath } from "@millwright/sources/module-manifest";
import { developmentOverrides } from "../init/development-overrides.ts";
import { sourceSettings } from "../init/source-settings.ts";
import { unmetProviders } from "../init/unmet-providers.ts";
import type { GivenFlag } from "./options.ts";
import { providersOf } from "./registry.ts";
import { staticOptions } from "./run-context.ts";
import { variableSources } from "./variable-sources.ts";
import { loadWithStacks, stackNames } from "./module-stacks.ts";
import type { Session } from "./session.ts";
import type { StackSource } from "./stacks.ts";

/** A folder's configuration as it was read, and what a saved plan keeps of it. */
export interface LoadedFolder {
  readonly configuration: Configuration;
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly diagnostics: readonly Diagnostic[];
  readonly stack?: StackSource;
  /** Where it is not what lies in the folder, but was kept by an earlier run. */
  readonly kept?: KeptFolder;
}

/** What an earlier run kept of a folder beside its files. */
export interface KeptFolder {
  readonly variables: readonly VariableSource[];
  /** What its TypeScript needs to be run again. */
  readonly contribution?: string;
}

/**
 * Reads the configuration of the session's folder, TypeScript stacks included. Sources of modules may be made from variables,
 * so what was given for those on the command line belongs to it.
 */
export async function loadFolder(
  session: Session,
  occurrences: readonly GivenFlag[] = [],
  added?: AddedFile,
): Promise<LoadedFolder> {
  const read = await readConfiguration(session, occurrences, undefined, added);
  const { diagnostics: provided } = await providersOf(session);
  const { diagnostics: settings } = sourceSettings(session);
  const isReadable = !hasErrors([...read.diagnostics, ...provided]);
  const unmet = isReadable ? await unmetRequirements(session, read.configuration) : [];
  return { ...read, diagnostics: [...settings, ...read.diagnostics, ...provided, ...unmet] };
}

/**
 * Reads the configuration alone, whatever the folder has of what that needs. `modules` says where modules are; what init has
 * noted where not given.
 */
export async function readConfiguration(
  session: Session,
  occurrences: readonly GivenFlag[],
  modules?: ModuleResolver,
  added?: AddedFile,
): Promise<LoadedFolder> {
  const onDisk = filesOfSession(session);
  const files = new RecordingFiles(added ? withFile(onDisk, added) : onDisk);
  const root = await readStacks(session);
  const { sources } = variableSources(session, occurrences);
  const known = staticOptions(session, sources);
  const options = {
    tofuFiles: true,
    static: known,
    ...(modules ? { modules } : {}),
  };
  const { loaded, stack } = await loadWithStacks(session, root, (contribution) =>
    loadConfiguration(files, contribution ? { ...options, contribution } : options),
  );
  for (const note of stack?.notes ?? []) await session.io.stderr(`${note}\n`);
  session.log.write("info", "configuration read", { folder: session.folder, modules: loaded.value.modules.size });
  const all = [...(stack?.diagnostics ?? []), ...loaded.diagnostics];
  return { configuration: loaded.value, files: files.snapshot, diagnostics: all, ...(stack ? { stack } : {}) };
}

/**
 * The files of the session's folder. What init notes of modules is read under one name, wherever TF_DATA_DIR has it, so that saved
 * plans have it under that name.
 */
export function filesOfSession(session: Session): Files {
  const files = filesBelow(session.folder);
  const noted = manifestPath(sourceSettings(session).data);
  return { ...files, read: (path) => files.read(path === moduleManifestName ? noted : path) };
}

async function unmetRequirements(session: Session, configuration: Configuration): Promise<Diagnostic[]> {
  const version = checkTerraformVersion(configuration);
  if (hasErrors(version)) return version;
  return [...version, ...developmentOverrides(session), ...(await unmetProviders(session, [configuration]))];
}

/** A file that belongs to a folder's configuration though it is not in the folder. */
export interface AddedFile {
  /** Without a way: as if it were in the folder itself. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

function withFile(files: Files, { name, bytes }: AddedFile): Files {
  return {
    read: (path) => (path === name ? bytes : files.read(path)),
    list: (folder) => {
      const names = files.list(folder);
      return names && folder === "." ? [...new Set([...names, name])].sort() : names;
    },
  };
}

async function readStacks(session: Session): Promise<StackSource | undefined> {
  const names = stackNames(session.folder);
  if (names.length === 0) return undefined;
  const { runStacks } = await import("./stacks.ts");
  return runStacks(session.folder, names);
}

/** Whether a folder holds anything to work on. */
export function hasConfiguration(folder: string): boolean {
  return readdirSync(folder).some((name) => /\.(tf|tofu)(\.json)?$|\.stack\.ts$/.test(name));
}
