import { readFile } from "node:fs/promises";
import { OperationalError } from "@millwright/core/errors";
import { allocationErrors } from "./errors.ts";

/** Whom a task's files belong to. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * The owner that a task's `user` names: a name of this machine, or `uid` or `uid:gid`. Undefined where it names none, and where this
 * program may give files to nobody. Rejects with `refused` for a name that is not there.
 */
export async function ownerOf(user: string): Promise<Owner | undefined> {
  if (user === "" || process.getuid?.() !== 0) return undefined;
  const [, uid, gid] = /^(\d+)(?::(\d+))?$/.exec(user) ?? [];
  if (uid !== undefined) return { uid: Number(uid), gid: Number(gid ?? uid) };
  const line = (await readFile("/etc/passwd", "utf8")).split("\n").find((one) => one.startsWith(`${user}:`));
  const [, , foundUid, foundGid] = line?.split(":") ?? [];
  if (foundUid !== undefined && foundGid !== undefined) return { uid: Number(foundUid), gid: Number(foundGid) };
  const text = `This node has no user ${JSON.stringify(user)}. Make it there, or write another user in the task.`;
  throw new OperationalError(allocationErrors.refused, text);
}
