import type { Diagnosed, Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic, hasErrors } from "@millwright/core/diagnostics";
import type { Configuration } from "@millwright/engine/configuration";
import { loadConfiguration } from "@millwright/engine/load";
import { filesBelow } from "@millwright/engine/node-files";
import { ProviderPool } from "@millwright/engine/provider-pool";
import type { BenchContext, TestBench } from "@millwright/engine/tests/bench";
import { cleanFolder, testFilesOf } from "@millwright/engine/tests/find";
import { readTestFile } from "@millwright/engine/tests/read";
import type { TestFile, TestRun } from "@millwright/engine/tests/test-file";
import { globalVariables } from "@millwright/engine/tests/values";
import type { VariableSource } from "@millwright/engine/variables";
import { readVariablesFile } from "@millwright/engine/variables-file";
import type { Value } from "@millwright/value/value";
import { loadFolder, variableSources } from "./folder.ts";
import type { GivenFlag } from "./options.ts";
import { providersOf } from "./registry.ts";
import { evaluatorContext, runPorts, staticOptions } from "./run-context.ts";
import type { Session } from "./session.ts";

/** The tests of a folder, read: nothing was run yet. */
export interface LoadedTests {
  readonly files: readonly TestFile[];
  readonly diagnostics: readonly Diagnostic[];
  readonly configuration: Configuration;
  /** Configurations that runs name, by source. */
  readonly modules: ReadonlyMap<string, Configuration>;
  readonly globals: (file: TestFile) => ReadonlyMap<string, Value>;
}

/** Reads the folder's configuration, its test files, and the modules that these name. */
export async function loadTests(
  session: Session,
  occurrences: readonly GivenFlag[],
  directory: string,
  filter: readonly string[],
): Promise<LoadedTests> {
  const folder = await loadFolder(session, occurrences);
  const here = filesBelow(session.folder);
  const diagnostics: Diagnostic[] = [...folder.diagnostics];
  const all = testFilesOf(here, directory).map((path) => readTestFile(here, path));
  diagnostics.push(...all.flatMap((file) => file.diagnostics));
  const wanted = new Set(filter.map(cleanFolder));
  const files = all.map(({ value }) => value).filter(({ path }) => wanted.size === 0 || wanted.has(path));
  const sources = variableSources(session, occurrences);
  diagnostics.push(...sources.diagnostics);
  const modules = new Map<string, Configuration>();
  for (const run of all.flatMap(({ value }) => value.runs)) {
    if (!run.module || modules.has(run.module.source)) continue;
    const loaded = loadModule(session, run.module, sources.sources);
    diagnostics.push(...loaded.diagnostics);
    modules.set(run.module.source, loaded.value);
  }
  const { root } = folder.configuration;
  const given = globalVariables(root, sources.sources);
  const inTests = testVariables(session, directory);
  const both = globalVariables(root, withTestVariables(sources.sources, inTests.value));
  diagnostics.push(...inTests.diagnostics, ...(hasErrors(diagnostics) ? [] : both.diagnostics));
  const prefix = `${cleanFolder(directory)}/`;
  const globals = ({ path }: TestFile) => (path.startsWith(prefix) ? both.value : given.value);
  return { files, diagnostics, configuration: folder.configuration, modules, globals };
}

function loadModule(
  session: Session,
  { source, range }: NonNullable<TestRun["module"]>,
  sources: readonly VariableSource[],
): Diagnosed<Configuration> {
  const folder = cleanFolder(source);
  const here = filesBelow(session.folder);
  const known = staticOptions(session, sources);
  const read = loadConfiguration(here, { tofuFiles: true, static: known, folder: folder === "" ? "." : folder });
  const isLocal = /^\.{1,2}(\/|$)/.test(source);
  if (isLocal && here.list(folder === "" ? "." : folder)) return read;
  const detail = isLocal
    ? `There is no folder ${source}: it is looked for from the folder under test.`
    : `"${source}" is not a local folder, and no module of that source is installed.`;
  return { value: read.value, diagnostics: [errorDiagnostic("Module not available", detail, { subject: range })] };
}

/** terraform.tfvars and *.auto.tfvars beside the tests, for those alone. */
function testVariables(session: Session, directory: string): Diagnosed<readonly VariableSource[]> {
  const here = filesBelow(session.folder);
  const folder = cleanFolder(directory);
  const diagnostics: Diagnostic[] = [];
  const names = folder === "" ? [] : (here.list(folder) ?? []);
  const first = names.filter((name) => /^terraform\.tfvars(\.json)?$/.test(name));
  const later = names.filter((name) => /\.auto\.tfvars(\.json)?$/.test(name));
  const value = [...first, ...later].flatMap((name): VariableSource[] => {
    const filename = `${folder}/${name}`;
    const read = readVariablesFile(here, filename);
    diagnostics.push(...read.diagnostics);
    return read.value ? [{ kind: "file", filename, attributes: read.value }] : [];
  });
  return { value, diagnostics };
}

// They hold over the folder's own files, and what was typed holds over them.
function withTestVariables(
  sources: readonly VariableSource[],
  inTests: readonly VariableSource[],
): readonly VariableSource[] {
  const typed = sources.findIndex((source) => source.kind === "command-line");
  const at = typed < 0 ? sources.length : typed;
  return [...sources.slice(0, at), ...inTests, ...sources.slice(at)];
}

/** What the tests of a folder are run with. */
export async function testBench(
  session: Session,
  tests: LoadedTests,
  listener: TestBench["listener"],
  parallelism: number,
): Promise<TestBench> {
  const { registry } = await providersOf(session);
  const context = (options: Omit<BenchContext, "moduleStandIns">) => evaluatorContext(session, options);
  const timestamp = new Date().toISOString().replace(/\.\d+Z$/, "Z");
  const { configuration } = tests;
  const plain = context({ configuration, variables: new Map(), applying: true, timestamp });
  return {
    configurationOf: (_, run) => (run.module ? tests.modules.get(run.module.source)! : configuration),
    configuration,
    globals: tests.globals,
    functions: plain.functions(configuration.root, "main.tf"),
    context: ({ moduleStandIns, ...options }) => ({ ...context(options), moduleStandIns }),
    pool: (standIns) => new ProviderPool(registry, standIns),
    ports: runPorts(session, () => undefined),
    parallelism,
    listener,
  };
}
