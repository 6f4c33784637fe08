import { randomBytes } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { messageOf, OperationalError } from "@millwright/core/errors";
import { allocationErrors } from "./errors.ts";
import type { Owner } from "./owner.ts";

/** Who may read a secret on the node; a task with an image of its own may be any user, in a folder that is closed to others. */
export interface SecretReaders {
  readonly owner: Owner | undefined;
  readonly hasOwnImage: boolean;
}

/** Puts a secret in a file for its readers; one finds the old one or the new one. Rejects with `folder`. */
export async function writeSecretFile(path: string, text: string, readers: SecretReaders): Promise<void> {
  const { owner, hasOwnImage } = readers;
  const fresh = join(dirname(path), `.${randomBytes(8).toString("hex")}.tmp`);
  try {
    const file = await open(fresh, "wx", 0o600);
    try {
      await file.writeFile(text);
      // By the file that is open: a task may put a link in the place of its name meanwhile.
      if (owner) await file.chown(owner.uid, owner.gid);
      else if (hasOwnImage) await file.chmod(0o644);
    } finally {
      await file.close();
    }
    await rename(fresh, path);
  } catch (error) {
    await rm(fresh, { force: true });
    const why = `Cannot write ${path}: ${messageOf(error)}. Check the folder's free space and who owns it.`;
    throw new OperationalError(allocationErrors.folder, why, { cause: error });
  }
}
