import { writeFileSync } from "node:fs";
import type { Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import { messageOf } from "@millwright/core/errors";
import type { FileResult, TestBench } from "@millwright/engine/tests/bench";
import { leftObjects } from "@millwright/engine/tests/clean-up";
import { cleanFolder } from "@millwright/engine/tests/find";
import { runTestFile } from "@millwright/engine/tests/run-file";
import type { TestFile } from "@millwright/engine/tests/test-file";
import { type FlagTable, type FlagValues, describeFlags } from "../flags.ts";
import type { CommandIo } from "../io.ts";
import { jsonLines } from "../views/json-lines.ts";
import { junitXml } from "../views/junit.ts";
import { humanTestReport } from "../views/test-human.ts";
import { jsonTestReport } from "../views/test-json.ts";
import { countTests, type TestReport } from "../views/test-report.ts";
import { variableFlags, viewFlags } from "./options.ts";
import { ErroredStates } from "./test-left.ts";
import { type CommandStyle, Session } from "./session.ts";
import { type LoadedTests, loadTests, testBench } from "./test-load.ts";
import { readLine } from "./read-line.ts";

export const testFlags = {
  ...variableFlags,
  json: viewFlags.json,
  "no-color": viewFlags["no-color"],
  filter: { kind: "strings", value: "FILE", help: "Run only this test file. May be given several times." },
  "test-directory": {
    kind: "string",
    value: "FOLDER",
    help: 'Where test files are, beside the folder itself (default "tests").',
  },
  verbose: { kind: "bool", help: "Print the plan or the state of each run." },
  "junit-xml": { kind: "string", value: "FILE", help: "Write the results to this file too, in the XML form of JUnit." },
  parallelism: { kind: "int", value: "N", help: "How many calls to providers may be under way (default 10)." },
} as const satisfies FlagTable;

type Values = FlagValues<typeof testFlags>;

/** Runs the tests of a folder's configuration. */
export async function runTestCommand(args: readonly string[], io: CommandIo, style: CommandStyle): Promise<number> {
  const parsed = await readLine(testFlags, args, io, () => help(style));
  if (typeof parsed === "number") return parsed;
  const { values, occurrences } = parsed;
  const json = values.json ? jsonLines(io) : undefined;
  const session = new Session(io, style, io.cwd, {
    noColor: values["no-color"],
    compactWarnings: false,
    ...(json ? { json } : {}),
  });
  return session.guard(async () => {
    const refused = misuse(parsed.args, values);
    if (refused) {
      await session.report([refused]);
      return 1;
    }
    const tests = await loadTests(session, occurrences, values["test-directory"], values.filter);
    if (!(await session.report(tests.diagnostics))) return 1;
    const report = json ? jsonTestReport(json, values.verbose) : humanTestReport(session, values.verbose);
    return runAll(session, tests, report, values);
  });
}

async function runAll(session: Session, tests: LoadedTests, report: TestReport, values: Values): Promise<number> {
  const left = new ErroredStates((name) => session.path(name));
  const results: { readonly file: TestFile; readonly result: FileResult }[] = [];
  await report.found(tests.files);
  const listener: TestBench["listener"] = {
    fileStarts: report.fileStarts,
    runStarts: report.runStarts,
    runEnds: report.runEnds,
    tearsDown: report.tearsDown,
    runTearsDown: report.runTearsDown,
    fileEnds: report.fileEnds,
    leftBehind: async (file, behind) => {
      left.leftBehind(file, behind);
      await report.leftBehind(file, behind);
    },
    interrupted: async (file, states) => {
      left.pending(file, states);
      const plain = states.map(({ run, key, state, underWay }) => {
        return { run: run.name, key, addresses: leftObjects(state), underWay };
      });
      await report.interrupted(file, plain);
    },
  };
  const bench = await testBench(session, tests, listener, values.parallelism ?? 10);
  for (const file of tests.files) {
    const result = await runTestFile(bench, file);
    results.push({ file, result });
    if (session.io.signal.aborted) break;
  }
  left.finish();
  const counts = countTests(results.map(({ result }) => result));
  const unwritten = values["junit-xml"] === undefined ? undefined : writeJunit(session, values["junit-xml"], results);
  await report.summary(counts);
  if (unwritten) {
    await session.report([unwritten]);
    return 1;
  }
  return counts.status === "pass" || counts.status === "skip" ? 0 : 1;
}

function writeJunit(session: Session, name: string, results: Parameters<typeof junitXml>[0]): Diagnostic | undefined {
  const path = session.path(name);
  try {
    writeFileSync(path, junitXml(results, session.sources));
    return undefined;
  } catch (error) {
    const detail = `The report cannot be written to ${path}: ${messageOf(error)}. Check that its folder is there, and that you may write to it.`;
    return errorDiagnostic("Cannot write the file of -junit-xml", detail);
  }
}

function misuse(args: readonly string[], values: Values): Diagnostic | undefined {
  if (args.length > 0) {
    const detail =
      "test takes no arguments. Name single files by -filter=FILE, and use the global -chdir option to work in another folder.";
    return errorDiagnostic("Too many command line arguments", detail);
  }
  const directory = values["test-directory"];
  if (directory !== undefined && (directory.startsWith("/") || cleanFolder(directory).split("/").includes(".."))) {
    const detail =
      "The testing directory must be a relative path pointing to a directory local to the configuration directory.";
    return errorDiagnostic("Invalid testing directory", detail);
  }
  const { parallelism } = values;
  if (parallelism === undefined || parallelism > 0) return undefined;
  return errorDiagnostic(
    "Invalid -parallelism",
    `At least one call must be allowed at a time, and -parallelism=${parallelism} allows none. The default is 10.`,
  );
}

function help(style: CommandStyle): string {
  return `Usage: ${style} test [flags]

Runs the test files (*.tftest.hcl, *.tftest.json) of the folder and of its
folder "tests": each of their runs plans or applies the configuration, looks at
its assertions, and what was made is destroyed at the end of the file. Runs
without mocks make real things.

Example: ${style} test -filter=tests/network.tftest.hcl

${describeFlags(testFlags)}`;
}
