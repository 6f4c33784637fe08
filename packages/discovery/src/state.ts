import { invariant } from "@millwright/core/errors";
import type { Entry, WatchEvent } from "@millwright/store/contract";
import { catalogTopicsBeside } from "./catalog-topics.ts";
import { decodeMeta, type Meta, placeOf } from "./layout.ts";
import type { Keyed, RecordView } from "./record-view.ts";
import { Rows } from "./rows.ts";
import { SortedRecords } from "./sorted-records.ts";
import { type Row, type TableName, tables } from "./tables.ts";
import { decodeTombstone } from "./tombstone.ts";

/** One key as the projection holds it. */
export type KvEntry = Row<"kv">;

/** What one commit changed for readers. */
export interface StateChange {
  /** Keys of the key-value store. */
  readonly keys: readonly string[];
  readonly topics: ReadonlySet<string>;
  /** Another generation holds now: everything may have changed. */
  readonly switched: boolean;
}

/**
 * The discovery server's state in memory: fed entry by entry or event by event, always equal to what a rebuild from the
 * store gives. Holds no clock and does no I/O.
 */
export class DiscoveryState {
  #meta: { readonly meta: Meta; readonly modified: number } | undefined;
  #low = 0;
  /** The generation that holds, and newer ones that are being written. */
  readonly #generations = new Map<number, Generation>();
  /** What hangs on liveness leases. */
  readonly #leased = new Rows();
  /** Generations whose topics have risen since they were last settled. */
  readonly #risen = new Map<Generation, Map<string, number>>();

  /** The revision that last wrote `discovery/meta`; every write compares it, so that none lands in an old generation. */
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

  /** A key of the key-value store. */
  get(key: string): KvEntry | undefined {
    return this.row("kv", key);
  }

  /** The keys under a prefix, in byte order, as they are now. */
  under(prefix: string): RecordView<KvEntry> {
    return this.rows("kv", prefix);
  }

  neighbours(key: string): { readonly before: KvEntry | undefined; readonly behind: KvEntry | undefined } {
    return this.#active.rows.table("kv").neighbours(key);
  }

  row<N extends TableName>(table: N, key: string): Row<N> | undefined {
    return this.#rowsOf(table).get(table, key);
  }

  /** A table's rows whose keys start with `prefix`, in byte order, as they are now. */
  rows<N extends TableName>(table: N, prefix = ""): RecordView<Row<N>> {
    return this.#rowsOf(table).table(table).view(prefix);
  }

  /** How many rows a table has. */
  count(table: TableName): number {
    return this.#rowsOf(table).table(table).size;
  }

  /** A list of a table (see `Table.lists`), in byte order of the rows' keys, as it is now. */
  list<N extends TableName>(table: N, list: string): RecordView<Row<N>> {
    return this.#rowsOf(table).list(table, list);
  }

  /** The names of a table's lists that are not empty and whose names start with `prefix`; in no order. */
  listNames(table: TableName, prefix: string): Iterable<string> {
    return this.#rowsOf(table).listNames(table, prefix);
  }

  /** The revision that last changed this key: its write, or what is known of its deletion. */
  changedKey(key: string): number {
    const entry = this.get(key);
    if (entry) return entry.modified;
    const { deadKeys, deadPrefixes } = this.#active;
    return Math.max(this.floor, deadKeys.get(key)?.modified ?? 0, highestCovering(deadPrefixes, key));
  }

  /** The revision that last changed anything under this prefix, deletions included. */
  changedUnder(prefix: string): number {
    const { rows, deadKeys, deadPrefixes } = this.#active;
    return Math.max(
      this.floor,
      rows.table("kv").highestUnder(prefix),
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
    const place = placeOf(entry.key);
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
        const topics = putRow(generation.rows, place.table, place.name, entry);
        this.#raise(generation, topics, entry.modified);
        return this.#seen(place);
      }
      case "leased":
        return { leased: putRow(this.#leased, place.table, place.name, entry) };
      case "dead":
        this.#bury(this.#generation(place.generation), entry);
        return undefined;
      case "restoring":
      case "other":
        return undefined;
    }
  }

  #bury(generation: Generation, entry: Entry): void {
    if (entry.modified <= this.#low) return;
    const { keys, prefixes, topics = [] } = decodeTombstone(entry.value);
    for (const key of keys) generation.deadKeys.set({ key, modified: entry.modified });
    for (const key of prefixes) generation.deadPrefixes.set({ key, modified: entry.modified });
    this.#raise(generation, topics, entry.modified);
  }

  #delete(storeKey: string): Seen | undefined {
    const place = placeOf(storeKey);
    invariant(place.kind !== "meta", "discovery/meta was deleted from the store");
    if (place.kind === "leased") return { leased: this.#leased.delete(place.table, place.name) };
    if (place.kind !== "record" && place.kind !== "dead") return undefined;
    const generation = this.#generations.get(place.generation);
    // A tombstone goes only with its sweep, which has raised the low-water mark above it: nothing is left to forget.
    if (place.kind === "record") generation?.rows.delete(place.table, place.name);
    if (place.generation !== this.#meta?.meta.generation && generation?.rows.isEmpty) {
      this.#generations.delete(place.generation);
    }
    return place.kind === "record" ? this.#seen(place) : undefined;
  }

  #seen({ generation, table, name }: { generation: number; table: TableName; name: string }): Seen | undefined {
    return table === "kv" && generation === this.#meta?.meta.generation ? { key: name } : undefined;
  }

  #raise(generation: Generation, topics: readonly string[], revision: number): void {
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
        for (const name of [topic, ...catalogTopicsBeside(topic, generation.rows)]) {
          raise(generation.changed, name, revision);
          if (holds) yield name;
        }
      }
    }
    this.#risen.clear();
  }

  #rowsOf(table: TableName): Rows {
    return tables[table].leased ? this.#leased : this.#active.rows;
  }

  #generation(number: number): Generation {
    const known = this.#generations.get(number);
    if (known) return known;
    const fresh = new Generation();
    this.#generations.set(number, fresh);
    return fresh;
  }

  get #known(): { readonly meta: Meta; readonly modified: number } {
    invariant(this.#meta, "the discovery state is read before discovery/meta is loaded");
    return this.#meta;
  }

  get #active(): Generation {
    return this.#generation(this.meta.generation);
  }
}

const topicsPerTurn = 5_000;

/** What readers see changed by one event. */
interface Seen {
  readonly key?: string;
  readonly leased?: readonly string[];
}

class Generation {
  readonly rows = new Rows();
  readonly deadKeys = new SortedRecords<Keyed>();
  readonly deadPrefixes = new SortedRecords<Keyed>();
  /** The revision that last changed each topic; none for what changed at or below the low-water mark. */
  readonly changed = new Map<string, number>();

  forgetDead(low: number): void {
    for (const dead of [this.deadKeys, this.deadPrefixes]) {
      for (const { key, modified } of dead.view("")) if (modified <= low) dead.delete(key);
    }
    for (const [topic, modified] of this.changed) if (modified <= low) this.changed.delete(topic);
  }
}

function putRow<N extends TableName>(rows: Rows, table: N, key: string, entry: Entry): readonly string[] {
  const { created, modified, value } = entry;
  return rows.set(table, tables[table].decode(value), { key, created, modified });
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
