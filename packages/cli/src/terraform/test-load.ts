import type { Diagnosed, Diagnostic } from "@millwright/core/diagnostics";
import { hasErrors, warningDiagnostic } from "@millwright/core/diagnostics";
import { similar } from "@millwright/core/similar";
import type { Configuration } from "@millwright/engine/configuration";
import { filesBelow } from "@millwright/engine/node-files";
import { ProviderPool } from "@millwright/engine/provider-pool";
import type { BenchContext, TestBench } from "@millwright/engine/tests/bench";
import { mismatchedProviders } from "@millwright/engine/tests/check-file";
import { cleanFolder } from "@millwright/engine/tests/find";
import type { TestFile, TestRun } from "@millwright/engine/tests/test-file";
import { globalVariables } from "@millwright/engine/tests/values";
import type { VariableSource } from "@millwright/engine/variables";
import { readVariablesFile } from "@millwright/engine/variables-file";
import type { Value } from "@millwright/value/value";
import { unmetProviders } from "../init/unmet-providers.ts";
import { loadFolder } from "./folder.ts";
import { variableSources } from "./variable-sources.ts";
import type { GivenFlag } from "./options.ts";
import { providersOf } from "./registry.ts";
import { evaluatorContext, runPorts } from "./run-context.ts";
import { configurationsOfRuns, readRunModules, readTestFiles, testFolder } from "./run-modules.ts";
import type { Session } from "./session.ts";

/** The tests of a folder, read: nothing was run yet. */
export interface LoadedTests {
  readonly files: readonly TestFile[];
  readonly diagnostics: readonly Diagnostic[];
  readonly configuration: Configuration;
  /** What a run tests; there is always something where there are no errors. */
  readonly configurationOf: (file: TestFile, run: TestRun) => Configuration | undefined;
  readonly globals: (file: TestFile) => ReadonlyMap<string, Value>;
}

/** Reads the folder's configuration, its test files, and the modules that these name. */
export async function loadTests(
  session: Session,
  occurrences: readonly GivenFlag[],
  directory: string | undefined,
  filter: readonly string[],
): Promise<LoadedTests> {
  const folder = await loadFolder(session, occurrences);
  const diagnostics: Diagnostic[] = [...folder.diagnostics];
  const all = readTestFiles(session, directory);
  diagnostics.push(...all.diagnostics);
  const wanted = new Set(filter.map(cleanFolder));
  const files = all.value.filter(({ path }) => wanted.size === 0 || wanted.has(path));
  diagnostics.push(...[...wanted].flatMap((name) => noSuchFile(name, all.value)));
  const sources = variableSources(session, occurrences);
  diagnostics.push(...sources.diagnostics);
  const runModules = readRunModules(session, all.value, sources.sources);
  const configurationOf = configurationsOfRuns(folder.configuration, runModules.value);
  const mismatched = files.flatMap((file) => mismatchedProviders(file, (run) => configurationOf(file, run)));
  diagnostics.push(...runModules.diagnostics, ...mismatched);
  const configurations = runModules.value.map(({ configuration }) => configuration);
  if (!hasErrors(diagnostics)) diagnostics.push(...(await unmetProviders(session, configurations)));
  const { root } = folder.configuration;
  const given = globalVariables(root, sources.sources);
  const inTests = testVariables(session, testFolder(directory));
  const both = globalVariables(root, withTestVariables(sources.sources, inTests.value));
  diagnostics.push(...inTests.diagnostics, ...(hasErrors(diagnostics) ? [] : both.diagnostics));
  const prefix = `${cleanFolder(testFolder(directory))}/`;
  const globals = ({ path }: TestFile) => (path.startsWith(prefix) ? both.value : given.value);
  return { files, diagnostics, configuration: folder.configuration, configurationOf, globals };
}

// Terraform runs nothing then, and calls that a success; the exit code is the same here.
function noSuchFile(name: string, files: readonly TestFile[]): Diagnostic[] {
  const there = files.map(({ path }) => path);
  if (there.includes(name)) return [];
  const near = similar(name, there);
  const detail = `There is no test file ${name}, so nothing of it is run.${near === undefined ? "" : ` Did you mean ${near}?`}`;
  return [warningDiagnostic("No such test file", detail)];
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
    configurationOf: (file, run) => tests.configurationOf(file, run)!,
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
