import type { Diagnosed, Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic, warningDiagnostic } from "@millwright/core/diagnostics";
import type { Configuration } from "@millwright/engine/configuration";
import { loadConfiguration } from "@millwright/engine/load";
import { installedModules } from "@millwright/engine/load/installed-modules";
import type { ModuleAddress, ModuleResolver } from "@millwright/engine/load/module-resolver";
import { cleanFolder, testFilesOf } from "@millwright/engine/tests/find";
import { readTestFile } from "@millwright/engine/tests/read";
import type { TestFile, TestRun } from "@millwright/engine/tests/test-file";
import type { VariableSource } from "@millwright/engine/variables";
import { parseModuleSource } from "@millwright/sources/module-source";
import { filesOfSession } from "./folder.ts";
import { staticOptions } from "./run-context.ts";
import type { Session } from "./session.ts";

/** A module that a run of a test file names, read as a configuration of its own. */
export interface RunModule {
  /** What init notes it by, as Terraform does: `test.tests.network.setup`, in parts. */
  readonly names: readonly string[];
  readonly address: ModuleAddress;
  readonly configuration: Configuration;
}

/** Where a folder's tests are: by default, or as `-test-directory` says. */
export function testFolder(given: string | undefined): string {
  return given ?? "tests";
}

/** The test files of a folder, read. A folder of tests that was asked for and is not there is a warning. */
export function readTestFiles(session: Session, directory: string | undefined): Diagnosed<readonly TestFile[]> {
  const files = filesOfSession(session);
  const read = testFilesOf(files, testFolder(directory)).map((path) => readTestFile(files, path));
  const diagnostics = read.flatMap((file) => file.diagnostics);
  if (directory !== undefined && files.list(cleanFolder(directory) || ".") === undefined) {
    const detail = `Requested test directory ${directory} does not exist.`;
    diagnostics.unshift(warningDiagnostic("Test directory does not exist", detail));
  }
  return { value: read.map(({ value }) => value), diagnostics };
}

/**
 * The modules that runs name. `modules` says where those are that are no folders beside, what init has noted where not given;
 * what cannot be read is told, and left out.
 */
export function readRunModules(
  session: Session,
  tests: readonly TestFile[],
  sources: readonly VariableSource[],
  modules: ModuleResolver = installedModules(filesOfSession(session)),
): Diagnosed<readonly RunModule[]> {
  const files = filesOfSession(session);
  const known = staticOptions(session, sources);
  const diagnostics: Diagnostic[] = [];
  const told = new Set<string>();
  const value = tests.flatMap((file) => file.runs.flatMap((run) => read(file, run) ?? []));
  return { value, diagnostics };

  function read(file: TestFile, run: TestRun): RunModule | undefined {
    if (!run.module) return undefined;
    const names = runNames(file, run);
    const { range, ...rest } = run.module;
    const address = { ...rest, sourceRange: range };
    const folder = folderOf(address, names);
    if (folder === undefined) return undefined;
    const below: ModuleResolver = (call, path) => modules(call, [...names, ...path]);
    const loaded = loadConfiguration(files, { tofuFiles: true, static: known, folder, modules: below });
    // Several runs name the same module, and what is wrong with it is said once.
    if (!told.has(folder)) diagnostics.push(...loaded.diagnostics);
    told.add(folder);
    return { names, address, configuration: loaded.value };
  }

  function folderOf(address: ModuleAddress, names: readonly string[]): string | undefined {
    const { source, sourceRange: subject } = address;
    const refuse = (summary: string, detail: string) => {
      diagnostics.push(errorDiagnostic(summary, detail, { subject }));
      return undefined;
    };
    switch (parseModuleSource(source).kind) {
      case "local": {
        const folder = cleanFolder(source) || ".";
        if (files.list(folder)) return folder;
        const detail = `There is no folder ${source}: it is looked for from the folder under test.`;
        return refuse("Module not available", detail);
      }
      case "registry": {
        const there = modules(address, names);
        if (there.kind === "refused") return refuse(there.summary, there.detail);
        return there.kind === "folder" ? there.folder : undefined;
      }
      case "remote":
      case "bad": {
        const detail = `A run tests a folder beside, named by a path such as "./setup", or a module of a registry; "${source}" is neither.`;
        return refuse("Invalid module source address", detail);
      }
    }
  }
}

/** The configuration that each run tests: the folder's own, or the module that the run names; undefined where that could not be read. */
export function configurationsOfRuns(
  own: Configuration,
  modules: readonly RunModule[],
): (file: TestFile, run: TestRun) => Configuration | undefined {
  const byNames = new Map(modules.map(({ names, configuration }) => [names.join("."), configuration]));
  return (file, run) => (run.module ? byNames.get(runNames(file, run).join(".")) : own);
}

/** What the module of a run is noted by, in parts. */
export function runNames(file: TestFile, run: TestRun): readonly string[] {
  return [...fileNames(file), run.name];
}

/** What a test file is named among a folder's modules, in parts: `test.tests.network` for tests/network.tftest.hcl. */
export function fileNames(file: TestFile): readonly string[] {
  return ["test", ...file.path.replace(/\.(tftest|tofutest)\.hcl$/, "").split("/")];
}
