import { assertNever, invariant } from "@millwright/core/errors";
import type {
  Comparison,
  CompareOp,
  Entry,
  KeyRange,
  LeaseId,
  Operation,
  OperationResult,
  Transaction,
} from "./contract.ts";
import type {
  EtcdCompare,
  EtcdKeyValue,
  EtcdOperation,
  EtcdOperationResponse,
  EtcdTxnRequest,
  EtcdTxnResponse,
} from "./etcd-protocol.ts";
import { compareKeys, isOneKey } from "./keys.ts";

/**
 * Where a store lies in an etcd: key K is `<prefix>k<K>`. Behind all of them is `<prefix>l`, the tick, a key that is
 * written to learn how far a watch has come.
 */
export class EtcdPlace {
  readonly #prefix: string;
  readonly #skip: number;

  constructor(prefix: string) {
    this.#prefix = prefix;
    this.#skip = Buffer.byteLength(prefix) + 1;
  }

  get tick(): Buffer {
    return Buffer.from(`${this.#prefix}l`);
  }

  /** All keys and the tick. */
  get everything(): { readonly key: Buffer; readonly range_end: Buffer } {
    return { key: this.key(""), range_end: Buffer.from(`${this.#prefix}l\0`) };
  }

  key(key: string): Buffer {
    return Buffer.from(`${this.#prefix}k${key}`);
  }

  range(range: KeyRange): { readonly key: Buffer; readonly range_end: Buffer } {
    return { key: this.key(range.from), range_end: range.to === undefined ? this.tick : this.key(range.to) };
  }

  isTick(key: Buffer): boolean {
    return key.equals(this.tick);
  }

  /** The store's key of an etcd key in its place; another program's may lie there, and be no text. */
  name(key: Buffer): string {
    return key.toString("utf8", this.#skip);
  }

  entry(kv: EtcdKeyValue): Entry {
    return {
      key: this.name(kv.key),
      value: plainBytes(kv.value),
      created: Number(kv.create_revision),
      modified: Number(kv.mod_revision),
      version: Number(kv.version),
      ...(kv.lease === "0" ? {} : { lease: leaseIdOf(kv.lease) }),
    };
  }
}

/** etcd's lease numbers are shown in hexadecimal, as its own tools do. */
export function leaseIdOf(number: string): LeaseId {
  return BigInt(number).toString(16).padStart(16, "0") as LeaseId;
}

/** Undefined where no etcd could have given this id. */
export function leaseNumber(id: LeaseId): string | undefined {
  return /^[0-7][0-9a-f]{15}$/.test(id) ? BigInt(`0x${id}`).toString() : undefined;
}

/**
 * What is taken for granted of ranges that a step compares, by the comparison's place: how many keys they hold.
 *
 * etcd compares an empty range as if it held one key with revision 0 and no value, where the contract has it true. Such a
 * comparison is therefore sent in the form that is right for the assumption, and where the step fails, etcd checks the
 * assumption before it carries out the other branch; if it was wrong, nothing is done but counting, and the step is sent
 * again with what was counted.
 */
export type Assumptions = ReadonlyMap<number, "empty" | "filled">;

/** The etcd transaction of a step under those assumptions; comparisons it has no entry for are taken to be filled. */
export function etcdTxn(place: EtcdPlace, step: Transaction, assumptions: Assumptions): EtcdTxnRequest {
  const when = step.when ?? [];
  const doubtful = doubtfulPlaces(when);
  const assumed = (index: number) => assumptions.get(index) ?? "filled";
  const compare = when.map((comparison, index) =>
    doubtful.includes(index) && assumed(index) === "empty"
      ? emptiness(place, comparison.range, "empty")
      : etcdCompare(place, comparison),
  );
  const success = step.then.map((operation) => etcdOperation(place, operation));
  const otherwise = (step.otherwise ?? []).map((operation) => etcdOperation(place, operation));
  if (doubtful.length === 0) return { compare, success, failure: otherwise };
  const guards = doubtful.map((index) => emptiness(place, when[index]!.range, assumed(index)));
  const counts = doubtful.map((index) => ({ request_range: { ...place.range(when[index]!.range), count_only: true } }));
  return { compare, success, failure: [{ request_txn: { compare: guards, success: otherwise, failure: counts } }] };
}

export type EtcdOutcome =
  | { readonly done: true; readonly succeeded: boolean; readonly results: readonly OperationResult[] }
  /** Nothing was carried out: these are the right assumptions. */
  | { readonly done: false; readonly assumptions: Assumptions };

export function etcdOutcome(place: EtcdPlace, step: Transaction, response: EtcdTxnResponse): EtcdOutcome {
  const results = (operations: readonly Operation[], responses: readonly EtcdOperationResponse[]) =>
    operations.map((operation, i) => resultOf(place, operation, responses[i]!));
  if (response.succeeded) return { done: true, succeeded: true, results: results(step.then, response.responses) };
  const doubtful = doubtfulPlaces(step.when ?? []);
  const inner = doubtful.length > 0 ? response.responses[0]!.response_txn! : { ...response, succeeded: true };
  if (inner.succeeded) return { done: true, succeeded: false, results: results(step.otherwise ?? [], inner.responses) };
  const found = doubtful.map((place, i): [number, "empty" | "filled"] => {
    return [place, inner.responses[i]!.response_range!.count === "0" ? "empty" : "filled"];
  });
  return { done: false, assumptions: new Map(found) };
}

// Where etcd and the contract differ on the empty range: those that revision 0 or no value does not satisfy.
function doubtfulPlaces(when: readonly Comparison[]): number[] {
  return when.flatMap((comparison, index) => {
    if (isOneKey(comparison.range)) return [];
    if (comparison.is === "value") return [index];
    if (comparison.is === "absent" || comparison.is === "present") return [];
    return zeroSatisfies(comparison.op, comparison.revision) ? [] : [index];
  });
}

function zeroSatisfies(op: CompareOp, revision: number): boolean {
  switch (op) {
    case "=":
      return revision === 0;
    case "!=":
      return revision !== 0;
    case "<":
      return revision > 0;
    case ">":
      return revision < 0;
    default:
      return assertNever(op);
  }
}

function emptiness(place: EtcdPlace, range: KeyRange, assumed: "empty" | "filled"): EtcdCompare {
  return etcdCompare(place, { range, is: assumed === "empty" ? "absent" : "present" });
}

const results = { "=": "EQUAL", "!=": "NOT_EQUAL", "<": "LESS", ">": "GREATER" } as const;

function etcdCompare(place: EtcdPlace, comparison: Comparison): EtcdCompare {
  const range = place.range(comparison.range);
  switch (comparison.is) {
    case "absent":
      return { ...range, result: "EQUAL", target: "CREATE", create_revision: 0 };
    case "present":
      return { ...range, result: "GREATER", target: "CREATE", create_revision: 0 };
    case "value":
      return { ...range, result: "EQUAL", target: "VALUE", value: comparison.equals };
    case "created":
      return { ...range, result: results[comparison.op], target: "CREATE", create_revision: comparison.revision };
    case "modified":
      return { ...range, result: results[comparison.op], target: "MOD", mod_revision: comparison.revision };
    default:
      return assertNever(comparison);
  }
}

function etcdOperation(place: EtcdPlace, operation: Operation): EtcdOperation {
  switch (operation.op) {
    case "put": {
      const lease = operation.lease === undefined ? {} : { lease: leaseNumber(operation.lease) ?? noSuchLease };
      return { request_put: { key: place.key(operation.key), value: operation.value, ...lease } };
    }
    case "delete":
      return { request_delete_range: { key: place.key(operation.key) } };
    case "deleteRange":
      // etcd keeps written ranges in a tree of intervals, which is not for those that end before they begin.
      if (isBackward(operation.range))
        return { request_range: { key: place.key(operation.range.from), count_only: true } };
      return { request_delete_range: place.range(operation.range) };
    case "get":
      return { request_range: { ...place.range(operation.range), limit: operation.limit ?? 0 } };
    default:
      return assertNever(operation);
  }
}

// An id that etcd never gives, for ids that are no number: the answer is the same "lease not found".
const noSuchLease = "9223372036854775807";

function isBackward(range: KeyRange): boolean {
  return range.to !== undefined && compareKeys(range.to, range.from) <= 0;
}

function resultOf(place: EtcdPlace, operation: Operation, response: EtcdOperationResponse): OperationResult {
  switch (operation.op) {
    case "put":
      return { op: "put" };
    case "delete":
    case "deleteRange":
      return { op: operation.op, deleted: Number(response.response_delete_range?.deleted ?? 0) };
    case "get": {
      const found = response.response_range;
      invariant(found, "etcd answers a range with a range");
      return { op: "get", entries: found.kvs.map((kv) => place.entry(kv)), more: found.more };
    }
    default:
      return assertNever(operation);
  }
}

function plainBytes(value: Buffer): Uint8Array {
  return new Uint8Array(value);
}
