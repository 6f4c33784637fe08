import type { Derived, TableOf } from "./row.ts";
import type { Rows } from "./rows.ts";
import type { Table } from "./table.ts";

/** How the records of `R` are kept in the store and in memory. */
export interface Schema<R, D extends Derived<R> = Derived<R>> {
  /** What all their store keys begin with; ends with `/`. */
  readonly root: `${string}/`;
  /** To add a table: its record in `R`, its row here. State, archives, tombstones and sweeps then know it. */
  readonly tables: { readonly [N in TableOf<R>]: Table<R[N]> };
  /**
   * The table of which it is known when each key and each prefix was last deleted; of others, only by topic. The topic of this
   * whole table is not kept up with what is deleted.
   */
  readonly remembered?: TableOf<R>;
  /** The topics that rise with this one, by what the rows are like now. */
  topicsBeside?(topic: string, rows: Rows<R>): readonly string[];
  /**
   * What is kept in memory beside the rows, which are empty at first; `nothingDerived` for nothing. It belongs to one state, is told
   * of its changes row by row (leased tables excepted), and must come out the same in whichever order the rows of a commit come.
   */
  derive(rows: Rows<R>): D;
}

export function tableNamesOf<R>({ tables }: Pick<Schema<R>, "tables">): readonly TableOf<R>[] {
  return Object.keys(tables) as TableOf<R>[];
}

export function isTableOf<R>({ tables }: Pick<Schema<R>, "tables">, text: string): text is TableOf<R> {
  return Object.hasOwn(tables, text);
}
