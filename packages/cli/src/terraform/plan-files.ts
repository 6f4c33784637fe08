import { existsSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import { isKind, messageOf, OperationalError } from "@millwright/core/errors";
import { backendErrors } from "@millwright/engine/backend/errors";
import { writePrivateFile } from "@millwright/engine/backend/private-file";
import { planBytes, type SavedPlan, savedPlanOf } from "@millwright/engine/plan-file";
import { wrapText } from "../views/style.ts";
import { sealingOf } from "./backend/sealing.ts";
import type { GivenFlag } from "./options.ts";
import { programName } from "./program-name.ts";
import type { Session } from "./session.ts";

/** Saves a plan, encrypted where the folder says so. False where that cannot be told, which was reported. */
export async function savePlanFile(
  session: Session,
  path: string,
  saved: SavedPlan,
  occurrences: readonly GivenFlag[],
): Promise<boolean> {
  const sealing = await sealingOf(session, occurrences, "plan");
  if (!sealing) return false;
  const bytes = await sealing.seal(planBytes(saved));
  try {
    writePrivateFile(path, bytes);
  } catch (error) {
    const text = `The plan file ${path} cannot be written: ${messageOf(error)}.`;
    throw new OperationalError(backendErrors.stateUnwritable, text, { cause: error });
  }
  return true;
}

/** What is wrong with the place where a plan is to be saved. */
export function noPlaceFor(session: Session, out: string | undefined): Diagnostic | undefined {
  const folder = out === undefined ? undefined : dirname(session.path(out));
  if (folder === undefined || existsSync(folder)) return undefined;
  const detail = `There is no folder ${folder} to save the plan in. Make it first, or name another file with -out.`;
  return errorDiagnostic("Cannot save the plan", detail);
}

/** The last words of a plan: where it was saved, and how it is carried out. */
export function afterPlan({ style, view, io }: Session, out: string | undefined, changes: boolean): string {
  // Where a machine runs this, nobody reads what to type next.
  if (io.env.TF_IN_AUTOMATION) return out === undefined ? "" : `\nSaved the plan to: ${out}\n`;
  const line = `\n${"─".repeat(Math.min(77, view.width))}\n`;
  if (out !== undefined)
    return `${line}\nSaved the plan to: ${out}\n\nTo perform exactly these actions, run the following command to apply:\n    ${style} apply ${JSON.stringify(out)}\n`;
  if (!changes) return "";
  const name = programName(style);
  const note = `Note: You didn't use the -out option to save this plan, so ${name} can't guarantee to take exactly these actions if you run "${style} apply" now.`;
  return `${line}\n${wrapText(note, view.width).join("\n")}\n`;
}

/** Reads a saved plan. Undefined where it cannot be told how it is encrypted, which was reported; rejects with `planUnreadable`. */
export async function readSavedPlan(
  session: Session,
  path: string,
  occurrences: readonly GivenFlag[] = [],
): Promise<SavedPlan | undefined> {
  const sealing = await sealingOf(session, occurrences, "plan");
  if (!sealing) return undefined;
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    const text = `${path} cannot be read as a saved plan: ${messageOf(error)}.`;
    throw new OperationalError(backendErrors.planUnreadable, text, { cause: error });
  }
  try {
    return savedPlanOf(await sealing.open(bytes), path);
  } catch (error) {
    if (!isKind(error, backendErrors.sealUnopened)) throw error;
    const text = `The plan ${path} cannot be decrypted: ${error.message} Check passphrases and keys.`;
    throw new OperationalError(backendErrors.sealUnopened, text, { cause: error });
  }
}

/** Whether a file is one that is encrypted, be it a plan or a state. */
export function isEncrypted(bytes: Uint8Array): boolean {
  return bytes[0] === 0x7b && Buffer.from(bytes).includes('"encryption_version"');
}
