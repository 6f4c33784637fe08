import { setImmediate } from "node:timers/promises";
import { isKind, messageOf, OperationalError } from "@millwright/core/errors";
import type { Clock, Log } from "@millwright/core/ports";
import { secretsErrors } from "../errors.ts";
import type { SecretStorage, StoredPath } from "../storage.ts";
import { DueHeap } from "./due-heap.ts";
import type { LeaseRecord } from "./lease-record.ts";
import { decodeLease, leaseFolder, readLease } from "./lease-record.ts";

/** How long the server that began a lease's end has for it before the one that watches the deadlines tries too. */
export const handOverMilliseconds = 30_000;
/** How long after it was found a lease is tried again of which it is written that it cannot be revoked. */
const irrevocableMilliseconds = 60_000;
const readsAtOnce = 16;

export interface LeaseIndexOptions {
  readonly storage: SecretStorage;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/**
 * When each lease comes due: a projection of what is stored, kept up to date with what any server writes. It decides nothing:
 * whoever ends a lease reads the lease first.
 */
export class LeaseIndex {
  /** Resolves once what was stored at the beginning is in it. */
  readonly loaded: Promise<void>;
  readonly #options: LeaseIndexOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #due = new DueHeap();
  readonly #stale = new Set<string>();
  #isLoading = true;
  #reading: Promise<void> | undefined;
  #onEarlier: () => void = () => undefined;
  #unfollow: () => void;

  constructor(options: LeaseIndexOptions) {
    this.#options = options;
    this.#unfollow = options.storage.follow(leaseFolder, (paths) => {
      for (const path of paths) this.refresh(path.slice(leaseFolder.length));
    });
    this.loaded = this.#load();
  }

  close(): void {
    this.#unfollow();
  }

  /** Calls when something was added that comes due before all else. */
  set onEarlier(call: () => void) {
    this.#onEarlier = call;
  }

  /** Every id, with whether it is marked as irrevocable. */
  entries(): Iterable<readonly [id: string, entry: { readonly irrevocable: boolean }]> {
    return this.#entries;
  }

  /** When the next one may come due; milliseconds since 1970. */
  get next(): number | undefined {
    return this.#due.next;
  }

  /** Takes out up to `most` ids that are due. They come due again only when they are written or postponed. */
  takeDue(now: number, most: number): string[] {
    const ids: string[] = [];
    while (ids.length < most && this.#due.next !== undefined && this.#due.next <= now) {
      const { time, id } = this.#due.take()!;
      const entry = this.#entries.get(id);
      if (!entry || entry.at !== time) continue;
      entry.at = Number.POSITIVE_INFINITY;
      ids.push(id);
    }
    return ids;
  }

  /** Comes due at `at`, whatever is written of it meanwhile; counts how often that was said. */
  postpone(id: string, at: number): void {
    const entry = this.#entries.get(id);
    if (!entry) return;
    entry.attempts++;
    entry.postponed = at;
    this.#schedule(id, entry, at);
  }

  /** How often it was postponed. */
  attempts(id: string): number {
    return this.#entries.get(id)?.attempts ?? 0;
  }

  /** Looks again when a lease comes due that was taken out as due. */
  refresh(id: string): void {
    this.#stale.add(id);
    this.#read();
  }

  /** Looks again at all that was taken out as due: for a server that begins to watch once more, and may have left some. */
  rewind(): void {
    for (const [id, { at }] of this.#entries) if (at === Number.POSITIVE_INFINITY) this.refresh(id);
  }

  /** Resolves once everything that was written so far is in it. */
  async settled(): Promise<void> {
    await this.loaded;
    while (this.#reading) await this.#reading;
  }

  async #load(): Promise<void> {
    const { storage, clock, signal } = this.#options;
    await this.#patiently(async () => {
      for await (const piece of storage.scan(leaseFolder)) {
        for (const stored of piece) this.#loadOne(stored, clock.now());
        if (signal.aborted) return;
      }
    });
    this.#isLoading = false;
    this.#read();
    while (this.#reading && !signal.aborted) await this.#reading;
  }

  #loadOne({ path, value }: StoredPath, now: number): void {
    const id = path.slice(leaseFolder.length);
    try {
      this.#put(decodeLease(id, value), now);
    } catch (error) {
      this.#skipDamaged(id, error);
    }
  }

  // While all are loaded nothing is read anew: what was written meanwhile comes last, when its older self is in.
  #read(): void {
    if (this.#isLoading || this.#reading || this.#stale.size === 0) return;
    this.#reading = this.#readAll().finally(() => {
      this.#reading = undefined;
      if (!this.#options.signal.aborted) this.#read();
    });
  }

  async #readAll(): Promise<void> {
    while (this.#stale.size > 0 && !this.#options.signal.aborted) {
      const ids: string[] = [];
      for (const id of this.#stale) {
        ids.push(id);
        this.#stale.delete(id);
        if (ids.length === readsAtOnce) break;
      }
      await Promise.all(ids.map((id) => this.#patiently(() => this.#readOne(id))));
      // Where everything is at hand in memory, nobody else would have a turn until the last one is read.
      await setImmediate();
    }
  }

  async #readOne(id: string): Promise<void> {
    const { storage, clock } = this.#options;
    try {
      const found = await readLease(storage, id);
      if (found) this.#put(found.lease, clock.now());
      else this.#entries.delete(id);
    } catch (error) {
      this.#skipDamaged(id, error);
    }
  }

  #skipDamaged(id: string, error: unknown): void {
    if (!isKind(error, secretsErrors.damaged)) throw error;
    this.#options.log.write("error", "leases: a record cannot be read, and its lease is not watched", { lease: id });
  }

  #put(lease: LeaseRecord, now: number): void {
    const entry = this.#entries.get(lease.id) ?? { at: 0, irrevocable: false, attempts: 0 };
    this.#entries.set(lease.id, entry);
    entry.irrevocable = lease.irrevocable !== undefined;
    // A renewal after an attempt that did not begin its end takes the attempt back.
    if (lease.ending === undefined) {
      delete entry.postponed;
      entry.attempts = 0;
    }
    this.#schedule(lease.id, entry, entry.postponed ?? deadlineOf(lease, now));
  }

  #schedule(id: string, entry: Entry, at: number): void {
    entry.at = at;
    const isEarlier = at < (this.#due.next ?? Number.POSITIVE_INFINITY);
    this.#due.add(at, id);
    if (isEarlier) this.#onEarlier();
  }

  /** Again and again until the store answers; nothing where it was closed. */
  async #patiently<T>(call: () => Promise<T>): Promise<T | undefined> {
    const { clock, log, signal } = this.#options;
    while (!signal.aborted) {
      try {
        return await call();
      } catch (error) {
        if (!(error instanceof OperationalError)) throw error;
        if (signal.aborted || isKind(error, secretsErrors.sealed)) return undefined;
        log.write("warn", "leases: the store does not answer", { error: messageOf(error) });
        await clock.sleep(1000, signal).catch(() => undefined);
      }
    }
    return undefined;
  }
}

interface Entry {
  at: number;
  irrevocable: boolean;
  attempts: number;
  postponed?: number;
}

function deadlineOf({ expires, ending, irrevocable }: LeaseRecord, now: number): number {
  if (irrevocable !== undefined) return now + irrevocableMilliseconds;
  return ending === undefined ? expires : ending + handOverMilliseconds;
}
