import { RecordView } from "./record-view.ts";
import type { Row, RowChange, Stamp, TableOf } from "./row.ts";
import { SortedRecords } from "./sorted-records.ts";
import { type Table, topicOf } from "./table.ts";

type Tables<R> = { readonly [N in TableOf<R>]: Table<R[N]> };

type TableRows<R> = { readonly [N in TableOf<R>]: SortedRecords<Row<R, N>> };
type TableLists<R> = { readonly [N in TableOf<R>]: Map<string, SortedRecords<Row<R, N>>> };

/** What one record did: the topics it stands in, or stood in, and its row. */
export interface Written<R> {
  readonly topics: readonly string[];
  readonly change: RowChange<R>;
}

/** The rows of every table, with the lists they stand in. */
export class Rows<R> {
  readonly #tables: Tables<R>;
  readonly #rows: TableRows<R>;
  readonly #lists: TableLists<R>;

  constructor(tables: Tables<R>) {
    this.#tables = tables;
    const names = Object.keys(tables);
    this.#rows = Object.fromEntries(names.map((name) => [name, new SortedRecords()])) as unknown as TableRows<R>;
    this.#lists = Object.fromEntries(names.map((name) => [name, new Map()])) as unknown as TableLists<R>;
  }

  get<N extends TableOf<R>>(table: N, key: string): Row<R, N> | undefined {
    return this.#rows[table].get(key);
  }

  table<N extends TableOf<R>>(table: N): SortedRecords<Row<R, N>> {
    return this.#rows[table];
  }

  /** A list's rows, in byte order of their keys. */
  list<N extends TableOf<R>>(table: N, list: string): RecordView<Row<R, N>> {
    return this.#lists[table].get(list)?.view("") ?? new RecordView([]);
  }

  /** The names of a table's lists that have rows and whose names start with `prefix`. */
  *listNames(table: TableOf<R>, prefix: string): Generator<string> {
    for (const name of this.#lists[table].keys()) if (name.startsWith(prefix)) yield name;
  }

  /** Takes a record in. */
  set<N extends TableOf<R>>(table: N, record: R[N], stamp: Stamp): Written<R> {
    const { key, created, modified } = stamp;
    const row: Row<R, N> = { ...record, key, created, modified };
    const before = this.#rows[table].get(key);
    const lists = this.#tables[table].lists(record);
    if (before) this.#leave(table, key, this.#tables[table].lists(before), lists);
    this.#rows[table].set(row);
    for (const list of lists) this.#list(table, list).set(row);
    return { topics: topicsIn(table, lists), change: changeOf<R, N>(table, before, row) };
  }

  /** Takes a record out, where it is there. */
  delete<N extends TableOf<R>>(table: N, key: string): Written<R> | undefined {
    const before = this.#rows[table].get(key);
    if (!before) return undefined;
    this.#rows[table].delete(key);
    const lists = this.#tables[table].lists(before);
    this.#leave(table, key, lists, []);
    return { topics: topicsIn(table, lists), change: changeOf<R, N>(table, before, undefined) };
  }

  get isEmpty(): boolean {
    return (Object.keys(this.#tables) as TableOf<R>[]).every((table) => this.#rows[table].size === 0);
  }

  #list<N extends TableOf<R>>(table: N, name: string): SortedRecords<Row<R, N>> {
    const known = this.#lists[table].get(name);
    if (known) return known;
    const fresh = new SortedRecords<Row<R, N>>();
    this.#lists[table].set(name, fresh);
    return fresh;
  }

  #leave(table: TableOf<R>, key: string, from: readonly string[], except: readonly string[]): void {
    for (const name of from) {
      const list = this.#lists[table].get(name);
      if (!list || except.includes(name)) continue;
      list.delete(key);
      if (list.size === 0) this.#lists[table].delete(name);
    }
  }
}

/** The topics of a record that stands in these lists: its table, and each of them. */
export function topicsIn(table: string, lists: readonly string[]): readonly string[] {
  return [topicOf(table), ...lists.map((list) => topicOf(table, list))];
}

function changeOf<R, N extends TableOf<R>>(
  table: N,
  before: Row<R, N> | undefined,
  after: Row<R, N> | undefined,
): RowChange<R> {
  const change: { readonly [M in N]: { readonly table: M; before: typeof before; after: typeof after } }[N] = {
    table,
    before,
    after,
  };
  return change as RowChange<R>;
}
