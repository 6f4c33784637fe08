import { invariant } from "@millwright/core/errors";
import { isTableName, type TableName, tables } from "./tables.ts";

/**
 * Where the discovery server keeps what, in its store. All state lives under the name of a *generation*; a restore writes
 * a new generation beside the old one and then switches in one commit, so that it is seen whole or not at all. What hangs
 * on a liveness lease is in no archive, and so in no generation.
 *
 *     discovery/meta                          which generation holds, and the base of the public index
 *     discovery/low                           revision up to which tombstones have been swept
 *     discovery/restoring                     held by a liveness lease while a restore or a cleaning is under way
 *     discovery/leader/…                      held by the server that does some work for all
 *     discovery/g/GENERATION/TABLE/KEY        one record
 *     discovery/g/GENERATION/dead/…           tombstones
 *     discovery/l/TABLE/KEY                   one record under a liveness lease
 */
export const layout = {
  root: "discovery/",
  meta: "discovery/meta",
  low: "discovery/low",
  restoring: "discovery/restoring",
  /** Held by the server that ends sessions. */
  sessionsLeader: "discovery/leader/sessions",
  /** Held by the server that says which nodes are not alive. */
  nodesLeader: "discovery/leader/nodes",
  generations: "discovery/g/",
  leases: "discovery/l/",
  generation: (generation: number) => `discovery/g/${generation}/`,
  /** The store key of a record, or the prefix of all whose keys start with `key`. */
  record: (generation: number, table: TableName, key: string) =>
    tables[table].leased ? `discovery/l/${table}/${key}` : `discovery/g/${generation}/${table}/${key}`,
  kv: (generation: number, key: string) => `discovery/g/${generation}/kv/${key}`,
  dead: (generation: number, name: string) => `discovery/g/${generation}/dead/${name}`,
} as const;

/** What a store key under `discovery/` is about. */
export type Place =
  | { readonly kind: "meta" | "low" | "restoring" }
  | { readonly kind: "record"; readonly generation: number; readonly table: TableName; readonly name: string }
  | { readonly kind: "leased"; readonly table: TableName; readonly name: string }
  | { readonly kind: "dead"; readonly generation: number; readonly name: string }
  /** Of a later version of this program, or not ours. */
  | { readonly kind: "other" };

export function placeOf(storeKey: string): Place {
  if (storeKey === layout.meta) return { kind: "meta" };
  if (storeKey === layout.low) return { kind: "low" };
  if (storeKey === layout.restoring) return { kind: "restoring" };
  if (storeKey.startsWith(layout.leases)) {
    const [table, name] = cut(storeKey, layout.leases.length);
    return isTableName(table) && tables[table].leased ? { kind: "leased", table, name } : { kind: "other" };
  }
  if (!storeKey.startsWith(layout.generations)) return { kind: "other" };
  const [number, rest] = cut(storeKey, layout.generations.length);
  const [table, name, isThere] = cut(rest, 0);
  const generation = Number(number);
  if (!isThere) return { kind: "other" };
  if (table === "dead") return { kind: "dead", generation, name };
  return isTableName(table) && !tables[table].leased ? { kind: "record", generation, table, name } : { kind: "other" };
}

function cut(text: string, from: number): readonly [string, string, boolean] {
  const slash = text.indexOf("/", from);
  return slash < 0 ? [text.slice(from), "", false] : [text.slice(from, slash), text.slice(slash + 1), true];
}

/** The base of the first generation: keeps every public index above 1, which clients take for "nothing known yet". */
export const firstBase = 10;

/** The value of `discovery/meta`. The public index of a revision is `base + revision`. */
export interface Meta {
  readonly generation: number;
  readonly base: number;
}

export function encodeMeta(meta: Meta): Uint8Array {
  return Buffer.from(JSON.stringify({ format: 1, ...meta }));
}

export function decodeMeta(value: Uint8Array): Meta {
  const { format, generation, base } = JSON.parse(Buffer.from(value).toString()) as Record<string, unknown>;
  invariant(format === 1, `discovery/meta has format ${String(format)}; this version knows format 1`);
  invariant(Number.isSafeInteger(generation) && Number.isSafeInteger(base), "discovery/meta is damaged");
  return { generation: Number(generation), base: Number(base) };
}
