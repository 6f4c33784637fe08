import type { TableOf } from "./row.ts";
import { isTableOf, type Schema } from "./schema.ts";

/**
 * Where the records of a schema stand in the store. All state lives under the name of a *generation*; a restore writes a new
 * generation beside the old one and then switches in one commit, so that it is seen whole or not at all. What hangs on a liveness
 * lease is in no archive, and so in no generation.
 *
 *     ROOT/meta                          which generation holds, and the base of the public index
 *     ROOT/low                           revision up to which tombstones have been swept
 *     ROOT/restoring                     held by a liveness lease while a restore or a cleaning is under way
 *     ROOT/leader/…                      held by the server that does some work for all
 *     ROOT/g/GENERATION/TABLE/KEY        one record
 *     ROOT/g/GENERATION/dead/…           tombstones
 *     ROOT/l/TABLE/KEY                   one record under a liveness lease
 */
export class Layout<R> {
  readonly root: string;
  readonly meta: string;
  readonly low: string;
  readonly restoring: string;
  readonly generations: string;
  readonly leases: string;
  readonly #schema: Pick<Schema<R>, "tables">;

  constructor(schema: Pick<Schema<R>, "root" | "tables">) {
    const { root } = schema;
    this.#schema = schema;
    this.root = root;
    this.meta = `${root}meta`;
    this.low = `${root}low`;
    this.restoring = `${root}restoring`;
    this.generations = `${root}g/`;
    this.leases = `${root}l/`;
  }

  /** What to call these records in a log. */
  get name(): string {
    return this.root.slice(0, -1);
  }

  /** Held by the server that does this work. */
  leader(work: string): string {
    return `${this.root}leader/${work}`;
  }

  generation(generation: number): string {
    return `${this.generations}${generation}/`;
  }

  /** The store key of a record, or the prefix of all whose keys start with `key`. */
  record(generation: number, table: TableOf<R>, key: string): string {
    return this.#schema.tables[table].leased
      ? `${this.leases}${table}/${key}`
      : `${this.generation(generation)}${table}/${key}`;
  }

  dead(generation: number, name: string): string {
    return `${this.generation(generation)}dead/${name}`;
  }

  /** What a store key under the root is about. */
  placeOf(storeKey: string): Place<R> {
    if (storeKey === this.meta) return { kind: "meta" };
    if (storeKey === this.low) return { kind: "low" };
    if (storeKey === this.restoring) return { kind: "restoring" };
    if (storeKey.startsWith(this.leases)) {
      const [table, name] = cut(storeKey, this.leases.length);
      return this.#isTable(table, true) ? { kind: "leased", table, name } : { kind: "other" };
    }
    if (!storeKey.startsWith(this.generations)) return { kind: "other" };
    const [number, rest] = cut(storeKey, this.generations.length);
    const [table, name, isThere] = cut(rest, 0);
    const generation = Number(number);
    if (!isThere) return { kind: "other" };
    if (table === "dead") return { kind: "dead", generation, name };
    return this.#isTable(table, false) ? { kind: "record", generation, table, name } : { kind: "other" };
  }

  #isTable(text: string, leased: boolean): text is TableOf<R> {
    return isTableOf<R>(this.#schema, text) && this.#schema.tables[text].leased === leased;
  }
}

/** What a store key is about. */
export type Place<R> =
  | { readonly kind: "meta" | "low" | "restoring" }
  | { readonly kind: "record"; readonly generation: number; readonly table: TableOf<R>; readonly name: string }
  | { readonly kind: "leased"; readonly table: TableOf<R>; readonly name: string }
  | { readonly kind: "dead"; readonly generation: number; readonly name: string }
  /** Of a later version of this program, or not ours. */
  | { readonly kind: "other" };

function cut(text: string, from: number): readonly [string, string, boolean] {
  const slash = text.indexOf("/", from);
  return slash < 0 ? [text.slice(from), "", false] : [text.slice(from, slash), text.slice(slash + 1), true];
}
