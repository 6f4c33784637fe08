import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
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
import { readVariablesFile } from "@millwright/engine/variables-file";
import { manifestPath } from "@millwright/sources/module-manifest";
import { developmentOverrides } from "../init/development-overrides.ts";
import { sourceSettings } from "../init/source-settings.ts";
import { unmetProviders } from "../init/unmet-providers.ts";
import type { GivenFlag } from "./options.ts";
import { providersOf } from "./registry.ts";
import { staticOptions } from "./run-context.ts";
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

/**
 * Where the values of variables come from, weakest first: the environment, terraform.tfvars, *.auto.tfvars, then -var and
 * -var-file in the order they were given.
 */
export function variableSources(
  session: Session,
  occurrences: readonly GivenFlag[],
): { readonly sources: VariableSource[]; readonly diagnostics: Diagnostic[] } {
  if (session.instance) return { sources: [...session.instance.inputs], diagnostics: [] };
  const diagnostics: Diagnostic[] = [];
  const sources: VariableSource[] = [];
  for (const [name, text] of Object.entries(session.io.env)) {
    if (name.startsWith("TF_VAR_") && text !== undefined)
      sources.push({ kind: "environment", name: name.slice(7), text });
  }
  const files: Files = filesBelow(session.folder);
  const readFile = (name: string) => {
    const read = readVariablesFile(files, name);
    diagnostics.push(...read.diagnostics);
    if (read.value) sources.push({ kind: "file", filename: name, attributes: read.value });
  };
  const names = readdirSync(session.folder).sort();
  for (const name of ["terraform.tfvars", "terraform.tfvars.json"])
    if (existsSync(join(session.folder, name))) readFile(name);
  for (const name of names) if (/\.auto\.tfvars(\.json)?$/.test(name)) readFile(name);
  for (const { name, text } of occurrences) {
    if (name === "var-file") readFile(text);
    else if (name === "var") {
      const at = text.indexOf("=");
      if (at > 0) sources.push({ kind: "command-line", name: text.slice(0, at).trim(), text: text.slice(at + 1) });
      else diagnostics.push(badVar(text));
    }
  }
  return { sources, diagnostics };
}

function badVar(text: string): Diagnostic {
  return {
    severity: "error",
    summary: "Invalid -var option",
    detail: `The given -var option ${JSON.stringify(text)} is not correctly specified. It must be a variable name and value separated by an equals sign, like -var="key=value".`,
  };
}
