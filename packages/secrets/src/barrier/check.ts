import { invariant } from "@millwright/core/errors";
import type { StorageChange, StorageCondition } from "../storage.ts";

const mostChanges = 60;
const mostBytes = 512 * 1024;
const mostPathBytes = 4 * 1024;

/** Throws where a commit is not what the contract of a storage allows: that is a bug of the caller. */
export function checkCommit(changes: readonly StorageChange[], conditions: readonly StorageCondition[]): void {
  invariant(changes.length <= mostChanges, `a commit has at most ${mostChanges} changes`);
  invariant(conditions.length <= mostChanges, `a commit has at most ${mostChanges} conditions`);
  const paths = new Set(changes.map(({ path }) => path));
  invariant(paths.size === changes.length, "a commit changes a path once");
  for (const { path } of [...changes, ...conditions]) checkPath(path);
  const bytes = changes.reduce((sum, change) => sum + (change.op === "put" ? change.value.byteLength : 0), 0);
  invariant(bytes <= mostBytes, `a commit holds at most ${mostBytes} bytes`);
}

/** Throws where a path is not segments with single slashes between. */
export function checkPath(path: string): void {
  const sound = path.isWellFormed() && path.split("/").every((segment) => segment !== "");
  invariant(sound && Buffer.byteLength(path) <= mostPathBytes, "a path is segments with single slashes between");
}
