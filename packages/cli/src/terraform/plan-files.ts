import { readFileSync } from "node:fs";
import { isKind, messageOf, OperationalError } from "@millwright/core/errors";
import { backendErrors } from "@millwright/engine/backend/errors";
import { writePrivateFile } from "@millwright/engine/backend/private-file";
import { planBytes, type SavedPlan, savedPlanOf } from "@millwright/engine/plan-file";
import { sealingOf } from "./backend/sealing.ts";
import type { GivenFlag } from "./options.ts";
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
