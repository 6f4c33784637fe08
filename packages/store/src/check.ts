import { OperationalError } from "@millwright/core/errors";
import type { KeyRange, Operation, Transaction } from "./contract.ts";
import { keyRange, limits, storeErrors } from "./contract.ts";
import { compareKeys, overlap } from "./keys.ts";

/** Throws `limitExceeded`, `invalidKey` or `duplicateKey` where the contract does not allow this step. */
export function checkStep(step: Transaction): void {
  const when = step.when ?? [];
  const branches = [step.then, step.otherwise ?? []];
  if (when.length > limits.comparisons) throw tooLarge(`${when.length} comparisons`, `${limits.comparisons}`);
  for (const branch of branches)
    if (branch.length > limits.operations) throw tooLarge(`${branch.length} operations`, `${limits.operations}`);
  let bytes = 0;
  for (const comparison of when) {
    bytes += checkRange(comparison.range);
    if (comparison.is === "value") bytes += comparison.equals.byteLength;
  }
  for (const operation of branches.flat()) bytes += checkOperation(operation);
  if (bytes > limits.bytes) throw tooLarge(`${bytes} bytes of keys and values`, `${limits.bytes}`);
  for (const branch of branches) checkDisjoint(branch);
}

/** Throws `invalidKey` where a bound is not well-formed; gives the bytes of both bounds. */
export function checkRange(range: KeyRange): number {
  const to = range.to ?? "";
  if (!range.from.isWellFormed()) throw illFormed(range.from);
  if (!to.isWellFormed()) throw illFormed(to);
  return Buffer.byteLength(range.from) + Buffer.byteLength(to);
}

/** Throws `limitExceeded` where a lease cannot have this ttl. */
export function checkTtl(ttl: number): void {
  if (Number.isInteger(ttl) && ttl >= 1 && ttl <= limits.leaseSeconds) return;
  throw new OperationalError(
    storeErrors.limitExceeded,
    `A liveness lease of ${ttl} s cannot be granted: the ttl is a whole number of seconds from 1 to ${limits.leaseSeconds}.`,
  );
}

function checkOperation(operation: Operation): number {
  switch (operation.op) {
    case "put":
      return checkKey(operation.key) + operation.value.byteLength;
    case "delete":
      return checkKey(operation.key);
    case "deleteRange":
    case "get":
      return checkRange(operation.range);
  }
}

function checkKey(key: string): number {
  if (key === "") throw new OperationalError(storeErrors.invalidKey, "A key of the store must not be empty.");
  if (!key.isWellFormed()) throw illFormed(key);
  return Buffer.byteLength(key);
}

// Writes sorted by where they begin overlap with a later one only if they do with the one that reaches farthest.
function checkDisjoint(branch: readonly Operation[]): void {
  const writes = branch.flatMap(writtenRange).sort((a, b) => compareKeys(a.from, b.from));
  let farthest: KeyRange | undefined;
  for (const write of writes) {
    if (farthest && overlap(farthest, write)) {
      throw new OperationalError(
        storeErrors.duplicateKey,
        `The key ${JSON.stringify(write.from)} would be written twice by one step. Keep its last write only.`,
      );
    }
    if (!farthest || reaches(write, farthest)) farthest = write;
  }
}

function writtenRange(operation: Operation): KeyRange[] {
  switch (operation.op) {
    case "put":
    case "delete":
      return [keyRange(operation.key)];
    case "deleteRange":
      return [operation.range];
    case "get":
      return [];
  }
}

function reaches(a: KeyRange, b: KeyRange): boolean {
  if (b.to === undefined) return false;
  return a.to === undefined || compareKeys(a.to, b.to) > 0;
}

function illFormed(key: string): OperationalError {
  return new OperationalError(
    storeErrors.invalidKey,
    `The key ${JSON.stringify(key)} is not well-formed Unicode: it holds half of a surrogate pair.`,
  );
}

function tooLarge(what: string, most: string): OperationalError {
  return new OperationalError(
    storeErrors.limitExceeded,
    `The step has ${what}, and one step can have at most ${most}. Cut it into smaller steps.`,
  );
}
