import type { Diagnostic } from "@millwright/core/diagnostics";
import { hasErrors } from "@millwright/core/diagnostics";
import { objectValue, type Value } from "@millwright/value/value";
import { rootModule } from "../addresses.ts";
import { applyPlan } from "../apply/apply.ts";
import { type ApplyResult, noRecorder } from "../apply/run.ts";
import type { Configuration } from "../configuration.ts";
import type { Evaluator } from "../evaluator.ts";
import { makePlan } from "../plan/make.ts";
import type { Plan, PlanMode, PlanResult } from "../plan/plan.ts";
import type { RunPorts } from "../ports.ts";
import type { ProviderPool } from "../provider-pool.ts";
import type { State, StateBuilder } from "../state.ts";
import { checkFailed, checkLater } from "../checks.ts";
import { checkAssertions } from "./assertions.ts";
import type { RunOutcome, TestBench, TestStatus } from "./bench.ts";
import {
  type ExpectedFailures,
  expectedFailures,
  impossibleFailures,
  judgeFailures,
  tooEarlyFailures,
} from "./expected-failures.ts";
import { moduleStandIns, providerStandIns, type StandIns } from "./stand-ins.ts";
import type { TestFile, TestPlanOptions, TestRun } from "./test-file.ts";
import { type ConfigurationUnderTest, configurationUnderTest } from "./under-test.ts";
import { runVariables, type RunVariables, type TestScope } from "./values.ts";

/** What a run works with, worked out before it begins; its state is taken down with the same. */
export interface PreparedRun {
  readonly file: TestFile;
  readonly run: TestRun;
  readonly under: ConfigurationUnderTest;
  readonly variables: RunVariables;
  readonly standIns: StandIns;
}

/** What came of one run, with what later runs may refer to. */
export interface Tested {
  readonly status: TestStatus;
  readonly diagnostics: readonly Diagnostic[];
  /** The state after it; undefined where nothing was applied. */
  readonly state?: State;
  readonly outputs?: Value;
  readonly prepared?: PreparedRun;
}

/** Where an apply is: what it plans to do, and what it has done of that. */
export interface UnderWay {
  readonly plan: Plan;
  readonly state: () => State;
}

/** Carries out one run on a state, and looks at its assertions. */
export async function runTest(
  bench: TestBench,
  file: TestFile,
  run: TestRun,
  state: State,
  scope: TestScope,
  begun: (underWay: UnderWay) => void,
  see: (status: TestStatus, diagnostics: readonly Diagnostic[], outcome?: RunOutcome) => Promise<void>,
): Promise<Tested> {
  const ready = prepare(bench, file, run, scope);
  if (!ready.prepared) {
    await see("error", ready.diagnostics);
    return { status: "error", diagnostics: ready.diagnostics };
  }
  const { prepared } = ready;
  const pool = bench.pool(providerStandIns(prepared.standIns));
  const onAbort = () => void pool.stop();
  bench.ports.stop.addEventListener("abort", onAbort, { once: true });
  try {
    const found = [...ready.diagnostics];
    const expected = expectedFailures(prepared.under.configuration, run);
    const planned = await planRun(bench, prepared, state, pool, bench.ports);
    const tested =
      run.command === "plan"
        ? judgePlan(prepared, expected, planned)
        : await applyAndJudge(bench, prepared, expected, planned, begun);
    const diagnostics = [...found, ...tested.diagnostics];
    const configuration = prepared.under.configuration;
    const applied = "state" in tested && tested.state ? { state: tested.state } : {};
    await see(tested.status, diagnostics, { plan: planned.plan, ...applied, configuration, pool });
    return { ...tested, diagnostics, prepared };
  } finally {
    bench.ports.stop.removeEventListener("abort", onAbort);
    await pool.close();
  }
}

function prepare(
  bench: TestBench,
  file: TestFile,
  run: TestRun,
  scope: TestScope,
): { readonly prepared?: PreparedRun; readonly diagnostics: readonly Diagnostic[] } {
  const configuration: Configuration = bench.configurationOf(file, run);
  const variables = runVariables(configuration.root, file, run, scope);
  const diagnostics = [...variables.diagnostics, ...impossibleFailures(configuration, run)];
  if (!variables.value || hasErrors(diagnostics)) return { diagnostics };
  const under = configurationUnderTest(configuration, file, run, variables.value.scope);
  diagnostics.push(...under.diagnostics);
  if (hasErrors(diagnostics)) return { diagnostics };
  const standIns = {
    mocks: under.value.mocks,
    overrides: [...run.overrides, ...file.overrides],
    chance: bench.ports.chance,
  };
  return { prepared: { file, run, under: under.value, variables: variables.value, standIns }, diagnostics };
}

/** Plans a run, or with `mode` another kind of plan with all that the run has. */
export function planRun(
  bench: TestBench,
  prepared: PreparedRun,
  state: State,
  pool: ProviderPool,
  ports: RunPorts,
  mode?: PlanMode,
): Promise<PlanResult> {
  const { run, variables } = prepared;
  const timestamp = new Date(ports.clock.now()).toISOString().replace(/\.\d+Z$/, "Z");
  const options: TestPlanOptions = mode ? { mode, refresh: true, targets: [], replace: [] } : run.options;
  return makePlan({
    context: contextOf(bench, prepared, false, timestamp),
    given: variables.collected.given,
    state,
    interrupted: [],
    lineage: "",
    serial: 0,
    options: { mode: options.mode, refresh: options.refresh, targets: options.targets, forceReplace: options.replace },
    pool,
    ports,
    parallelism: bench.parallelism,
    timestamp,
  });
}

/** Carries a plan out, with providers of its own configured for that. */
export async function applyRun(
  bench: TestBench,
  prepared: PreparedRun,
  plan: Plan,
  ports: RunPorts,
  begun?: (underWay: UnderWay) => void,
): Promise<ApplyResult> {
  let latest: StateBuilder | undefined;
  begun?.({ plan, state: () => latest?.snapshot() ?? plan.priorState });
  const pool = bench.pool(providerStandIns(prepared.standIns));
  try {
    return await applyPlan({
      plan,
      context: contextOf(bench, prepared, true, plan.timestamp),
      pool,
      ports,
      recorder: noRecorder,
      onState: (builder) => {
        latest = builder;
      },
      parallelism: bench.parallelism,
    });
  } finally {
    await pool.close();
  }
}

function contextOf(
  bench: TestBench,
  { under, variables, standIns }: PreparedRun,
  applying: boolean,
  timestamp: string,
) {
  return bench.context({
    configuration: under.configuration,
    variables: variables.collected.final,
    applying,
    timestamp,
    moduleStandIns: moduleStandIns(standIns),
  });
}

function judgePlan(prepared: PreparedRun, expected: ExpectedFailures, planned: PlanResult): Tested {
  const diagnostics = judgeFailures(expected, planned.diagnostics);
  return judge(prepared, diagnostics, planned.evaluator);
}

async function applyAndJudge(
  bench: TestBench,
  prepared: PreparedRun,
  expected: ExpectedFailures,
  planned: PlanResult,
  begun: (underWay: UnderWay) => void,
): Promise<Tested> {
  if (hasErrors(planned.diagnostics))
    return { status: "error", diagnostics: tooEarlyFailures(expected, planned.diagnostics) };
  // Failed checks of the plan are looked at again by the apply, which may well have mended them.
  const before = planned.diagnostics.filter(({ code }) => code !== checkFailed && code !== checkLater);
  const applied = await applyRun(bench, prepared, planned.plan, bench.ports, begun);
  const diagnostics = [...before, ...judgeFailures(expected, applied.diagnostics)];
  return { ...judge(prepared, diagnostics, applied.evaluator), state: applied.state };
}

function judge(prepared: PreparedRun, diagnostics: readonly Diagnostic[], evaluator: Evaluator | undefined): Tested {
  if (hasErrors(diagnostics) || !evaluator) return { status: hasErrors(diagnostics) ? "error" : "pass", diagnostics };
  const asserted = checkAssertions(prepared.run, { evaluator, test: prepared.variables.scope });
  return {
    status: asserted.status,
    diagnostics: [...diagnostics, ...asserted.diagnostics],
    outputs: outputsOf(evaluator),
  };
}

function outputsOf(evaluator: Evaluator): Value {
  const names = [...evaluator.context.configuration.root.outputs.keys()];
  return objectValue(names.map((name) => [name, evaluator.output(rootModule, name).value] as const));
}
