import { invariant } from "@millwright/core/errors";
import type { Entry, WatchEvent } from "@millwright/store/contract";
import { Layout } from "./layout.ts";
import { decodeMeta, type Meta } from "./meta.ts";
import type { Keyed, RecordView } from "./record-view.ts";
import type { Derived, Row, TableOf } from "./row.ts";
import { Rows, type Written } from "./rows.ts";
import type { Schema } from "./schema.ts";
import { SortedRecords } from "./sorted-records.ts";
import { decodeTombstone } from "./tombstone.ts";

/** What one commit changed for readers. */
export interface StateChange {
  /** Of the schema's remembered table. */
  readonly keys: readonly string[];
  readonly topics: ReadonlySet<string>;
  /** Another generation holds now: everything may have changed. */
  readonly switched: boolean;
}

/**
 * The records of a schema in memory: fed entry by entry or event by event, always equal to what a rebuild from the store gives.
 * Holds no clock and does no I/O.
 */
export class RecordState<R, D extends Derived<R> = Derived<R>> {
  readonly schema: Schema<R, D>;
  readonly layout: Layout<R>;
  #meta: { readonly meta: Meta; readonly modified: number } | undefined;
  #low = 0;
  /** The generation that holds, and newer ones that are being written. */
  readonly #generations = new Map<number, Generation<R, D>>();
  /** What hangs on liveness leases. */
  readonly #leased: Rows<R>;
  /** Generations whose topics have risen since they were last settled. */
  readonly #risen = new Map<Generation<R, D>, Map<string, number>>();

  constructor(schema: Schema<R, D>) {
    this.schema = schema;
    this.layout = new Layout(schema);
    this.#leased = new Rows(schema.tables);
  }

  /** The revision that last wrote the meta record; every write compares it, so that none lands in an old generation. */
  get fence(): number {
    return this.#known.modified;
  }

  get meta(): Meta {
    return this.#known.meta;
  }

  /** The revision up to which tombstones are forgotten: no index of a list or a missing key is below it. */
  get floor(): number {
    return Math.max(this.#low, this.#known.modified);
  }

  /** The public index of a revision. */
  indexOf(revision: number): number {
    return this.meta.base + revision;
  }

  /** What the schema keeps beside the rows. */
  get derived(): D {
    return this.#active.derived;
  }

  /** The row of the greatest key below `key`, and that of the least above it. */
  neighbours<N extends TableOf<R>>(
    table: N,
    key: string,
  ): { readonly before: Row<R, N> | undefined; readonly behind: Row<R, N> | undefined } {
    return this.#rowsOf(table).table(table).neighbours(key);
  }

  row<N extends TableOf<R>>(table: N, key: string): Row<R, N> | undefined {
    return this.#rowsOf(table).get(table, key);
  }

  /** A table's rows whose keys start with `prefix`, in byte order, as they are now. */
  rows<N extends TableOf<R>>(table: N, prefix = ""): RecordView<Row<R, N>> {
    return this.#rowsOf(table).table(table).view(prefix);
  }

  /** How many rows a table has. */
  count(table: TableOf<R>): number {
    return this.#rowsOf(table).table(table).size;
  }

  /** A list of a table (see `Table.lists`), in byte order of the rows' keys, as it is now. */
  list<N extends TableOf<R>>(table: N, list: string): RecordView<Row<R, N>> {
    return this.#rowsOf(table).list(table, list);
  }

  /** The names of a table's lists that are not empty and whose names start with `prefix`; in no order. */
  listNames(table: TableOf<R>, prefix: string): Iterable<string> {
    return this.#rowsOf(table).listNames(table, prefix);
  }

  /** The revision that last changed this key of the remembered table: its write, or what is known of its deletion. */
  changedKey(key: string): number {
    const entry = this.row(this.#remembered, key);
    if (entry) return entry.modified;
    const { deadKeys, deadPrefixes } = this.#active;
    return Math.max(this.floor, deadKeys.get(key)?.modified ?? 0, highestCovering(deadPrefixes, key));
  }

  /** The revision that last changed anything under this prefix of the remembered table, deletions included. */
  changedUnder(prefix: string): number {
    const { rows, deadKeys, deadPrefixes } = this.#active;
    return Math.max(
      this.floor,
      rows.table(this.#remembered).highestUnder(prefix),
      deadKeys.highestUnder(prefix),
      deadPrefixes.highestUnder(prefix),
      highestCovering(deadPrefixes, prefix),
    );
  }

  /** The revision that last changed any of these topics, deletions included. */
  changedTopics(topics: readonly string[]): number {
    const { changed } = this.#active;
    return Math.max(this.floor, ...topics.map((topic) => changed.get(topic) ?? 0));
  }

  /** Takes in an entry of the store, at a rebuild; {@link loaded} has to be run through after the last one. */
  load(entry: Entry): void {
    this.#put(entry);
  }

  /** Ends a rebuild, piece by piece: others may have a turn between two. */
  *loaded(): Generator<undefined> {
    let settled = 0;
    for (const _ of this.#settle()) if (++settled % topicsPerTurn === 0) yield;
  }

  /** Takes in the events of one commit. */
  apply(events: readonly WatchEvent[]): StateChange {
    const fenceBefore = this.#meta?.modified;
    const keys: string[] = [];
    const leased: string[] = [];
    for (const event of events) {
      const changed = event.type === "put" ? this.#put(event.entry) : this.#delete(event.key);
      if (changed?.key !== undefined) keys.push(changed.key);
      leased.push(...(changed?.leased ?? []));
    }
    const topics = new Set([...leased, ...this.#settle()]);
    return { keys, topics, switched: this.#meta?.modified !== fenceBefore };
  }

  /** The numbers of generations other than the one that holds, as far as they have been seen. */
  get otherGenerations(): readonly number[] {
    return [...this.#generations.keys()].filter((generation) => generation !== this.meta.generation);
  }

  // Gives what readers of the holding generation see changed, beside the topics that have risen.
  #put(entry: Entry): Seen | undefined {
    const place = this.layout.placeOf(entry.key);
    switch (place.kind) {
      case "meta":
        this.#meta = { meta: decodeMeta(entry.value), modified: entry.modified };
        return undefined;
      case "low":
        this.#low = Number(Buffer.from(entry.value).toString());
        for (const generation of this.#generations.values()) generation.forgetDead(this.#low);
        return undefined;
      case "record": {
        const generation = this.#generation(place.generation);
        const { topics, change } = this.#putRow(generation.rows, place.table, place.name, entry);
        generation.derived.changed(change);
        this.#raise(generation, topics, entry.modified);
        return this.#seen(place);
      }
      case "leased":
        return { leased: this.#putRow(this.#leased, place.table, place.name, entry).topics };
      case "dead":
        this.#bury(this.#generation(place.generation), entry);
        return undefined;
      case "restoring":
      case "other":
        return undefined;
    }
  }

  #bury(generation: Generation<R, D>, entry: Entry): void {
    if (entry.modified <= this.#low) return;
    const { keys, prefixes, topics = [] } = decodeTombstone(entry.value);
    for (const key of keys) generation.deadKeys.set({ key, modified: entry.modified });
    for (const key of prefixes) generation.deadPrefixes.set({ key, modified: entry.modified });
    this.#raise(generation, topics, entry.modified);
  }

  #delete(storeKey: string): Seen | undefined {
    const place = this.layout.placeOf(storeKey);
    invariant(place.kind !== "meta", `${storeKey} was deleted from the store`);
    if (place.kind === "leased") return { leased: this.#leased.delete(place.table, place.name)?.topics ?? [] };
    if (place.kind !== "record" && place.kind !== "dead") return undefined;
    const generation = this.#generations.get(place.generation);
    // A tombstone goes only with its sweep, which has raised the low-water mark above it: nothing is left to forget.
    const gone = place.kind === "record" ? generation?.rows.delete(place.table, place.name) : undefined;
    if (gone) generation?.derived.changed(gone.change);
    if (place.generation !== this.#meta?.meta.generation && generation?.rows.isEmpty) {
      this.#generations.delete(place.generation);
    }
    return place.kind === "record" ? this.#seen(place) : undefined;
  }

  #seen({ generation, table, name }: { generation: number; table: TableOf<R>; name: string }): Seen | undefined {
    return table === "kv" && generation === this.#meta?.meta.generation ? { key: name } : undefined;
  }

  #raise(generation: Generation<R, D>, topics: readonly string[], revision: number): void {
    const risen = this.#risen.get(generation) ?? new Map<string, number>();
    this.#risen.set(generation, risen);
    for (const topic of topics) raise(risen, topic, revision);
  }

  // Carries risen topics over to those that depend on them, by what the rows are like now. Gives those that have risen in the
  // holding generation.
  *#settle(): Generator<string> {
    for (const [generation, risen] of this.#risen) {
      const holds = generation === this.#generations.get(this.#meta?.meta.generation ?? 0);
      for (const [topic, revision] of risen) {
        for (const name of [topic, ...(this.schema.topicsBeside?.(topic, generation.rows) ?? [])]) {
          raise(generation.changed, name, revision);
          if (holds) yield name;
        }
      }
    }
    this.#risen.clear();
  }

  #rowsOf(table: TableOf<R>): Rows<R> {
    return this.schema.tables[table].leased ? this.#leased : this.#active.rows;
  }

  #putRow<N extends TableOf<R>>(rows: Rows<R>, table: N, key: string, entry: Entry): Written<R> {
    const { created, modified, value } = entry;
    return rows.set(table, this.schema.tables[table].decode(value), { key, created, modified });
  }

  #generation(number: number): Generation<R, D> {
    const known = this.#generations.get(number);
    if (known) return known;
    const fresh = new Generation(this.schema);
    this.#generations.set(number, fresh);
    return fresh;
  }

  get #remembered(): TableOf<R> {
    const { remembered } = this.schema;
    invariant(remembered !== undefined, "no table of this schema remembers what was deleted by key");
    return remembered;
  }

  get #known(): { readonly meta: Meta; readonly modified: number } {
    invariant(this.#meta, "the state is read before its meta record is loaded");
    return this.#meta;
  }

  get #active(): Generation<R, D> {
    return this.#generation(this.meta.generation);
  }
}

const topicsPerTurn = 5_000;

/** What readers see changed by one event. */
interface Seen {
  readonly key?: string;
  readonly leased?: readonly string[];
}

class Generation<R, D extends Derived<R>> {
  readonly rows: Rows<R>;
  readonly derived: D;
  readonly deadKeys = new SortedRecords<Keyed>();
  readonly deadPrefixes = new SortedRecords<Keyed>();
  /** The revision that last changed each topic; none for what changed at or below the low-water mark. */
  readonly changed = new Map<string, number>();

  constructor(schema: Schema<R, D>) {
    this.rows = new Rows(schema.tables);
    this.derived = schema.derive(this.rows);
  }

  forgetDead(low: number): void {
    for (const dead of [this.deadKeys, this.deadPrefixes]) {
      for (const { key, modified } of dead.view("")) if (modified <= low) dead.delete(key);
    }
    for (const [topic, modified] of this.changed) if (modified <= low) this.changed.delete(topic);
  }
}

function raise(changed: Map<string, number>, topic: string, revision: number): void {
  if ((changed.get(topic) ?? 0) < revision) changed.set(topic, revision);
}

// The highest revision at which a prefix of `text` (or `text` itself) was deleted as a whole.
function highestCovering(deadPrefixes: SortedRecords<Keyed>, text: string): number {
  if (deadPrefixes.size === 0) return 0;
  let highest = 0;
  for (let length = 0; length <= text.length; length++) {
    highest = Math.max(highest, deadPrefixes.get(text.slice(0, length))?.modified ?? 0);
  }
  return highest;
}
