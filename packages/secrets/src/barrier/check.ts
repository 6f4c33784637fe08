import { invariant, OperationalError } from "@millwright/core/errors";
import { secretsErrors } from "../errors.ts";
import type { StorageChange, StorageCondition } from "../storage.ts";

const mostChanges = 60;
const mostBytes = 512 * 1024;
const mostPathBytes = 2 * 1024;

/**
 * Throws where a commit is not what the contract of a storage allows: as a bug where the caller decides it, with `badRequest`
 * or `tooLarge` where names and values of a client's may have led to it.
 */
export function checkCommit(changes: readonly StorageChange[], conditions: readonly StorageCondition[]): void {
  invariant(changes.length <= mostChanges, `a commit has at most ${mostChanges} changes`);
  invariant(conditions.length <= mostChanges, `a commit has at most ${mostChanges} conditions`);
  const paths = new Set(changes.map(({ path }) => path));
  invariant(paths.size === changes.length, "a commit changes a path once");
  for (const { path } of [...changes, ...conditions]) checkPath(path);
  const bytes = changes.reduce((sum, change) => sum + (change.op === "put" ? change.value.byteLength : 0), 0);
  if (bytes > mostBytes)
    throw new OperationalError(secretsErrors.tooLarge, `the value has ${bytes} bytes, and ${mostBytes} is the most`);
}

/** Throws where a path is not segments with single slashes between, or is longer than 2 KiB. */
export function checkPath(path: string): void {
  const isSound = path.isWellFormed() && path.split("/").every((segment) => segment !== "");
  if (isSound && Buffer.byteLength(path) <= mostPathBytes) return;
  const text = `the path cannot be: it is longer than ${mostPathBytes} bytes, or has a segment that is empty or no Unicode`;
  throw new OperationalError(secretsErrors.badRequest, text);
}
