import { errorDiagnostic } from "@millwright/core/diagnostics";
import { systemChance, systemClock } from "@millwright/core/ports";
import type { WorkingFolder } from "@millwright/backends/working-folder";
import { KeptState } from "@millwright/engine/backend/kept-state";
import { LocalSlot } from "@millwright/engine/backend/local-storage";
import { newLockInfo } from "@millwright/engine/backend/lock-info";
import type { Sealing } from "@millwright/engine/backend/sealing";
import { type SlotLock, type StateSlot, type StateStorage, takeLock } from "@millwright/engine/backend/storage";
import { isEmptyState } from "@millwright/engine/state";
import { productVersion } from "../../product.ts";
import { wrapText } from "../../views/style.ts";
import { ask } from "../ask.ts";
import type { Session } from "../session.ts";
import { sealingOf } from "./sealing.ts";

export interface MigrationOptions {
  /** Whether somebody may be asked; `yes` answers every question with yes. */
  readonly questions: "ask" | "yes" | "refuse";
  readonly lock: { readonly timeout: number } | "none";
}

export interface Migration {
  readonly from: StateStorage;
  readonly to: StateStorage;
  /** Of the two backends. */
  readonly names: { readonly from: string; readonly to: string };
  readonly working: WorkingFolder;
  readonly options: MigrationOptions;
  /** Whether files that states were copied from are left empty: then a folder without its block does not go on from them. */
  readonly old: "kept" | "emptied";
}

/**
 * Copies states from one place to another, after a question for what would be lost or made. False where it was refused or
 * could not be done, which was reported; the old place is as it was then.
 */
export async function migrate(session: Session, migration: Migration): Promise<boolean> {
  const { from, to, names, working } = migration;
  const sealing = await sealingOf(session, [], "state");
  if (!sealing) return false;
  const { signal } = session.io;
  const all = from.keepsWorkspaces ? await from.workspaces(signal) : ["default"];
  const current = working.workspace;
  if (all.length === 1) return copyOne(session, migration, sealing, "default", "default");
  if (!to.keepsWorkspaces) {
    const question = `Destination state "${names.to}" doesn't support workspaces. Do you want to copy only your current workspace?`;
    const more = `The backend "${names.from}" has the workspaces ${all.join(", ")}, and "${names.to}" keeps one state. With "yes" the state of ${JSON.stringify(current)} is copied, and the others stay where they are.`;
    if (!(await confirm(session, migration, question, more))) return false;
    if (!(await copyOne(session, migration, sealing, current, "default"))) return false;
    working.select("default");
    return true;
  }
  const question = `Do you want to migrate all workspaces to "${names.to}"?`;
  const more = `Both backends keep workspaces: ${all.join(", ")} are copied from "${names.from}" to "${names.to}" under the same names. A state of such a name that is there already is overwritten. With "no" nothing is done.`;
  if (!(await confirm(session, migration, question, more))) return false;
  for (const name of all) if (!(await copy(session, migration, sealing, name, name))) return false;
  return true;
}

/** Copies one state, with the question that fits what is at either end. */
async function copyOne(
  session: Session,
  migration: Migration,
  sealing: Sealing,
  source: string,
  target: string,
): Promise<boolean> {
  const { from, to, names } = migration;
  const old = await read(session, from.slot(source), sealing);
  const there = await read(session, to.slot(target), sealing);
  if (!old || !there) return false;
  const { lineage, serial, state } = old.current;
  if (lineage === "" || (isEmptyState(state) && there.current.lineage !== "")) return true;
  if (there.current.lineage === lineage && there.current.serial === serial) return true;
  const question = "Do you want to copy existing state to the new backend?";
  const more =
    there.current.lineage === ""
      ? `There is a state in the backend "${names.from}", and none yet in "${names.to}". With "yes" it is copied; with "no" the new backend begins with an empty state.`
      : `There is a state in the backend "${names.from}" (${old.place}, serial ${serial}), and another in "${names.to}" (${there.place}, serial ${there.current.serial}). With "yes" the new one is overwritten with the old one; with "no" it is kept, and the old one stays where it is.`;
  const answer = await answerTo(session, migration, question, more);
  if (answer === undefined) return false;
  return answer ? copy(session, migration, sealing, source, target) : true;
}

async function copy(
  session: Session,
  { from, to, old: after, options }: Migration,
  sealing: Sealing,
  source: string,
  target: string,
): Promise<boolean> {
  const [slot, place] = [from.slot(source), to.slot(target)];
  // Two local backends may keep a workspace in the same file, which is where it is to be.
  if (slot instanceof LocalSlot && place instanceof LocalSlot && slot.place === place.place) return true;
  const locks: SlotLock[] = [];
  try {
    if (options.lock !== "none")
      for (const each of [slot, place]) locks.push(await hold(session, each, options.lock.timeout));
    const old = await read(session, slot, sealing);
    const there = await read(session, place, sealing);
    if (!old || !there) return false;
    if (old.current.lineage === "") return true;
    await there.put(old.current);
    if (after === "emptied" && slot.place !== place.place) await emptyFile(slot);
    return true;
  } finally {
    for (const lock of locks.reverse()) await lock.release();
  }
}

/** A file whose state is elsewhere now is left empty, with what was in it as its backup: as Terraform leaves it. */
async function emptyFile(slot: StateSlot): Promise<void> {
  const bytes = await slot.read(new AbortController().signal);
  if (bytes) await new LocalSlot(`${slot.place}.backup`).write(bytes);
  await slot.write(new Uint8Array());
}

async function read(session: Session, slot: StateSlot, sealing: Sealing): Promise<KeptState | undefined> {
  const places = { from: slot, to: slot, runPath: slot.place, folder: session.folder };
  const options = { sealing, newLineage: () => systemChance.uuid(), signal: session.io.signal };
  const opened = await KeptState.open(places, options);
  return (await session.report(opened.diagnostics)) ? opened.value : undefined;
}

function hold(session: Session, slot: StateSlot, timeout: number): Promise<SlotLock> {
  const ports = { clock: systemClock, chance: systemChance };
  const what = { operation: "migration", version: productVersion, path: slot.place };
  return takeLock(slot, { info: newLockInfo(what, ports), timeout, clock: systemClock, signal: session.io.signal });
}

/** Whether it is to be done; a no ends the migration. */
async function confirm(session: Session, migration: Migration, question: string, more: string): Promise<boolean> {
  const answer = await answerTo(session, migration, question, more);
  if (answer === false)
    await session.report([
      errorDiagnostic("Migration aborted by user.", "Nothing was copied, and the folder is as it was."),
    ]);
  return answer === true;
}

/** Undefined where nobody may be asked, or nobody answered, which was reported. */
async function answerTo(
  session: Session,
  { options }: Migration,
  question: string,
  more: string,
): Promise<boolean | undefined> {
  if (options.questions === "yes") return true;
  const why = "Error asking for state migration action";
  if (options.questions === "refuse") {
    const detail = `${question} ${more}\n\nWith -input=false nobody is asked: give -force-copy to answer with yes.`;
    await session.report([errorDiagnostic(`${why}: input is disabled`, detail)]);
    return undefined;
  }
  const explained = wrapText(more, session.view.width - 2).map((line) => `  ${line}\n`);
  const answer = (await ask(session.io, `\n${question}\n${explained.join("")}\n  Enter a value: `))?.trim();
  if (answer === "yes" || answer === "no") return answer === "yes";
  const detail =
    answer === undefined ? "There was no answer (the input has ended)." : 'Only "yes" and "no" are answers to this.';
  await session.report([errorDiagnostic(why, detail)]);
  return undefined;
}
