import type { Diagnostic } from "@millwright/core/diagnostics";
import type { FunctionSpec } from "@millwright/hcl/function-spec";
import type { Lookup } from "@millwright/hcl/scope";
import type { Value } from "@millwright/value/value";
import type { Configuration } from "../configuration.ts";
import type { EvaluatorContext, ModuleStandIns } from "../evaluator.ts";
import type { Plan } from "../plan/plan.ts";
import type { RunPorts } from "../ports.ts";
import type { ProviderPool, ProviderStandIns } from "../provider-pool.ts";
import type { State } from "../state.ts";
import type { TestFile, TestRun } from "./test-file.ts";

/** All that running a test file needs of the program around it. */
export interface TestBench {
  /** What a run tests: the folder's configuration, or that of the module it names. It was read without errors. */
  configurationOf(file: TestFile, run: TestRun): Configuration;
  /** The folder's configuration. */
  readonly configuration: Configuration;
  /** Values that were given from outside, by name. */
  globals(file: TestFile): ReadonlyMap<string, Value>;
  /** What expressions of test files may call. */
  readonly functions: Lookup<FunctionSpec>;
  context(options: BenchContext): EvaluatorContext;
  pool(standIns: ProviderStandIns): ProviderPool;
  readonly ports: RunPorts;
  /** Provider calls at a time. */
  readonly parallelism: number;
  readonly listener: TestListener;
}

export interface BenchContext {
  readonly configuration: Configuration;
  readonly variables: ReadonlyMap<string, Value>;
  readonly applying: boolean;
  /** RFC 3339. */
  readonly timestamp: string;
  readonly moduleStandIns: ModuleStandIns;
}

/** Is told how the tests go, in the order of what happens. */
export interface TestListener {
  fileStarts(file: TestFile): Promise<void>;
  runStarts(file: TestFile, run: TestRun): Promise<void>;
  runEnds(file: TestFile, result: RunResult): Promise<void>;
  tearsDown(file: TestFile): Promise<void>;
  runTearsDown(file: TestFile, run: TestRun): Promise<void>;
  /** What could not be taken down, and why. */
  leftBehind(file: TestFile, left: LeftBehind): Promise<void>;
  /** The run was asked to stop: what there is in each state, for the case that it cannot be taken down any more. */
  interrupted(file: TestFile, states: readonly InterruptedState[]): Promise<void>;
  fileEnds(file: TestFile, result: FileResult): Promise<void>;
}

export type TestStatus = "pass" | "fail" | "error" | "skip";

/** What came of a run. */
export interface RunResult {
  readonly run: TestRun;
  readonly status: TestStatus;
  readonly diagnostics: readonly Diagnostic[];
  /** Wall clock, in milliseconds since 1970. */
  readonly started: number;
  readonly seconds: number;
  /** Of runs that came so far: the plan of a `command = plan`, the state of an apply. */
  readonly outcome?: RunOutcome;
}

export interface RunOutcome {
  readonly plan: Plan;
  /** Set where the plan was applied. */
  readonly state?: State;
  readonly configuration: Configuration;
  /** Knows the schemas of all that is in them; for the time of the call. */
  readonly pool: ProviderPool;
}

export interface FileResult {
  readonly status: TestStatus;
  readonly runs: readonly RunResult[];
  /** Warnings on the file as a whole. */
  readonly diagnostics: readonly Diagnostic[];
}

/** One of the states that a file's runs work on, and the last run that changed it. */
export interface TestState {
  readonly key: string;
  readonly run: TestRun;
  readonly state: State;
}

/** A state at an interrupt, and what a run under way may be making beside it: addresses of planned objects that it lacks. */
export interface InterruptedState extends TestState {
  readonly underWay: readonly string[];
}

/** What a state still has after everything was to be taken down. */
export interface LeftBehind extends TestState {
  readonly diagnostics: readonly Diagnostic[];
}
