import { planJson } from "@millwright/engine/plan-json";
import { providerSchemasJson } from "@millwright/engine/provider-schema-json";
import { sourcesOf } from "@millwright/engine/provider-sources";
import { stateJson } from "@millwright/engine/state-json";
import { leftObjects } from "@millwright/engine/tests/clean-up";
import type { RunResult } from "@millwright/engine/tests/bench";
import type { TestFile, TestRun } from "@millwright/engine/tests/test-file";
import type { JsonView } from "./json-lines.ts";
import { countsText, statusWord, type TestReport } from "./test-report.ts";

type Plain = Readonly<Record<string, unknown>>;

/**
 * Tells how tests go as JSON, an object a line: `test_abstract`, `test_file`, `test_run`, `test_plan`, `test_state`,
 * `test_cleanup`, `test_interrupt` and `test_summary`.
 * Source: Terraform's documentation of its machine-readable UI.
 */
export function jsonTestReport(json: JsonView, verbose: boolean): TestReport {
  const aboutFile = (file: TestFile) => ({ "@testfile": file.path });
  const about = (file: TestFile, run: TestRun) => ({ ...aboutFile(file), "@testrun": run.name });
  const tell = (message: string, type: string, where: Plain, what: Plain) => {
    json.say("info", message, type, { ...where, [type]: what });
    return Promise.resolve();
  };
  const runLine = (file: TestFile, run: TestRun, word: string, rest: Plain) =>
    tell(`  ${JSON.stringify(run.name)}... ${word}`, "test_run", about(file, run), {
      path: file.path,
      run: run.name,
      ...rest,
    });
  return {
    found: (files) => {
      const runs = files.reduce((count, file) => count + file.runs.length, 0);
      const text = `Found ${counted(files.length, "file")} and ${counted(runs, "run block")}`;
      const plain = files.map((file) => [file.path, file.runs.map((run) => run.name)] as const);
      return tell(text, "test_abstract", {}, Object.fromEntries(plain));
    },
    fileStarts: (file) =>
      tell(`${file.path}... in progress`, "test_file", aboutFile(file), { path: file.path, progress: "starting" }),
    runStarts: (file, run) => runLine(file, run, "in progress", { progress: "starting", elapsed: 0 }),
    runEnds: async (file, result) => {
      const { run, status } = result;
      await runLine(file, run, statusWord(status), { progress: "complete", status });
      if (verbose) await tellOutcome(json, about(file, run), result);
      json.diagnostics(result.diagnostics, about(file, run));
    },
    tearsDown: (file) =>
      tell(`${file.path}... tearing down`, "test_file", aboutFile(file), { path: file.path, progress: "teardown" }),
    runTearsDown: (file, run) => runLine(file, run, "tearing down", { progress: "teardown", elapsed: 0 }),
    leftBehind: (file, { run, state, diagnostics }) => {
      const left = leftObjects(state);
      if (left.length > 0) {
        const text = `Terraform left some resources in state after executing ${file.path}/${run.name}, they need to be cleaned up manually.`;
        const failed = left.map(failedResource);
        json.say("error", text, "test_cleanup", { ...about(file, run), test_cleanup: { failed_resources: failed } });
      }
      json.diagnostics(diagnostics, about(file, run));
      return Promise.resolve();
    },
    fileEnds: async (file, { status, diagnostics }) => {
      const what = { path: file.path, progress: "complete", status };
      await tell(`${file.path}... ${statusWord(status)}`, "test_file", aboutFile(file), what);
      json.diagnostics(diagnostics, aboutFile(file));
    },
    interrupted: (file, runs) => {
      const own = runs.filter(({ key }) => key === "").flatMap(({ addresses }) => addresses.map(failedResource));
      const others = runs
        .filter(({ key }) => key !== "")
        .map(({ run, addresses }) => [run, addresses.map(failedResource)] as const);
      const planned = runs.flatMap(({ underWay }) => underWay);
      const plain = { state: own, states: Object.fromEntries(others), planned };
      json.say("error", "Interrupted: no further runs are begun.", "test_interrupt", {
        ...aboutFile(file),
        test_interrupt: plain,
      });
      return Promise.resolve();
    },
    summary: (counts) => {
      const { status, passed, failed, errored, skipped } = counts;
      const word = status === "pass" || status === "skip" ? "Success!" : "Failure!";
      return tell(`${word} ${countsText(counts)}`, "test_summary", {}, { status, passed, failed, errored, skipped });
    },
  };
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

function failedResource(text: string): Plain {
  const match = /^(.*) \(deposed (\w+)\)$/.exec(text);
  return match ? { instance: match[1], deposed_key: match[2] } : { instance: text };
}

async function tellOutcome(json: JsonView, where: Plain, { run, outcome }: RunResult): Promise<void> {
  if (!outcome) return;
  const { plan, state, configuration, pool } = outcome;
  const sources = sourcesOf(configuration, state ?? plan.priorState);
  const schemas = providerSchemasJson(sources, pool) as Plain;
  const provided = { provider_format_version: schemas.format_version, provider_schemas: schemas.provider_schemas };
  if (run.command === "plan") {
    const whole: Plain = await planJson(plan, configuration, pool);
    const parts = ["output_changes", "resource_changes", "resource_drift", "relevant_attributes"];
    const kept = parts.filter((name) => whole[name] !== undefined).map((name) => [name, whole[name]] as const);
    const plain = { plan_format_version: whole.format_version, ...Object.fromEntries(kept), ...provided };
    json.say("info", "-verbose flag enabled, printing plan", "test_plan", { ...where, test_plan: plain });
  } else if (state) {
    const { format_version: version, values } = await stateJson(state, pool);
    const plain = { state_format_version: version, ...(values as Plain), ...provided };
    json.say("info", "-verbose flag enabled, printing state", "test_state", { ...where, test_state: plain });
  }
}
