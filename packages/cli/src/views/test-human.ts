import { programName } from "../terraform/program-name.ts";
import { leftObjects } from "@millwright/engine/tests/clean-up";
import type { LeftBehind, RunResult, TestStatus } from "@millwright/engine/tests/bench";
import type { TestFile } from "@millwright/engine/tests/test-file";
import type { Session } from "../terraform/session.ts";
import { renderPlan } from "./plan.ts";
import { renderState } from "./state.ts";
import { styleOf, wrapText } from "./style.ts";
import { countsText, statusWord, type TestReport } from "./test-report.ts";

/** Tells people how tests go: a line each file and run, what failed under it, and the numbers at the end. */
export function humanTestReport(session: Session, verbose: boolean): TestReport {
  const { io, view } = session;
  const style = styleOf(view);
  const paint = (status: TestStatus) => {
    const word = statusWord(status);
    return status === "pass" ? style.green(word) : status === "skip" ? style.dim(word) : style.red(word);
  };
  return {
    found: () => Promise.resolve(),
    fileStarts: (file) => io.stdout(`${file.path}... ${style.dim("in progress")}\n`),
    runStarts: () => Promise.resolve(),
    runEnds: async (_, result) => {
      await io.stdout(`  run ${JSON.stringify(result.run.name)}... ${paint(result.status)}\n`);
      if (verbose) await showOutcome(session, result);
      await session.report(result.diagnostics);
    },
    tearsDown: (file) => io.stdout(`${file.path}... ${style.dim("tearing down")}\n`),
    runTearsDown: () => Promise.resolve(),
    leftBehind: (file, left) => tellLeft(session, file, left),
    fileEnds: async (file, result) => {
      await io.stdout(`${file.path}... ${paint(result.status)}\n`);
      await session.report(result.diagnostics);
    },
    interrupted: async (file, runs) => {
      const lines = runs.flatMap(({ run, addresses, underWay }) => [
        `  ${file.path}/${run}`,
        ...addresses.map((text) => `    - ${text}`),
        ...underWay.map((text) => `    - ${text} (was to be made, and may be there)`),
      ]);
      const what =
        lines.length === 0
          ? ""
          : "This is there now, and is being taken down. Interrupt again to stop at once:\nthen it stays, and errored_test.tfstate says what it is.\n";
      await io.stderr(
        `\nInterrupted: no further runs are begun.\n${what}${lines.map((line) => `${line}\n`).join("")}\n`,
      );
    },
    summary: (counts) => {
      const good = counts.status === "pass" || counts.status === "skip";
      const head = good ? style.green(style.bold("Success!")) : style.red(style.bold("Failure!"));
      return io.stdout(`\n${head} ${countsText(counts)}\n`);
    },
  };
}

async function showOutcome({ io, view }: Session, { run, outcome }: RunResult): Promise<void> {
  if (!outcome) return;
  if (run.command === "plan") await io.stdout(`${renderPlan(outcome.plan, view, outcome.pool)}\n`);
  else if (outcome.state) await io.stdout(`\n${await renderState(outcome.state, outcome.pool, view)}\n`);
}

async function tellLeft(session: Session, file: TestFile, { run, state, diagnostics }: LeftBehind): Promise<void> {
  const { io, view } = session;
  const name = programName(session.style);
  const say = (text: string) => wrapText(text, view.width).join("\n");
  const where = `${file.path}/${run.name}`;
  await io.stderr(`${say(`${name} encountered an error destroying resources created while executing ${where}.`)}\n`);
  await session.report(diagnostics);
  const left = leftObjects(state);
  if (left.length === 0) return;
  const text = `${name} left the following resources in state after executing ${where}, and they need to be cleaned up manually (they are in errored_test.tfstate too):`;
  await io.stderr(`\n${say(text)}\n${left.map((address) => `  - ${address}\n`).join("")}`);
}
