import { setImmediate } from "node:timers/promises";
import { isKind, messageOf, OperationalError } from "@millwright/core/errors";
import type { Clock, Log } from "@millwright/core/ports";
import { type Store, storeErrors, type Watch, type WatchEvent } from "@millwright/store/contract";
import { secretsErrors } from "../errors.ts";
import { type Bucket, decodeBucket } from "./bucket.ts";
import { BucketIndex } from "./bucket-index.ts";
import type { Keys } from "./keys.ts";
import { layout } from "./layout.ts";
import { readBuckets } from "./read-buckets.ts";

export interface ProjectionOptions {
  readonly store: Store;
  readonly generation: string;
  readonly keys: Keys;
  readonly clock: Clock;
  readonly log: Log;
  /** Told which paths were written or deleted, by whichever server. */
  readonly changed: (paths: readonly string[]) => void;
  /** The bucket that a record holds, where that is known without decrypting it. */
  readonly known: (key: string, record: Uint8Array) => Bucket | undefined;
}

const pathsPerTurn = 1_000;
/** How long a list waits for the store's changes. */
const patienceMilliseconds = 7_000;

/** The index of buckets, kept equal to the store by a watch. */
export class BarrierProjection {
  readonly #options: ProjectionOptions;
  readonly #closing = new AbortController();
  readonly #waiting = new Set<{ readonly revision: number; readonly done: () => void }>();
  #index = new BucketIndex();
  #applied = 0;
  #watch: Watch | undefined;
  #following: Promise<void> = Promise.resolve();

  private constructor(options: ProjectionOptions) {
    this.#options = options;
  }

  /** Reads all buckets, and follows them until {@link close}. Rejects with `damaged` where one does not decrypt. */
  static async open(options: ProjectionOptions): Promise<BarrierProjection> {
    const projection = new BarrierProjection(options);
    await projection.#rebuild();
    projection.#following = projection.#follow();
    return projection;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#following;
  }

  get index(): BucketIndex {
    return this.#index;
  }

  /** Resolves when the index holds every write acknowledged before this call. Rejects with `storeBehind`. */
  async fresh(): Promise<void> {
    const revision = await this.#options.store.revision();
    if (this.#applied >= revision) return;
    await new Promise<void>((resolve, reject) => {
      const caughtUp = new AbortController();
      const done = () => {
        caughtUp.abort();
        resolve();
      };
      const waiter = { revision, done };
      const refuse = () => {
        this.#waiting.delete(waiter);
        const text = "The store's changes do not arrive: it may be overloaded or unreachable. Try again.";
        reject(new OperationalError(secretsErrors.storeBehind, text));
      };
      this.#waiting.add(waiter);
      this.#watch?.requestProgress();
      this.#options.clock.sleep(patienceMilliseconds, caughtUp.signal).then(refuse, () => undefined);
    });
  }

  async #follow(): Promise<void> {
    const { clock, log } = this.#options;
    const { signal } = this.#closing;
    let behind = false;
    for (let failures = 0; !signal.aborted; ) {
      try {
        if (behind) await this.#rebuild();
        behind = false;
        failures = 0;
        await this.#readWatch();
      } catch (error) {
        if (signal.aborted || isKind(error, storeErrors.closed)) return;
        // What could not be taken in leaves a gap: only reading everything again closes it.
        behind = true;
        log.write("warn", "secrets: lost the store's changes, starting again", { error: messageOf(error) });
      }
      await clock.sleep(Math.min(100 * 2 ** failures++, 5_000), signal).catch(() => undefined);
    }
  }

  async #readWatch(): Promise<void> {
    const { store, generation } = this.#options;
    const prefixes = [layout.buckets(generation), layout.keyring];
    const watch = store.watch(prefixes, this.#applied + 1, this.#closing.signal);
    this.#watch = watch;
    if (this.#waiting.size > 0) watch.requestProgress();
    for await (const message of watch) {
      if (message.type === "changes") await this.#apply(message.events);
      this.#advance(message.revision);
    }
  }

  async #apply(events: readonly WatchEvent[]): Promise<void> {
    const { keys, changed, known } = this.#options;
    if (events.some((event) => event.type === "put" && event.entry.key === layout.keyring)) await keys.reload();
    const entries = events.flatMap((event) => (event.type === "put" ? [event.entry] : []));
    const buckets = entries.filter(({ key }) => key !== layout.keyring);
    const opened = await Promise.all(
      buckets.map(async ({ key, value }) => {
        return { key, bucket: known(key, value) ?? decodeBucket(await keys.decrypt(key, value)) };
      }),
    );
    // All at once, with nothing awaited between: a reader never sees a split half done.
    const paths: string[] = [];
    for (const event of events) if (event.type === "delete") paths.push(...this.#index.remove(event.key));
    for (const { key, bucket } of opened) paths.push(...this.#index.put(key, bucket));
    if (paths.length > 0) changed(paths);
  }

  #advance(revision: number): void {
    this.#applied = Math.max(this.#applied, revision);
    for (const waiter of this.#waiting) {
      if (waiter.revision > this.#applied) continue;
      this.#waiting.delete(waiter);
      waiter.done();
    }
  }

  async #rebuild(): Promise<void> {
    const { store, generation, keys } = this.#options;
    const index = new BucketIndex();
    let newest = 0;
    for await (const { buckets, revision } of readBuckets({ store, generation, keys })) {
      for (const { key, bucket } of buckets) index.put(key, bucket);
      newest = revision;
    }
    if (index.size === 0) {
      const text = "The store has no records of this secrets server. Put the store back from a copy.";
      throw new OperationalError(secretsErrors.damaged, text);
    }
    const before = this.#index;
    this.#index = index;
    this.#advance(newest);
    // At the first time nobody follows yet.
    if (before.size > 0) await this.#tellAll(before, index);
  }

  // Which of them were changed meanwhile is not known: whoever follows is told of all, also of those that are gone.
  async #tellAll(before: BucketIndex, now: BucketIndex): Promise<void> {
    let told: string[] = [];
    for (const index of [before, now]) {
      for (const path of index.paths()) {
        told.push(path);
        if (told.length < pathsPerTurn) continue;
        this.#options.changed(told);
        told = [];
        await setImmediate();
      }
    }
    if (told.length > 0) this.#options.changed(told);
  }
}
