import { assertNever, OperationalError } from "@millwright/core/errors";
import type {
  Comparison,
  Entry,
  KeyRange,
  LeaseId,
  Operation,
  OperationResult,
  Transaction,
  WatchEvent,
} from "./contract.ts";
import { keyRange, storeErrors } from "./contract.ts";
import type { History } from "./history.ts";
import { isOneKey } from "./keys.ts";

/** What carrying out a step gave; `events` is empty where it changed nothing. */
export interface StepOutcome {
  readonly succeeded: boolean;
  readonly results: readonly OperationResult[];
  readonly events: readonly WatchEvent[];
}

/**
 * Carries out a checked step on a history whose newest revision is `newest`; what it writes is revision `newest` + 1.
 * Throws `leaseNotFound` before anything is written. Copies the values that it keeps.
 */
export function executeStep(
  history: History,
  newest: number,
  step: Transaction,
  leaseExists: (lease: LeaseId) => boolean,
): StepOutcome {
  const succeeded = (step.when ?? []).every((comparison) => holds(history, newest, comparison));
  const operations = succeeded ? step.then : (step.otherwise ?? []);
  for (const operation of operations) {
    if (operation.op === "put" && operation.lease !== undefined && !leaseExists(operation.lease))
      throw leaseNotFound(operation.lease);
  }
  const events: WatchEvent[] = [];
  const results = operations.map((operation) => carryOut(history, newest + 1, operation, events));
  return { succeeded, results, events };
}

export function leaseNotFound(lease: LeaseId): OperationalError {
  return new OperationalError(
    storeErrors.leaseNotFound,
    `The liveness lease ${lease} has ended or never was. Grant a new one and write the key again.`,
  );
}

function carryOut(history: History, revision: number, operation: Operation, events: WatchEvent[]): OperationResult {
  switch (operation.op) {
    case "put":
      events.push(history.put(revision, operation.key, new Uint8Array(operation.value), operation.lease));
      return { op: "put" };
    case "delete":
      return { op: "delete", deleted: deleteAll(history, revision, keyRange(operation.key), events) };
    case "deleteRange":
      return { op: "deleteRange", deleted: deleteAll(history, revision, operation.range, events) };
    case "get":
      return getAll(history, revision, operation.range, operation.limit ?? Infinity);
    default:
      return assertNever(operation);
  }
}

function deleteAll(history: History, revision: number, range: KeyRange, events: WatchEvent[]): number {
  const before = events.length;
  for (const { key } of entriesOf(history, revision, range)) {
    const event = history.delete(revision, key);
    if (event) events.push(event);
  }
  return events.length - before;
}

function getAll(history: History, revision: number, range: KeyRange, limit: number): OperationResult {
  const entries: Entry[] = [];
  let more = false;
  history.scan(range, revision, Infinity, (entry) => {
    more = entries.length === limit;
    if (!more) entries.push(entry);
    return !more;
  });
  return { op: "get", entries, more };
}

function entriesOf(history: History, revision: number, range: KeyRange): readonly Entry[] {
  if (isOneKey(range)) {
    const entry = history.at(range.from, revision);
    return entry ? [entry] : [];
  }
  const entries: Entry[] = [];
  history.scan(range, revision, Infinity, (entry) => entries.push(entry) > 0);
  return entries;
}

function holds(history: History, revision: number, comparison: Comparison): boolean {
  const one = isOneKey(comparison.range);
  switch (comparison.is) {
    case "absent":
      return !anyIn(history, revision, comparison.range);
    case "present":
      return anyIn(history, revision, comparison.range);
    case "value": {
      const entries = entriesOf(history, revision, comparison.range);
      if (one && entries.length === 0) return false;
      return entries.every((entry) => Buffer.compare(entry.value, comparison.equals) === 0);
    }
    case "created":
    case "modified": {
      const numbers = entriesOf(history, revision, comparison.range).map((entry) => entry[comparison.is]);
      if (one && numbers.length === 0) numbers.push(0);
      return numbers.every((number) => compare(number, comparison.op, comparison.revision));
    }
    default:
      return assertNever(comparison);
  }
}

function anyIn(history: History, revision: number, range: KeyRange): boolean {
  if (isOneKey(range)) return history.at(range.from, revision) !== undefined;
  let any = false;
  history.scan(range, revision, Infinity, () => {
    any = true;
    return false;
  });
  return any;
}

function compare(a: number, op: "=" | "!=" | "<" | ">", b: number): boolean {
  switch (op) {
    case "=":
      return a === b;
    case "!=":
      return a !== b;
    case "<":
      return a < b;
    case ">":
      return a > b;
    default:
      return assertNever(op);
  }
}
