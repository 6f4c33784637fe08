import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { messageOf, OperationalError } from "@millwright/core/errors";
import type { Chance } from "@millwright/core/ports";
import { serverErrors } from "./errors.ts";

/** What nodes join with. */
export interface JoinToken {
  readonly token: string;
  /** Where it is kept, mode 0600; none for a server without a data folder. */
  readonly file?: string;
}

/** The join token of the configured file, else that of the data folder, where one is made the first time. */
export async function openJoinToken(
  places: { readonly file?: string; readonly dataFolder?: string },
  chance: Chance,
): Promise<JoinToken> {
  const fresh = () => Buffer.from(chance.bytes(32)).toString("base64url");
  const file = places.file ?? (places.dataFolder === undefined ? undefined : join(places.dataFolder, "join-token"));
  if (file === undefined) return { token: fresh() };
  try {
    const known = (await readFile(file, "utf8").catch(absentOnly)).trim();
    if (known !== "") return { token: known, file };
    const token = fresh();
    await writeFile(file, `${token}\n`, { mode: 0o600, flush: true });
    return { token, file };
  } catch (error) {
    const text = `Cannot use the join token's file ${file}: ${messageOf(error)}. Check the path and its permissions.`;
    throw new OperationalError(serverErrors.joinToken, text, { cause: error });
  }
}

function absentOnly(error: NodeJS.ErrnoException): string {
  if (error.code !== "ENOENT") throw error;
  return "";
}
