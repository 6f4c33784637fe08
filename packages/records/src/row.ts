/** The names of the tables of `R`, which maps each to its records. */
export type TableOf<R> = keyof R & string;

/** What the store says of a record; `created` and `modified` are its revisions. */
export interface Stamp {
  readonly key: string;
  readonly created: number;
  readonly modified: number;
}

/** A record as the state holds it. Never changed in place. */
export type Row<R, N extends TableOf<R>> = R[N] & Stamp;

/** What became of one row: it came (no `before`), changed, or went (no `after`). */
export type RowChange<R> = {
  readonly [N in TableOf<R>]: {
    readonly table: N;
    readonly before: Row<R, N> | undefined;
    readonly after: Row<R, N> | undefined;
  };
}[TableOf<R>];

/** What a schema keeps beside the rows, told of every change of a row right after it. */
export interface Derived<R> {
  changed(change: RowChange<R>): void;
}

/** Of a schema that keeps nothing beside its rows. */
export function nothingDerived(): { changed(): void } {
  return { changed: () => undefined };
}
