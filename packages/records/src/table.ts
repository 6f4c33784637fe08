import { invariant } from "@millwright/core/errors";

/** How records of one kind are kept. */
export interface Table<R> {
  encode(record: R): Uint8Array;
  /** Throws for bytes of a later version, or damaged ones. */
  decode(bytes: Uint8Array): R;
  /** Whether its records hang on liveness leases: they end by themselves, are in no archive, and have no public index. */
  readonly leased: boolean;
  /** Whether anybody waits for its topics; where nobody does, what leaves a list needs no tombstone. */
  readonly watched: boolean;
  /**
   * The lists a record stands in, by names within the table. The state keeps each list with its rows; `TABLE/LIST` is its
   * *topic*, whose index rises with every record put into it, changed in it or taken out of it.
   */
  lists(record: R): readonly string[];
}

/** The topic of a list, or of a whole table. */
export function topicOf(table: string, list?: string): string {
  return list === undefined ? table : `${table}/${list}`;
}

/** Joins names to a key or to the name of a list, so that none is taken for two. */
export function joined(...names: readonly string[]): string {
  return names.map(escaped).join("/");
}

function escaped(name: string): string {
  // Nearly none has either, and a state is joined from millions of them.
  return /[%/]/.test(name) ? name.replaceAll("%", "%25").replaceAll("/", "%2F") : name;
}

/** Names of nodes and services are the same in upper and lower case, as DNS has them. */
export function folded(name: string): string {
  return name.toLowerCase();
}

/** Records as lines of JSON, with exactly these fields, always in the same order: equal records have equal bytes. */
export function jsonTable<R extends object>(options: {
  readonly fields: Readonly<Record<keyof R, true>>;
  readonly leased?: boolean;
  readonly watched?: boolean;
  lists(record: R): readonly string[];
}): Table<R> {
  const fields = Object.keys(options.fields) as (keyof R)[];
  return {
    leased: options.leased ?? false,
    watched: options.watched ?? true,
    lists: options.lists,
    encode: (record) => {
      const chosen = Object.fromEntries(fields.map((field) => [field, record[field]]));
      return Buffer.from(JSON.stringify({ format: 1, ...chosen }));
    },
    decode: (bytes) => {
      const { format, ...record } = JSON.parse(textOf(bytes)) as Record<string, unknown>;
      invariant(format === 1, `a record has format ${String(format)}; this version knows format 1`);
      for (const field of fields) invariant(field in record, `a record has no field ${String(field)}`);
      return record as R;
    },
  };
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
}
