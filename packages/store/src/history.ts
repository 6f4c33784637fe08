import type { Entry, KeyRange, LeaseId, WatchEvent } from "./contract.ts";
import { compareKeys } from "./keys.ts";
import { SortedKeys } from "./sorted-keys.ts";

/** What one revision made of a key; without `entry` it was deleted. */
export interface Version {
  readonly key: string;
  readonly modified: number;
  readonly entry?: Entry;
}

/**
 * Every key with its versions by revision. Plain state: it knows nothing of limits, durability or time, and whoever calls
 * it decides which revision comes next.
 */
export class History {
  readonly #keys = new SortedKeys();
  readonly #versions = new Map<string, Version[]>();
  readonly #leased = new Map<LeaseId, Set<string>>();

  /** What `key` held at `revision`. */
  at(key: string, revision: number): Entry | undefined {
    const versions = this.#versions.get(key);
    return versions && versionAt(versions, revision)?.entry;
  }

  /**
   * Shows `visit` the entries of `[range.from, range.to)` as they were at `revision`, in order, until it returns false or
   * `most` keys were looked at. Gives the key to go on from, or undefined where the range is done or `visit` ended it.
   */
  scan(range: KeyRange, revision: number, most: number, visit: (entry: Entry) => boolean): string | undefined {
    let seen = 0;
    for (const key of this.#keys.from(range.from)) {
      if (range.to !== undefined && compareKeys(key, range.to) >= 0) return undefined;
      if (seen++ === most) return key;
      const entry = this.at(key, revision);
      if (entry && !visit(entry)) return undefined;
    }
    return undefined;
  }

  put(revision: number, key: string, value: Uint8Array, lease: LeaseId | undefined): WatchEvent {
    const previous = this.#newest(key)?.entry;
    const entry: Entry = {
      key,
      value,
      created: previous ? previous.created : revision,
      modified: revision,
      version: previous ? previous.version + 1 : 1,
      ...(lease === undefined ? {} : { lease }),
    };
    this.#push({ key, modified: revision, entry });
    return previous ? { type: "put", entry, previous } : { type: "put", entry };
  }

  /** Gives undefined where the key did not exist. */
  delete(revision: number, key: string): WatchEvent | undefined {
    const previous = this.#newest(key)?.entry;
    if (!previous) return undefined;
    this.#push({ key, modified: revision });
    return { type: "delete", key, revision, previous };
  }

  /** Takes back the newest version of the event's key, which must be the one that the event made. */
  undo(event: WatchEvent): void {
    const key = eventKey(event);
    const versions = this.#versions.get(key)!;
    this.#relink(key, versions.pop()?.entry, versions.at(-1)?.entry);
    if (versions.length === 0) this.#forget(key);
  }

  /** Puts in a version read from disk; they must come in revision order. Gives what it changed. */
  load(version: Version): WatchEvent {
    const { key, modified, entry } = version;
    const previous = this.#newest(key)?.entry;
    this.#push(version);
    const event: WatchEvent = entry ? { type: "put", entry } : { type: "delete", key, revision: modified };
    return previous ? { ...event, previous } : event;
  }

  /**
   * Drops the versions of `key` that nobody can read once `oldest` is the oldest revision; gives those dropped. A deletion
   * at `oldest` itself stays, since a watch may still begin there.
   */
  prune(key: string, oldest: number): Version[] {
    const versions = this.#versions.get(key);
    if (!versions) return [];
    let keep = 0;
    while (keep + 1 < versions.length && versions[keep + 1]!.modified <= oldest) keep++;
    const first = versions[keep]!;
    if (!first.entry && first.modified < oldest) keep++;
    const dropped = versions.splice(0, keep);
    if (versions.length === 0) this.#forget(key);
    return dropped;
  }

  /** The keys that are attached to a lease now. */
  leased(lease: LeaseId): ReadonlySet<string> {
    return this.#leased.get(lease) ?? none;
  }

  #newest(key: string): Version | undefined {
    return this.#versions.get(key)?.at(-1);
  }

  #push(version: Version): void {
    let versions = this.#versions.get(version.key);
    if (!versions) {
      versions = [];
      this.#versions.set(version.key, versions);
      this.#keys.add(version.key);
    }
    this.#relink(version.key, versions.at(-1)?.entry, version.entry);
    versions.push(version);
  }

  #relink(key: string, before: Entry | undefined, now: Entry | undefined): void {
    if (before?.lease === now?.lease) return;
    if (before?.lease !== undefined) {
      const keys = this.#leased.get(before.lease);
      keys?.delete(key);
      if (keys?.size === 0) this.#leased.delete(before.lease);
    }
    if (now?.lease !== undefined) {
      const keys = this.#leased.get(now.lease) ?? new Set();
      this.#leased.set(now.lease, keys.add(key));
    }
  }

  #forget(key: string): void {
    this.#versions.delete(key);
    this.#keys.delete(key);
  }
}

const none: ReadonlySet<string> = new Set();

/** The key that an event is about. */
export function eventKey(event: WatchEvent): string {
  return event.type === "put" ? event.entry.key : event.key;
}

function versionAt(versions: readonly Version[], revision: number): Version | undefined {
  let high = versions.length;
  // Nearly every read is of the newest version or the one before.
  if (versions[high - 1]!.modified <= revision) return versions[high - 1];
  let low = 0;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (versions[middle]!.modified <= revision) low = middle + 1;
    else high = middle;
  }
  return versions[low - 1];
}
