import { existsSync, lstatSync, mkdirSync, readFileSync, realpathSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { errorDiagnostic, hasErrors, warningDiagnostic } from "@millwright/core/diagnostics";
import type { History } from "@millwright/engine/history";
import type { RunRecord } from "@millwright/engine/history/record";
import type { Plan } from "@millwright/engine/plan";
import type { VariableSource } from "@millwright/engine/variables";
import { measureOf } from "@millwright/engine/waves/measure";
import { rawEquals } from "@millwright/value/operations";
import { unmarkDeep } from "@millwright/value/value";
import { describeFlags, type FlagTable } from "../flags.ts";
import type { CommandIo } from "../io.ts";
import { wrapText } from "../views/style.ts";
import { type ApplyCall, eventsOf, stateOf } from "./apply-call.ts";
import { applyFolder, type FolderToApply } from "./apply-planned.ts";
import { applyFlags } from "./apply.ts";
import { destinationAt, emptyFolder, folderOfRun } from "./destination.ts";
import type { LoadedFolder } from "./folder.ts";
import { noSuchRun, notANumber, refuse, runNumber } from "./history.ts";
import type { OpenState } from "./open-state.ts";
import { badPlanningFlags } from "./options.ts";
import { newPool } from "./run-context.ts";
import { planFolder } from "./run-plan.ts";
import { savePlanFile } from "./plan-files.ts";
import { shownPlan } from "./shown-plan.ts";
import { savedPlan } from "./saved-plan.ts";
import { runPlanning } from "./planning-session.ts";
import type { InstanceScope } from "./instance-scope.ts";
import type { CommandStyle, Session } from "./session.ts";
import { readLine } from "./read-line.ts";

const flags = {
  ...applyFlags,
  out: { kind: "string", value: "FILE", help: "Save the plan that goes back, for apply; nothing is changed." },
  "restore-files": {
    kind: "bool",
    help: "Also put the configuration's files back as they were; those that are there now are kept in .millwright/replaced.",
  },
} as const satisfies FlagTable;

/** Plans to go back to how everything was after an earlier run, shows that, asks, and does it. */
export async function runRevert(args: readonly string[], io: CommandIo, style: CommandStyle): Promise<number> {
  const parsed = await readLine(flags, args, io, () => help(style));
  if (typeof parsed === "number") return parsed;
  return runPlanning(io, style, parsed, {
    misuse: ({ session, args: given, values }) =>
      badPlanningFlags(values) ?? wrongArguments(given, values) ?? notForInstances(session, values),
    run: async ({ session, values, occurrences, args: [run] }) => {
      const call: ApplyCall = { session, verb: "apply", values, occurrences };
      const state = await stateOf(call);
      if (!state) return 1;
      try {
        return await revert(call, state, run, values);
      } finally {
        await state.release();
      }
    },
  });
}

function wrongArguments(
  args: readonly string[],
  values: { readonly json: boolean; readonly "auto-approve": boolean; readonly out: string | undefined },
) {
  const [run, more] = args;
  if (more !== undefined)
    return errorDiagnostic("Too many command line arguments", "revert takes the number of one run.");
  if (run !== undefined && runNumber(run) === "mistake") return notANumber(run);
  if (!values.json || values["auto-approve"] || values.out !== undefined) return undefined;
  return errorDiagnostic(
    "Nobody to ask",
    "With -json nobody can be asked, so revert needs -auto-approve or -out=FILE.",
  );
}

// What belongs to a list or a template is not one instance's to write.
function notForInstances(
  { instance }: Session,
  { out, "restore-files": restores }: { readonly out: string | undefined; readonly "restore-files": boolean },
) {
  if (!instance || (out === undefined && !restores)) return undefined;
  const detail =
    out === undefined
      ? `The files of the template ${instance.template} are those of all its instances. Put right by hand what revert names.`
      : "A saved plan of instances comes from their list, as it is now. Without -out, revert shows its plan and asks.";
  return errorDiagnostic(`Not for an instance: -${out === undefined ? "restore-files" : "out"}`, detail);
}

async function revert(
  call: ApplyCall,
  state: OpenState,
  text: string | undefined,
  values: { readonly out: string | undefined; readonly "restore-files": boolean },
): Promise<number> {
  const { session } = call;
  const numbers = await state.history.numbers();
  const last = numbers.at(-1);
  if (last === undefined) {
    const detail = `No run is kept in ${state.history.place}, so there is nothing to go back to. Runs are kept from the first apply on.`;
    return refuse(session, errorDiagnostic("Nothing to go back to", detail));
  }
  const number = text === undefined ? (numbers.at(-2) ?? 0) : Number(text);
  if (number !== 0 && !numbers.includes(number)) return refuse(session, noSuchRun(number, numbers));
  const destination = number === 0 ? undefined : await destinationAt(state.history, number);
  if (number !== 0 && !destination) {
    const detail = `The plan of run ${number} is kept no longer, and with it the configuration. Go back to a later run.`;
    return refuse(session, errorDiagnostic("Run kept no longer", detail));
  }
  if (!(await warnOf(call, state.history, number))) return 1;
  const folder = destination ? await folderOfRun(session, destination, call.occurrences) : emptyFolder();
  const lost = await lostSince(state.history, number, numbers);
  const what: FolderToApply = {
    folder,
    mode: destination && destination.saved.plan.mode !== "destroy" ? "normal" : "destroy",
    operation: `revert to ${number}`,
    foreword: (plan) => foreword(session, plan, lost),
  };
  if (values.out !== undefined) return savePlanBack(call, state, what, values.out);
  const code = await applyFolder(call, state, what);
  if (code === 0 && destination) await afterwards(session, folder, number, values["restore-files"]);
  return code;
}

/** A run that was not carried out wholly, or only in parts, is a place to go back to all the same, but one should know. */
async function warnOf({ session }: ApplyCall, history: History, number: number): Promise<boolean> {
  const record = number === 0 ? undefined : await history.record(number);
  if (!record || record.result?.complete) return true;
  const detail = `Run ${number} was not carried out wholly. Going back to it means to what its configuration says, which was never there as a whole.`;
  return session.report([warningDiagnostic("Run was not complete", detail)]);
}

// What the runs since then have done that cannot be undone: the objects are made again, but not what was in them.
async function lostSince(
  history: History,
  number: number,
  numbers: readonly number[],
): Promise<readonly RunRecord["irreversible"][number][]> {
  const since = numbers.filter((one) => one > number);
  const records = await Promise.all(since.map((one) => history.record(one)));
  return records.flatMap((record) => record?.irreversible ?? []);
}

function foreword(
  { style, view: { width } }: Session,
  plan: Plan,
  lost: readonly RunRecord["irreversible"][number][],
): string {
  const touched = new Set(plan.changes.filter(({ action }) => action !== "no-op").map(({ address }) => address.text));
  const before = lost
    .filter(({ address }) => touched.has(address))
    .map(({ address }) => `${address}: was destroyed since; what it held stays lost`);
  // Under our own name the plan has just said what it cannot undo itself.
  const now =
    style === "millwright" ? [] : measureOf(plan).irreversible.map(({ address, why }) => `${address}: ${why}`);
  const all = [...new Set([...before, ...now])];
  if (all.length === 0) return "";
  const head = style === "millwright" ? "What was lost since then does not come back:" : "This cannot be undone:";
  const lines = ["", head, ...all.map((line) => `  - ${line}`)];
  return `${lines.flatMap((line) => wrapText(line.trim(), width - 4).map((part, at) => (line.startsWith(" ") ? (at === 0 ? "  " : "    ") : "") + part)).join("\n")}\n`;
}

async function savePlanBack(call: ApplyCall, state: OpenState, what: FolderToApply, out: string): Promise<number> {
  const { session, values, occurrences } = call;
  const pool = await newPool(session);
  try {
    const { folder, mode } = what;
    const found = await planFolder({
      session,
      folder,
      state,
      pool,
      values,
      occurrences,
      mode,
      events: eventsOf(call, "plan"),
    });
    const { plan, diagnostics } = found;
    if (plan) session.tellJson((view) => view.plan(plan, hasErrors(diagnostics)));
    if (plan && !session.json) await session.io.stdout(shownPlan(session, plan, pool) + (what.foreword?.(plan) ?? ""));
    if (!(await session.report(diagnostics)) || !plan) return 1;
    if (
      !(await savePlanFile(session, session.path(out), await savedPlan(session, plan, folder, state), call.occurrences))
    )
      return 1;
    if (!session.json)
      await session.io.stdout(
        `\nSaved the plan to: ${out}\n\nTo go back, run:\n    ${session.style} apply ${JSON.stringify(out)}\n`,
      );
    return 0;
  } finally {
    await pool.close();
  }
}

async function afterwards(
  session: Session,
  { files, kept }: LoadedFolder,
  number: number,
  restores: boolean,
): Promise<void> {
  const changed = [...files].filter(([name, bytes]) => {
    // What init installs is not the user's, and other folders are others'.
    const path = session.path(name);
    if (name.startsWith(".terraform/") || !isWithin(session.folder, path)) return false;
    return !existsSync(path) || !readFileSync(path).equals(bytes);
  });
  if (session.instance) return sayLeftInList(session, session.instance, changed, kept?.variables ?? []);
  if (changed.length === 0) return;
  if (!restores) {
    const names = changed.map(([name]) => name).join(", ");
    const text = `The files of this folder do not say so yet: ${names}. The next apply would bring back what was taken back. Put them right, or run: revert -restore-files ${number}`;
    if (!session.json) await session.io.stdout(`\n${wrapText(text, session.view.width).join("\n")}\n`);
    return;
  }
  const aside = session.path(join(".millwright", "replaced", new Date().toISOString().replaceAll(":", "-")));
  for (const [name, bytes] of changed) {
    const path = session.path(name);
    if (lstatSync(path, { throwIfNoEntry: false })) {
      mkdirSync(dirname(join(aside, name)), { recursive: true, mode: 0o700 });
      renameSync(path, join(aside, name));
    }
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes, { flag: "wx" });
  }
  if (!session.json)
    await session.io.stdout(
      `\nPut back ${changed.length === 1 ? "a file" : `${changed.length} files`}; what was there is in ${aside}\n`,
    );
}

/** What would bring back at the next apply what was taken back of an instance: its template, and the inputs that the list gives it. */
async function sayLeftInList(
  session: Session,
  { template, inputs }: InstanceScope,
  changed: readonly (readonly [string, Uint8Array])[],
  variables: readonly VariableSource[],
): Promise<void> {
  const before = new Map(variables.flatMap((one) => (one.kind === "value" ? [[one.name, one.value] as const] : [])));
  const others = inputs.flatMap((one) => {
    if (one.kind !== "value") return [];
    const value = before.get(one.name);
    return value && rawEquals(unmarkDeep(value)[0], unmarkDeep(one.value)[0]) ? [] : [`the input ${one.name}`];
  });
  const left = [...changed.map(([name]) => `${template}/${name}`), ...others];
  if (left.length === 0 || session.json) return;
  const text = `The list and the template do not say so yet: ${left.join(", ")}. The next apply would bring back what was taken back. Put them right.`;
  await session.io.stdout(`\n${wrapText(text, session.view.width).join("\n")}\n`);
}

// A history may lie where others write it too: its names are not to lead out of the folder, nor over a link that does.
function isWithin(folder: string, path: string): boolean {
  if (relative(folder, path).startsWith("..")) return false;
  for (let at = dirname(path); ; at = dirname(at))
    if (existsSync(at)) return !relative(realpathSync(folder), realpathSync(at)).startsWith("..");
}

function help(style: CommandStyle): string {
  return `Usage: ${style} revert [flags] [RUN]

Plans to go back to how everything was after an earlier run, with the
configuration and the variables of that run, names what cannot be undone, and
asks. Without a number, to the run before the last one; 0 is the time before
the first, when there was nothing. history lists the runs.

Example: ${style} revert 11

${describeFlags(flags)}`;
}
