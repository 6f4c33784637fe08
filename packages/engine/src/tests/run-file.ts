import type { Diagnostic } from "@millwright/core/diagnostics";
import { warningDiagnostic } from "@millwright/core/diagnostics";
import { invariant } from "@millwright/core/errors";
import { referencesIn } from "@millwright/hcl/references";
import type { Value } from "@millwright/value/value";
import { childPath, type Configuration } from "../configuration.ts";
import { resourceText } from "../addresses.ts";
import { isReplace } from "../plan/plan.ts";
import { emptyState, type State } from "../state.ts";
import type { FileResult, InterruptedState, RunResult, TestBench, TestStatus } from "./bench.ts";
import { cleanUp, hasManaged, leftObjects } from "./clean-up.ts";
import { type PreparedRun, runTest, type UnderWay } from "./run-test.ts";
import type { Override, TestFile, TestRun } from "./test-file.ts";
import { defaultVariables, type TestScope } from "./values.ts";

/** Which state of its file a run works on. */
export function stateKeyOf(run: TestRun): string {
  return run.stateKey ?? run.module?.source ?? "";
}

/** Carries out a file's runs, in order where they do not say that they may go side by side, and takes down what they made. */
export async function runTestFile(bench: TestBench, file: TestFile): Promise<FileResult> {
  await bench.listener.fileStarts(file);
  const runner = new FileRunner(bench, file);
  const onStop = () => void runner.interrupted();
  bench.ports.stop.addEventListener("abort", onStop, { once: true });
  await runner.runAll();
  bench.ports.stop.removeEventListener("abort", onStop);
  await bench.listener.tearsDown(file);
  await runner.cleanUp();
  const result = runner.result();
  await bench.listener.fileEnds(file, result);
  return result;
}

interface KeptState {
  readonly state: State;
  readonly prepared: PreparedRun;
  /** Grows with each change of any state. */
  readonly order: number;
}

class FileRunner {
  readonly #bench: TestBench;
  readonly #file: TestFile;
  readonly #states = new Map<string, KeptState>();
  readonly #outputs = new Map<string, Value>();
  readonly #underWay = new Map<TestRun, UnderWay>();
  readonly #results = new Map<TestRun, RunResult>();
  readonly #globals: ReadonlyMap<string, Value>;
  readonly #defaults: ReadonlyMap<string, Value>;
  #order = 0;
  #broken = false;
  #leftBehind = false;

  constructor(bench: TestBench, file: TestFile) {
    this.#bench = bench;
    this.#file = file;
    this.#globals = bench.globals(file);
    this.#defaults = defaultVariables(bench.configuration.root);
  }

  /** Each run begins when all that it waits for has ended. */
  async runAll(): Promise<void> {
    const ends: Promise<void>[] = [];
    const waits = waitsOf(this.#file.runs);
    for (const [i, run] of this.#file.runs.entries()) {
      ends.push(Promise.all(waits[i]!.map((to) => ends[to])).then(() => this.#run(run)));
    }
    await Promise.all(ends);
  }

  async cleanUp(): Promise<void> {
    const all = [...this.#states].filter(([, { state }]) => hasManaged(state));
    const { listener } = this.#bench;
    for (const [key, { state, prepared }] of all.sort(([, a], [, b]) => b.order - a.order)) {
      await listener.runTearsDown(this.#file, prepared.run);
      const left = await cleanUp(this.#bench, prepared, key, state);
      if (!left) continue;
      this.#leftBehind = true;
      await listener.leftBehind(this.#file, left);
    }
  }

  /** Says at once what there is: a second interrupt leaves no time for it. */
  interrupted(): Promise<void> {
    const states = new Map<string, InterruptedState>();
    for (const [key, { state, prepared }] of this.#states)
      states.set(key, { key, run: prepared.run, state, underWay: [] });
    for (const [run, { plan, state }] of this.#underWay) {
      const key = stateKeyOf(run);
      const now = state();
      const there = new Set(leftObjects(now));
      const made = plan.changes.filter(({ action }) => action === "create" || isReplace(action));
      const underWay = made.map(({ address }) => address.text).filter((text) => !there.has(text));
      states.set(key, { key, run, state: now, underWay });
    }
    return this.#bench.listener.interrupted(this.#file, [...states.values()]);
  }

  result(): FileResult {
    const runs = [...this.#file.runs].flatMap((run) => this.#results.get(run) ?? []);
    const worst = (["error", "fail"] as const).find((status) => runs.some((run) => run.status === status));
    const status: TestStatus = this.#leftBehind
      ? "error"
      : (worst ?? (runs.length > 0 && runs.every((run) => run.status === "skip") ? "skip" : "pass"));
    return { status, runs, diagnostics: this.#uselessOverrides() };
  }

  async #run(run: TestRun): Promise<void> {
    const { ports, listener } = this.#bench;
    const started = ports.clock.now();
    const startedAt = ports.clock.monotonic();
    const end = async (status: TestStatus, diagnostics: readonly Diagnostic[], outcome?: RunResult["outcome"]) => {
      const seconds = (ports.clock.monotonic() - startedAt) / 1000;
      const result = { run, status, diagnostics, started, seconds, ...(outcome ? { outcome } : {}) };
      const { outcome: _, ...kept } = result as RunResult;
      this.#results.set(run, kept);
      await listener.runEnds(this.#file, result);
    };
    if (this.#broken || ports.stop.aborted) return end("skip", []);
    await listener.runStarts(this.#file, run);
    const key = stateKeyOf(run);
    const before = this.#states.get(key)?.state ?? emptyState;
    const begun = (underWay: UnderWay) => void this.#underWay.set(run, underWay);
    const tested = await runTest(this.#bench, this.#file, run, before, this.#scope(), begun, end);
    this.#underWay.delete(run);
    if (tested.status === "error") this.#broken = true;
    if (tested.outputs) this.#outputs.set(run.name, tested.outputs);
    if (!tested.state) return;
    invariant(tested.prepared, "what was applied was prepared");
    this.#states.set(key, { state: tested.state, prepared: tested.prepared, order: ++this.#order });
  }

  #scope(): TestScope {
    return {
      variables: this.#globals,
      defaults: this.#defaults,
      runs: new Map(this.#outputs),
      runNames: new Set(this.#file.runs.map(({ name }) => name)),
      functions: this.#bench.functions,
    };
  }

  // Of the file's own overrides: one that no configuration of its runs has a target for is most likely misspelt.
  #uselessOverrides(): Diagnostic[] {
    const all = this.#file.runs.map((run) => ({ run, configuration: this.#bench.configurationOf(this.#file, run) }));
    const useless: Override[] = [];
    for (const override of this.#file.overrides)
      if (!all.some(({ configuration }) => isThere(override, configuration))) useless.push(override);
    for (const { run, configuration } of all)
      useless.push(...run.overrides.filter((override) => !isThere(override, configuration)));
    return useless.map(({ target, targetRange }) => {
      const text = target.kind === "module" ? target.module.text : target.address.text;
      const detail = `The override target ${text} does not exist within the configuration under test. This could indicate a typo in the target address or an unnecessary override.`;
      return warningDiagnostic("Invalid override target", detail, { subject: targetRange });
    });
  }
}

function isThere({ target }: Override, configuration: Configuration): boolean {
  const steps = target.kind === "module" ? target.module.steps : target.address.module.steps;
  let module = configuration.root;
  for (const { name } of steps) {
    const child = configuration.modules.get(childPath(module, name));
    if (!child) return false;
    module = child;
  }
  return target.kind === "module" || module.resources.has(resourceText(target.address.resource));
}

/**
 * For each run the earlier ones that it comes after, by index: all, unless both may go side by side; then those that share
 * its state and those that it refers to.
 */
export function waitsOf(runs: readonly TestRun[]): readonly (readonly number[])[] {
  return runs.map((run, i) => {
    const referred = runsReferredTo(run);
    const keys = runs.slice(0, i).flatMap((earlier, j) => {
      const apart = run.parallel && earlier.parallel && stateKeyOf(run) !== stateKeyOf(earlier);
      return apart && !referred.has(earlier.name) ? [] : [j];
    });
    return keys;
  });
}

function runsReferredTo(run: TestRun): ReadonlySet<string> {
  const expressions = [
    ...run.variables.values(),
    ...run.asserts.flatMap((rule) => [rule.condition, rule.errorMessage]),
  ];
  return new Set(
    expressions.flatMap(referencesIn).flatMap(({ root, steps }) => {
      const [step] = steps;
      return root.name === "run" && step?.kind === "attribute" ? [step.name] : [];
    }),
  );
}
