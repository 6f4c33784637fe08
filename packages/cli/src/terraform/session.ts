import { existsSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Diagnostic } from "@millwright/core/diagnostics";
import { hasErrors } from "@millwright/core/diagnostics";
import { systemChance, systemClock } from "@millwright/core/ports";
import { LocalState } from "@millwright/engine/backend/local-state";
import type { StateLock } from "@millwright/engine/backend/lock";
import { lockState } from "@millwright/engine/backend/lock";
import type { Configuration } from "@millwright/engine/configuration";
import type { EvaluatorContext } from "@millwright/engine/evaluator";
import { loadConfiguration } from "@millwright/engine/load";
import { filesBelow, RecordingFiles } from "@millwright/engine/node-files";
import type { Files, RunListener, RunPorts } from "@millwright/engine/ports";
import { ProviderPool } from "@millwright/engine/provider-pool";
import type { VariableSource } from "@millwright/engine/variables";
import { readVariablesFile } from "@millwright/engine/variables-file";
import { functionsFor } from "@millwright/functions/library";
import { nodeFiles } from "@millwright/functions/node-files";
import type { FunctionSpec } from "@millwright/hcl/function-spec";
import type { Lookup } from "@millwright/hcl/scope";
import type { Value } from "@millwright/value/value";
import type { CommandIo, View } from "../io.ts";
import { renderDiagnostics, sourcesIn, type SourceText } from "../views/diagnostics.ts";
import type { GivenFlag } from "./options.ts";
import { builtinRegistry } from "./registry.ts";
import type { StackSource } from "./stacks.ts";

/** Which command line was typed: ours, or a known tool's. Texts differ where a user would be sent to a command. */
export type CommandStyle = "millwright" | "terraform";

/** What a terraform command works in: a folder, the way to talk to its user, and the program's parts. */
export class Session {
  readonly io: CommandIo;
  readonly style: CommandStyle;
  /** Absolute. */
  readonly folder: string;
  readonly view: View;
  readonly compactWarnings: boolean;
  readonly sources: SourceText;

  constructor(
    io: CommandIo,
    style: CommandStyle,
    folder: string,
    options: { readonly noColor: boolean; readonly compactWarnings: boolean },
  ) {
    this.io = io;
    this.style = style;
    this.folder = folder;
    this.view = options.noColor ? { ...io.view, colour: false } : io.view;
    this.compactWarnings = options.compactWarnings;
    this.sources = sourcesIn(folder);
  }

  path(name: string): string {
    return resolve(this.folder, name);
  }

  /** Prints diagnostics (errors to standard error); false where there are errors among them. */
  async report(diagnostics: readonly Diagnostic[]): Promise<boolean> {
    const errors = hasErrors(diagnostics);
    const warnings = diagnostics.filter((d) => d.severity === "warning");
    if (warnings.length > 0)
      await this.io.stdout(renderDiagnostics(warnings, this.view, this.sources, this.compactWarnings && !errors));
    if (errors)
      await this.io.stderr(
        renderDiagnostics(
          diagnostics.filter((d) => d.severity === "error"),
          this.view,
          this.sources,
          false,
        ),
      );
    return !errors;
  }
}

/** A folder's configuration as it was read, and what a saved plan keeps of it. */
export interface LoadedFolder {
  readonly configuration: Configuration;
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly diagnostics: readonly Diagnostic[];
  readonly stack?: StackSource;
}

/** Reads the configuration of the session's folder, TypeScript stacks included. */
export async function loadFolder(session: Session): Promise<LoadedFolder> {
  const files = new RecordingFiles(filesBelow(session.folder));
  const stack = await readStacks(session);
  const contribution = stack?.contribution;
  const options = { tofuFiles: true, ...(contribution ? { contribution } : {}) };
  const { value, diagnostics } = loadConfiguration(files, options);
  const all = [...(stack?.diagnostics ?? []), ...diagnostics];
  return { configuration: value, files: files.snapshot, diagnostics: all, ...(stack ? { stack } : {}) };
}

async function readStacks(session: Session): Promise<StackSource | undefined> {
  const names = readdirSync(session.folder)
    .filter((name) => name.endsWith(".stack.ts"))
    .sort();
  if (names.length === 0) return undefined;
  const { runStacks } = await import("./stacks.ts");
  return runStacks(session.folder, names);
}

/** Whether a folder holds anything to work on. */
export function hasConfiguration(folder: string): boolean {
  return readdirSync(folder).some((name) => /\.(tf|tofu)(\.json)?$|\.stack\.ts$/.test(name));
}

/** Where a state is kept, with the lock of this run on it. */
export interface OpenState {
  readonly local: LocalState;
  release(): void;
}

export interface StateOptions {
  readonly path: string;
  readonly lock: boolean;
  readonly lockTimeout: number;
  readonly operation: string;
}

/** Takes and reads a state. Undefined where it cannot be read, which was reported. */
export async function openState(session: Session, options: StateOptions): Promise<OpenState | undefined> {
  const path = session.path(options.path);
  let lock: StateLock | undefined;
  if (options.lock) {
    const { operation, lockTimeout: timeout } = options;
    lock = await lockState({
      path,
      operation,
      version: productVersion,
      timeout,
      clock: systemClock,
      chance: systemChance,
      signal: session.io.signal,
    });
  }
  const release = () => lock?.release();
  const opened = LocalState.open(path, () => systemChance.uuid());
  if (await session.report(opened.diagnostics)) return { local: opened.value, release };
  release();
  return undefined;
}

export const productVersion = "0.1.0";

/** The state options that flags ask for. */
export function stateOptions(
  values: { readonly state: string | undefined; readonly "lock-timeout": number | undefined },
  occurrences: readonly GivenFlag[],
  operation: string,
): StateOptions {
  const lock = occurrences.filter((occurrence) => occurrence.name === "lock").at(-1)?.value !== false;
  return { path: values.state ?? "terraform.tfstate", lock, lockTimeout: values["lock-timeout"] ?? 0, operation };
}

/** A new pool of providers: those built in, and what further registries offer. */
export function newPool(): ProviderPool {
  return new ProviderPool(builtinRegistry());
}

export function runPorts(session: Session, events: RunListener): RunPorts {
  return { clock: systemClock, chance: systemChance, events, stop: session.io.signal };
}

export interface ContextOptions {
  readonly configuration: Configuration;
  readonly variables: ReadonlyMap<string, Value>;
  readonly applying: boolean;
  /** RFC 3339; undefined where there is no plan (console, validate). */
  readonly timestamp?: string;
  readonly use?: "configuration" | "console";
}

/** What expressions of a folder are evaluated in. */
export function evaluatorContext(session: Session, options: ContextOptions): EvaluatorContext {
  const { configuration, variables, applying, timestamp } = options;
  const make = (dialect: "terraform" | "opentofu") =>
    functionsFor({
      dialect,
      files: nodeFiles(session.folder),
      baseDir: ".",
      clock: systemClock,
      chance: systemChance,
      impure: applying || options.use === "console" ? "now" : "later",
      use: options.use ?? "configuration",
      ...(timestamp === undefined ? {} : { planTimestamp: Date.parse(timestamp) }),
    });
  const made = new Map<string, Lookup<FunctionSpec>>();
  return {
    configuration,
    variables,
    workspace: "default",
    applying,
    cwd: session.folder,
    functions: (module, filename) => {
      const dialect = /\.tofu(\.json)?$/.test(filename) ? "opentofu" : "terraform";
      let standard = made.get(dialect);
      if (!standard) made.set(dialect, (standard = make(dialect)));
      return module.functions ? chain(module.functions, standard) : standard;
    },
  };
}

function chain(first: Lookup<FunctionSpec>, second: Lookup<FunctionSpec>): Lookup<FunctionSpec> {
  return { get: (name) => first.get(name) ?? second.get(name), keys: () => [...first.keys(), ...second.keys()] };
}

/**
 * Where the values of variables come from, weakest first: the environment, terraform.tfvars, *.auto.tfvars, then -var and
 * -var-file in the order they were given.
 */
export function variableSources(
  session: Session,
  occurrences: readonly GivenFlag[],
): { readonly sources: VariableSource[]; readonly diagnostics: Diagnostic[] } {
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
