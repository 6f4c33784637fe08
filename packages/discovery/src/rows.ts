import { RecordView } from "./record-view.ts";
import { SortedRecords } from "./sorted-records.ts";
import { topicOf } from "./table.ts";
import { type Records, type Row, tableNames, type TableName, tables } from "./tables.ts";

type TableRows = { readonly [N in TableName]: SortedRecords<Row<N>> };
type TableLists = { readonly [N in TableName]: Map<string, SortedRecords<Row<N>>> };

/** The rows of every table, with the lists they stand in. */
export class Rows {
  readonly #rows = newRows();
  readonly #lists = newLists();

  get<N extends TableName>(table: N, key: string): Row<N> | undefined {
    return this.#rows[table].get(key);
  }

  table<N extends TableName>(table: N): SortedRecords<Row<N>> {
    return this.#rows[table];
  }

  /** A list's rows, in byte order of their keys. */
  list<N extends TableName>(table: N, list: string): RecordView<Row<N>> {
    return this.#lists[table].get(list)?.view("") ?? new RecordView([]);
  }

  /** The names of a table's lists that have rows and whose names start with `prefix`. */
  *listNames(table: TableName, prefix: string): Generator<string> {
    for (const name of this.#lists[table].keys()) if (name.startsWith(prefix)) yield name;
  }

  /** Takes a record in; gives the topics it stands in. */
  set<N extends TableName>(
    table: N,
    record: Records[N],
    stamp: { readonly key: string; readonly created: number; readonly modified: number },
  ): readonly string[] {
    const { key, created, modified } = stamp;
    const row: Row<N> = { ...record, key, created, modified };
    const before = this.#rows[table].get(key);
    const lists = tables[table].lists(record);
    if (before) this.#leave(table, key, tables[table].lists(before), lists);
    this.#rows[table].set(row);
    for (const list of lists) this.#list(table, list).set(row);
    return topicsOf(table, record);
  }

  /** Takes a record out; gives the topics it stood in. */
  delete<N extends TableName>(table: N, key: string): readonly string[] {
    const before = this.#rows[table].get(key);
    if (!before) return [];
    this.#rows[table].delete(key);
    this.#leave(table, key, tables[table].lists(before), []);
    return topicsOf(table, before);
  }

  get isEmpty(): boolean {
    return tableNames.every((table) => this.#rows[table].size === 0);
  }

  #list<N extends TableName>(table: N, name: string): SortedRecords<Row<N>> {
    const known = this.#lists[table].get(name);
    if (known) return known;
    const fresh = new SortedRecords<Row<N>>();
    this.#lists[table].set(name, fresh);
    return fresh;
  }

  #leave(table: TableName, key: string, from: readonly string[], except: readonly string[]): void {
    for (const name of from) {
      const list = this.#lists[table].get(name);
      if (!list || except.includes(name)) continue;
      list.delete(key);
      if (list.size === 0) this.#lists[table].delete(name);
    }
  }
}

/** The topics a record stands in: its table, and each of its lists. */
export function topicsOf<N extends TableName>(table: N, record: Records[N]): readonly string[] {
  return [topicOf(table), ...tables[table].lists(record).map((list) => topicOf(table, list))];
}

function newRows(): TableRows {
  return Object.fromEntries(tableNames.map((name) => [name, new SortedRecords()])) as unknown as TableRows;
}

function newLists(): TableLists {
  return Object.fromEntries(tableNames.map((name) => [name, new Map()])) as unknown as TableLists;
}
