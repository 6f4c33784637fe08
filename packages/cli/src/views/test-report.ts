import type { Diagnostic } from "@millwright/core/diagnostics";
import type { FileResult, LeftBehind, RunResult, TestStatus } from "@millwright/engine/tests/bench";
import type { TestFile, TestRun } from "@millwright/engine/tests/test-file";

/** How a test command tells what happens, for people or as JSON. */
export interface TestReport {
  /** What is going to be run. */
  found(files: readonly TestFile[]): Promise<void>;
  fileStarts(file: TestFile): Promise<void>;
  runStarts(file: TestFile, run: TestRun): Promise<void>;
  runEnds(file: TestFile, result: RunResult): Promise<void>;
  tearsDown(file: TestFile): Promise<void>;
  runTearsDown(file: TestFile, run: TestRun): Promise<void>;
  leftBehind(file: TestFile, left: LeftBehind): Promise<void>;
  fileEnds(file: TestFile, result: FileResult): Promise<void>;
  /** Where the tests were told to stop: what there is in states that are not taken down yet. */
  interrupted(file: TestFile, runs: readonly InterruptedRun[]): Promise<void>;
  summary(counts: TestCounts): Promise<void>;
}

/** What there is in the state that a run was the last to change, and what that run is making just now. */
export interface InterruptedRun {
  readonly run: string;
  /** Empty for the state of the folder's own configuration. */
  readonly key: string;
  readonly addresses: readonly string[];
  readonly underWay: readonly string[];
}

export interface TestCounts {
  readonly status: TestStatus;
  readonly passed: number;
  readonly failed: number;
  readonly errored: number;
  readonly skipped: number;
}

/** The numbers of a whole command; `pending` where nothing was run is a pass. */
export function countTests(results: readonly FileResult[]): TestCounts {
  const runs = results.flatMap((result) => result.runs);
  const of = (status: TestStatus) => runs.filter((run) => run.status === status).length;
  const all = results.map((result) => result.status);
  const status = (["error", "fail", "pass", "skip"] as const).find((each) => all.includes(each)) ?? "pass";
  return { status, passed: of("pass"), failed: of("fail"), errored: of("error"), skipped: of("skip") };
}

/** `Success! 3 passed, 0 failed.`, without its first word. */
export function countsText({ passed, failed, errored, skipped }: TestCounts): string {
  return `${passed} passed, ${failed + errored} failed${skipped > 0 ? `, ${skipped} skipped` : ""}.`;
}

/** The word for a status; an error counts as a failure for people. */
export function statusWord(status: TestStatus): string {
  return status === "error" ? "fail" : status;
}

export type Reporter = (diagnostics: readonly Diagnostic[]) => Promise<boolean>;
