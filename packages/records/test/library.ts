import type { Derived, RowChange } from "../src/row.ts";
import type { Rows } from "../src/rows.ts";
import type { Schema } from "../src/schema.ts";
import { jsonTable } from "../src/table.ts";

/* A schema to test with: books that readers borrow. */

export interface Library {
  /** Keys are titles. */
  readonly book: { readonly author: string; readonly reader: string | null };
  readonly reader: { readonly name: string };
  /** That somebody is in the house. */
  readonly visit: { readonly reader: string };
}

/** Counts the books of each author. */
export class Shelf implements Derived<Library> {
  readonly counts = new Map<string, number>();
  readonly rows: Rows<Library>;

  constructor(rows: Rows<Library>) {
    this.rows = rows;
  }

  changed(change: RowChange<Library>): void {
    if (change.table !== "book") return;
    if (change.before) this.#add(change.before.author, -1);
    if (change.after) this.#add(change.after.author, 1);
  }

  #add(author: string, step: number): void {
    const count = (this.counts.get(author) ?? 0) + step;
    if (count === 0) this.counts.delete(author);
    else this.counts.set(author, count);
  }
}

export const library: Schema<Library, Shelf> = {
  root: "library/",
  tables: {
    book: jsonTable<Library["book"]>({
      fields: { author: true, reader: true },
      lists: ({ author, reader }) => [`by/${author}`, ...(reader === null ? [] : [`at/${reader}`])],
    }),
    reader: jsonTable<Library["reader"]>({ fields: { name: true }, lists: () => [] }),
    visit: jsonTable<Library["visit"]>({ fields: { reader: true }, leased: true, lists: () => [] }),
  },
  remembered: "reader",
  topicsBeside: (topic) => (topic.startsWith("book/by/") ? [`works/${topic.slice("book/by/".length)}`] : []),
  derive: (rows) => new Shelf(rows),
};
