import { randomBytes } from "node:crypto";
import { chown, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { messageOf, OperationalError } from "@millwright/core/errors";
import { allocationErrors } from "./errors.ts";
import type { Owner } from "./owner.ts";

/** Puts a secret in a file for its owner alone; a reader finds the old one or the new one. Rejects with `folder`. */
export async function writeSecretFile(path: string, text: string, owner: Owner | undefined): Promise<void> {
  const fresh = join(dirname(path), `.${randomBytes(8).toString("hex")}.tmp`);
  try {
    await writeFile(fresh, text, { mode: 0o600, flag: "wx" });
    if (owner) await chown(fresh, owner.uid, owner.gid);
    await rename(fresh, path);
  } catch (error) {
    await rm(fresh, { force: true });
    const why = `Cannot write ${path}: ${messageOf(error)}. Check the folder's free space and who owns it.`;
    throw new OperationalError(allocationErrors.folder, why, { cause: error });
  }
}
