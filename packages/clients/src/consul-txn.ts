import { badAnswer, type CallOptions, type ConsulApi, jsonOf } from "./consul-api.ts";
import { type KvEntry, parseKvEntry } from "./consul-kv.ts";

/** One step of a transaction over keys. */
export type KvOperation =
  | { readonly verb: "set"; readonly key: string; readonly value: Uint8Array | string; readonly flags?: bigint }
  | {
      readonly verb: "cas";
      readonly key: string;
      readonly value: Uint8Array | string;
      readonly index: number;
      readonly flags?: bigint;
    }
  | {
      readonly verb: "get" | "get-or-empty" | "get-tree" | "check-not-exists" | "delete" | "delete-tree";
      readonly key: string;
    }
  | { readonly verb: "check-index" | "delete-cas"; readonly key: string; readonly index: number };

export type TransactionOutcome =
  /** Entries of those operations that give one, in order; a write's comes with an empty value. */
  | { readonly done: true; readonly entries: readonly KvEntry[] }
  /** Nothing was changed; `operation` counts from 0. */
  | { readonly done: false; readonly errors: readonly { readonly operation: number; readonly what: string }[] };

/** Carries out up to 128 operations as one, or none of them. `PUT /v1/txn`. */
export async function runTransaction(
  api: ConsulApi,
  operations: readonly KvOperation[],
  options: CallOptions,
): Promise<TransactionOutcome> {
  const answer = await api.request({
    method: "PUT",
    path: "/v1/txn",
    body: Buffer.from(`[${operations.map(wireOperation).join(",")}]`),
    options,
    repeatable: operations.every(({ verb }) => reading.has(verb)),
    accept: [409],
  });
  const body = await jsonOf(answer, "a transaction");
  const { Results, Errors } = (body ?? {}) as { readonly Results?: unknown; readonly Errors?: unknown };
  if (answer.status === 409) return { done: false, errors: listOf(Errors).map(parseError) };
  const entries = listOf(Results).map((result) =>
    parseKvEntry((result as { readonly KV?: unknown }).KV, "a transaction"),
  );
  return { done: true, entries };
}

const reading: ReadonlySet<string> = new Set(["get", "get-or-empty", "get-tree", "check-index", "check-not-exists"]);

// Written by hand, as JSON.stringify refuses the bigint of the flags.
function wireOperation(operation: KvOperation): string {
  const fields = [`"Verb":"${operation.verb}"`, `"Key":${JSON.stringify(operation.key)}`];
  if ("value" in operation) fields.push(`"Value":"${Buffer.from(operation.value).toString("base64")}"`);
  if ("flags" in operation) fields.push(`"Flags":${operation.flags ?? 0n}`);
  if ("index" in operation) fields.push(`"Index":${operation.index}`);
  return `{"KV":{${fields.join(",")}}}`;
}

function parseError(wire: unknown): { operation: number; what: string } {
  const { OpIndex, What } = wire as { readonly OpIndex?: unknown; readonly What?: unknown };
  return { operation: Number(OpIndex ?? 0), what: String(What ?? "refused") };
}

function listOf(wire: unknown): readonly unknown[] {
  if (wire === null || wire === undefined) return [];
  if (!Array.isArray(wire)) throw badAnswer("a transaction", "its results are no list");
  return wire;
}
