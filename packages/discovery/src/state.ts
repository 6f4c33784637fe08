import { invariant } from "@millwright/core/errors";
import type { Entry, WatchEvent } from "@millwright/store/contract";
import { decodeMeta, decodeRecord, decodeTombstone, type KvRecord, type Meta, placeOf } from "./layout.ts";
import type { Keyed, RecordView } from "./record-view.ts";
import { SortedRecords } from "./sorted-records.ts";

/** One key as the projection holds it; `created` and `modified` are revisions of the store. Never changed in place. */
export interface KvEntry extends Keyed, KvRecord {
  readonly created: number;
}

/** What one commit changed for readers. */
export interface StateChange {
  readonly keys: readonly string[];
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

  get(key: string): KvEntry | undefined {
    return this.#active.entries.get(key);
  }

  /** The keys under a prefix, in byte order, as they are now. */
  under(prefix: string): RecordView<KvEntry> {
    return this.#active.entries.view(prefix);
  }

  neighbours(key: string): { readonly before: KvEntry | undefined; readonly behind: KvEntry | undefined } {
    return this.#active.entries.neighbours(key);
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
    const { entries, deadKeys, deadPrefixes } = this.#active;
    return Math.max(
      this.floor,
      entries.highestUnder(prefix),
      deadKeys.highestUnder(prefix),
      deadPrefixes.highestUnder(prefix),
      highestCovering(deadPrefixes, prefix),
    );
  }

  /** Takes in an entry of the store, at a rebuild. */
  load(entry: Entry): void {
    this.#put(entry);
  }

  /** Takes in the events of one commit. */
  apply(events: readonly WatchEvent[]): StateChange {
    const fenceBefore = this.#meta?.modified;
    const keys: string[] = [];
    for (const event of events) {
      const changed = event.type === "put" ? this.#put(event.entry) : this.#delete(event.key);
      if (changed !== undefined) keys.push(changed);
    }
    return { keys, switched: this.#meta?.modified !== fenceBefore };
  }

  /** The numbers of generations other than the one that holds, as far as they have been seen. */
  get otherGenerations(): readonly number[] {
    return [...this.#generations.keys()].filter((generation) => generation !== this.meta.generation);
  }

  // Gives the key where readers of the holding generation see a change.
  #put(entry: Entry): string | undefined {
    const place = placeOf(entry.key);
    switch (place.kind) {
      case "meta":
        this.#meta = { meta: decodeMeta(entry.value), modified: entry.modified };
        return undefined;
      case "low":
        this.#low = Number(Buffer.from(entry.value).toString());
        for (const generation of this.#generations.values()) generation.forgetDead(this.#low);
        return undefined;
      case "kv": {
        const { created, modified } = entry;
        const generation = this.#generation(place.generation);
        generation.entries.set({ key: place.name, created, modified, ...decodeRecord(entry.value) });
        return place.generation === this.#meta?.meta.generation ? place.name : undefined;
      }
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
    const { keys, prefixes } = decodeTombstone(entry.value);
    for (const key of keys) generation.deadKeys.set({ key, modified: entry.modified });
    for (const key of prefixes) generation.deadPrefixes.set({ key, modified: entry.modified });
  }

  #delete(storeKey: string): string | undefined {
    const place = placeOf(storeKey);
    invariant(place.kind !== "meta", "discovery/meta was deleted from the store");
    if (place.kind !== "kv" && place.kind !== "dead") return undefined;
    const generation = this.#generations.get(place.generation);
    // A tombstone goes only with its sweep, which has raised the low-water mark above it: nothing is left to forget.
    if (place.kind === "kv") generation?.entries.delete(place.name);
    const holds = place.generation === this.#meta?.meta.generation;
    if (!holds && generation?.entries.size === 0) this.#generations.delete(place.generation);
    return holds && place.kind === "kv" ? place.name : undefined;
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

class Generation {
  readonly entries = new SortedRecords<KvEntry>();
  readonly deadKeys = new SortedRecords<Keyed>();
  readonly deadPrefixes = new SortedRecords<Keyed>();

  forgetDead(low: number): void {
    for (const dead of [this.deadKeys, this.deadPrefixes]) {
      for (const { key, modified } of dead.view("")) if (modified <= low) dead.delete(key);
    }
  }
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
