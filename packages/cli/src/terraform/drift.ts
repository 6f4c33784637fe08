import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Diagnosed } from "@millwright/core/diagnostics";
import { errorDiagnostic, hasErrors } from "@millwright/core/diagnostics";
import { type DriftReport, driftReport } from "@millwright/engine/drift";
import { type DriftIgnore, readIgnoreList } from "@millwright/engine/drift-ignore";
import type { FlagTable, FlagValues } from "../flags.ts";
import type { CommandIo } from "../io.ts";
import { driftLogText, driftPlain, renderDriftReport } from "../views/drift-report.ts";
import { eventsOf } from "./apply-call.ts";
import { type CommandCall, runCommand } from "./command.ts";
import { driftRecord, keepDrift, keptDrift } from "./drift-log.ts";
import { loadFolder } from "./folder.ts";
import { openState, stateOptions } from "./open-state.ts";
import { badPlanningFlags, planningFlags, stateFlags, variableFlags, viewFlags } from "./options.ts";
import { newPool } from "./run-context.ts";
import { planFolder } from "./run-plan.ts";
import type { CommandStyle, Session } from "./session.ts";

const defaultList = "drift.ignore";

/** The flags of drift. */
export const driftFlags = {
  ...variableFlags,
  ...stateFlags,
  ...viewFlags,
  target: planningFlags.target,
  "target-file": planningFlags["target-file"],
  exclude: planningFlags.exclude,
  "exclude-file": planningFlags["exclude-file"],
  parallelism: planningFlags.parallelism,
  input: planningFlags.input,
  "ignore-file": {
    kind: "string",
    value: "FILE",
    help: `The list of drift that may be (default ${defaultList}, where there is one).`,
  },
  history: { kind: "bool", help: "Look at nothing; list what was found before." },
} as const satisfies FlagTable;

type Call = Pick<CommandCall<typeof driftFlags>, "session" | "values" | "occurrences">;

/** Looks for what has changed outside since the last apply. Exits with 2 where there is any that nobody has said may be. */
export function runDrift(args: readonly string[], io: CommandIo, style: CommandStyle): Promise<number> {
  return runCommand(
    {
      flags: driftFlags,
      usage: "drift [flags]",
      about:
        "Reads every object again and says which are no longer what the state says. Nothing is changed. What drift.ignore lists, with a reason and a last day, does not count. Exits with 0 where there is no drift, 2 where there is some, 1 on errors. What was found is kept in .millwright/history/drift.jsonl, without values.",
      example: "drift -ignore-file=reviewed.ignore",
      arguments: [0, 0],
      run: (call) => (call.values.history ? listHistory(call) : look(call)),
    },
    args,
    io,
    style,
  );
}

async function listHistory({ session, values }: Call): Promise<number> {
  const records = keptDrift(session);
  await session.io.stdout(values.json ? `${JSON.stringify(records)}\n` : driftLogText(records));
  return 0;
}

async function look(call: Call): Promise<number> {
  const wrong = badPlanningFlags(planningOf(call.values));
  if (wrong && !(await call.session.report([wrong]))) return 1;
  const looked = await lookForDrift(call);
  if (!looked) return 1;
  const { report, text } = looked;
  const { json } = call.values;
  await call.session.io.stdout(json ? `${JSON.stringify({ format_version: "1.0", ...driftPlain(report) })}\n` : text);
  return report.found.length > 0 ? 2 : 0;
}

/** What the flags say as those of a plan. */
export function planningOf(values: Call["values"]): FlagValues<typeof planningFlags> {
  const how = { destroy: false, "refresh-only": true, refresh: true, "allow-deferral": false } as const;
  return { ...values, ...how, replace: [], "allow-destroy": [] };
}

/** What has changed outside, and the same for people. Undefined where it cannot be told, which was reported. */
export async function lookForDrift({
  session,
  values,
  occurrences,
}: Call): Promise<{ readonly report: DriftReport; readonly text: string } | undefined> {
  const today = new Date().toISOString().slice(0, 10);
  const list = ignoreList(session, values["ignore-file"], today);
  if (!(await session.report(list.diagnostics))) return undefined;
  const folder = await loadFolder(session, occurrences);
  const state = await openState(session, stateOptions(values, occurrences, "OperationTypePlan"));
  if (!state) return undefined;
  const pool = await newPool(session);
  try {
    const asked = planningOf(values);
    const events = values.json ? () => undefined : eventsOf({ session }, "plan");
    const input = { session, folder, state, pool, values: asked, occurrences, mode: "refresh-only", events } as const;
    const { plan, diagnostics } = await planFolder(input);
    const told = values.json ? diagnostics.filter((d) => d.severity === "error") : diagnostics;
    if (!(await session.report(told)) || !plan || hasErrors(diagnostics)) return undefined;
    const report = driftReport(plan, list.value, today);
    keepDrift(session, driftRecord(report, plan.lineage, plan.serial));
    return { report, text: renderDriftReport(report, session.view, pool) };
  } finally {
    await pool.close();
    await state.release();
  }
}

function ignoreList(session: Session, given: string | undefined, today: string): Diagnosed<readonly DriftIgnore[]> {
  const name = given ?? defaultList;
  // The template of an instance brings its list; a flag was typed in the folder of the instances.
  const path = given === undefined ? session.path(name) : resolve(session.instance?.listFolder ?? session.folder, name);
  if (existsSync(path)) return readIgnoreList(name, readFileSync(path), today);
  if (given === undefined) return { value: [], diagnostics: [] };
  const detail = `There is no file ${path}.`;
  return { value: [], diagnostics: [errorDiagnostic("No list of ignored drift", detail)] };
}
