import type { Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import type { History } from "@millwright/engine/history";
import { changedOutputs, type RunRecord } from "@millwright/engine/history/record";
import { sourcesOf } from "@millwright/engine/provider-sources";
import type { CommandIo } from "../io.ts";
import { columns } from "../views/columns.ts";
import { momentText } from "../views/moment.ts";
import { renderPlan } from "../views/plan.ts";
import { wrapText } from "../views/style.ts";
import { runCommand } from "./command.ts";
import { destinationAt, folderOfRun } from "./destination.ts";
import { readState } from "./open-state.ts";
import { stateFlags, viewFlags } from "./options.ts";
import { withPool } from "./run-context.ts";
import type { CommandStyle, Session } from "./session.ts";

/** The flags of a list of runs. */
export const listFlags = {
  n: { kind: "int", help: "How many runs to list, the last ones (default 20; 0 is all)." },
  json: viewFlags.json,
  "no-color": viewFlags["no-color"],
} as const;

const flags = { ...listFlags, state: stateFlags.state } as const;

/** So many runs are listed where nothing is said. */
export const usualRuns = 20;

/** The runs that have changed a state: a list of them, or one in full. */
export function runHistory(args: readonly string[], io: CommandIo, style: CommandStyle): Promise<number> {
  return runCommand(
    {
      flags,
      usage: "history [flags] [RUN]",
      about:
        "Lists the runs that have changed the state: who, when, what, and what came of it. With the number of a run, shows that one with its plan. revert makes the plan that goes back to one.",
      example: "history 12",
      arguments: [0, 1],
      run: async ({ session, values, args: [text] }) => {
        const number = text === undefined ? undefined : runNumber(text);
        if (number === "mistake") return refuse(session, notANumber(text!));
        const state = await readState(session, values.state);
        if (!state) return 1;
        const { history } = state;
        if (number !== undefined) return showRun(session, history, number, values.json);
        return list(session, history, values.n ?? usualRuns, values.json);
      },
    },
    args,
    io,
    style,
  );
}

/** The number of a run as it is typed; 0 is the time before the first. */
export function runNumber(text: string): number | "mistake" {
  return /^\d{1,9}$/.test(text) ? Number(text) : "mistake";
}

export function notANumber(text: string): Diagnostic {
  return errorDiagnostic("Not a run", `"${text}" is not the number of a run. history lists them.`);
}

export async function refuse(session: Session, diagnostic: Diagnostic): Promise<number> {
  await session.report([diagnostic]);
  return 1;
}

/** The last runs of a history, so many at the most (0 is all), the oldest first. */
export async function lastRuns(history: History, most: number): Promise<readonly RunRecord[]> {
  const numbers = await history.numbers();
  const wanted = most > 0 ? numbers.slice(-most) : numbers;
  const records = await Promise.all(wanted.map((number) => history.record(number)));
  return records.filter((record) => record !== undefined);
}

async function list(session: Session, history: History, most: number, json: boolean): Promise<number> {
  const { io } = session;
  const runs = await lastRuns(history, most);
  if (json) {
    await io.stdout(`${JSON.stringify(runs)}\n`);
    return 0;
  }
  if (runs.length === 0) {
    await io.stdout(`No run has changed this state yet. Runs would be kept in\n${history.place}\n`);
    return 0;
  }
  await io.stdout(columns([runHeadings, ...runs.map(runCells)]));
  return 0;
}

/** The columns of a list of runs. */
export const runHeadings = ["RUN", "WHEN", "WHO", "WHAT", "RESULT"];

/** A run as a row of such a list. */
export function runCells(run: RunRecord): string[] {
  return [String(run.number), momentText(run.started), run.who, run.operation, outcomeText(run)];
}

async function showRun(session: Session, history: History, number: number, json: boolean): Promise<number> {
  const record = await history.record(number);
  if (!record) return refuse(session, noSuchRun(number, await history.numbers()));
  const { io, view } = session;
  if (json) {
    await io.stdout(`${JSON.stringify(record)}\n`);
    return 0;
  }
  const lines = [
    `Run ${record.number}: ${record.operation} by ${record.who}`,
    `Began ${momentText(record.started)}${record.ended === undefined ? "" : `, ended ${momentText(record.ended)}`}`,
    `Result: ${outcomeText(record)}`,
    ...(record.result?.errors ?? []).map((error) => `  ${error}`),
  ];
  const outputs = changedOutputs(record);
  if (outputs.length > 0) lines.push(`Outputs that changed: ${outputs.join(", ")}`);
  await io.stdout(`${lines.flatMap((line) => wrapText(line, view.width)).join("\n")}\n`);
  return showPlanOf(session, history, number);
}

async function showPlanOf(session: Session, history: History, number: number): Promise<number> {
  const run = await destinationAt(history, number);
  if (!run) {
    await session.io.stdout("\nThe plan of this run is kept no longer.\n");
    return 0;
  }
  const { configuration } = await folderOfRun(session, run, []);
  return withPool(session, async (pool) => {
    await pool.load(sourcesOf(configuration, run.saved.plan.priorState));
    await session.io.stdout(renderPlan(run.saved.plan, session.view, pool));
    return 0;
  });
}

export function noSuchRun(number: number, numbers: readonly number[]): Diagnostic {
  const range = numbers.length === 0 ? "No run is kept." : `Kept are runs ${numbers[0]} to ${numbers.at(-1)}.`;
  return errorDiagnostic("No such run", `There is no run ${number} in the history. ${range}`);
}

/** What came of a run, in a few words. */
function outcomeText({ ended, result }: RunRecord): string {
  if (!result || ended === undefined) return "did not end";
  const { added, changed, destroyed, complete, errors, waves } = result;
  const counts = `+${added} ~${changed} -${destroyed}`;
  if (complete) return counts;
  const why =
    errors.length > 0
      ? "failed"
      : waves && waves.begun < waves.count
        ? `stopped after wave ${waves.begun} of ${waves.count}`
        : "interrupted";
  return `${counts}, ${why}`;
}
