import { setImmediate } from "node:timers/promises";
import { isKind, messageOf, OperationalError } from "@millwright/core/errors";
import type { Clock, Log } from "@millwright/core/ports";
import {
  after,
  type Entry,
  keyRange,
  prefixRange,
  type Store,
  storeErrors,
  type Watch,
  type WatchEvent,
} from "@millwright/store/contract";
import { recordsErrors } from "./errors.ts";
import { Layout } from "./layout.ts";
import { encodeMeta, firstBase } from "./meta.ts";
import type { Derived } from "./row.ts";
import type { Schema } from "./schema.ts";
import { RecordState, type StateChange } from "./state.ts";
import { type Subject, Subscriptions } from "./subscriptions.ts";

export interface ProjectionOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  /** How long a read waits for the store before it is refused; 7 s by default. */
  readonly patienceMilliseconds?: number;
}

/** A state that follows a store: `RecordState`. */
export interface FollowedState {
  readonly layout: { readonly root: string; readonly name: string };
  load(entry: Entry): void;
  loaded(): Iterable<undefined>;
  apply(events: readonly WatchEvent[]): StateChange;
}

/**
 * The state in memory, kept equal to the store by a watch. Reads wait until it has caught up ({@link fresh}), so they
 * see every write that was acknowledged before, by any server.
 */
export class Projection<S extends FollowedState> {
  readonly #options: ProjectionOptions;
  readonly #emptyState: () => S;
  readonly #subscriptions = new Subscriptions();
  readonly #closing = new AbortController();
  readonly #waiting = new Set<RevisionWaiter>();
  #state: S;
  #applied = 0;
  #watch: Watch | undefined;
  #following: Promise<void> = Promise.resolve();
  #contact: number;
  #asking: Promise<number> | undefined;
  #askingNext: Promise<number> | undefined;

  private constructor(emptyState: () => S, options: ProjectionOptions) {
    this.#emptyState = emptyState;
    this.#state = emptyState();
    this.#options = options;
    this.#contact = options.clock.monotonic();
  }

  /** Prepares an empty store, reads a filled one, and follows it until {@link close}. */
  static async open<R, D extends Derived<R>>(
    schema: Schema<R, D>,
    options: ProjectionOptions,
  ): Promise<Projection<RecordState<R, D>>> {
    const projection = new Projection(() => new RecordState(schema), options);
    await prepare(options.store, new Layout(schema).meta);
    await projection.#rebuild();
    projection.#following = projection.#follow();
    return projection;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#subscriptions.notifyAll();
    // Nothing more will come: who waits for it is told now.
    for (const { refuse } of this.#waiting) refuse();
    await this.#following;
  }

  /** What is known now. To be read at once: it goes on changing, and a rebuild puts another object in its place. */
  get state(): S {
    return this.#state;
  }

  /** The revision up to which {@link state} holds everything. */
  get applied(): number {
    return this.#applied;
  }

  /** Whether the store was heard of lately. */
  get knowsLeader(): boolean {
    return this.lastContact < 15_000;
  }

  /** Milliseconds since the store was last heard of. */
  get lastContact(): number {
    return Math.max(0, this.#options.clock.monotonic() - this.#contact);
  }

  /** Resolves when the state holds every write acknowledged before this call. Rejects with `noLeader`. */
  async fresh(): Promise<void> {
    try {
      await this.reached(await this.#newestRevision());
    } catch (error) {
      if (!isKind(error, storeErrors.unavailable) && !isKind(error, storeErrors.closed)) throw error;
      throw new OperationalError(recordsErrors.noLeader, "No cluster leader", { cause: error });
    }
  }

  /** Resolves when the state holds everything up to `revision`. Rejects with `noLeader` after a while. */
  reached(revision: number): Promise<void> {
    if (this.#applied >= revision) return Promise.resolve();
    if (this.closed) return Promise.reject(new OperationalError(recordsErrors.noLeader, "No cluster leader"));
    return new Promise((resolve, reject) => {
      const caughtUp = new AbortController();
      const refuse = () => {
        this.#waiting.delete(waiter);
        caughtUp.abort();
        reject(new OperationalError(recordsErrors.noLeader, "No cluster leader"));
      };
      const done = () => {
        caughtUp.abort();
        resolve();
      };
      const waiter = { revision, done, refuse };
      this.#waiting.add(waiter);
      this.#watch?.requestProgress();
      const { clock, patienceMilliseconds = 7_000 } = this.#options;
      clock.sleep(patienceMilliseconds, caughtUp.signal).then(refuse, () => undefined);
    });
  }

  /** Resolves at the next change of the subject, or when the signal aborts or the projection closes. */
  changed(subject: Subject, signal: AbortSignal): Promise<void> {
    if (this.#closing.signal.aborted) return Promise.resolve();
    return this.#subscriptions.next(subject, signal);
  }

  get closed(): boolean {
    return this.#closing.signal.aborted;
  }

  /** How many queries are blocked. */
  get blocked(): number {
    return this.#subscriptions.size;
  }

  // Reads that come while one question is under way share the next: an answer to a question asked before them may be
  // too old for them.
  #newestRevision(): Promise<number> {
    if (!this.#asking) {
      this.#asking = this.#ask();
      return this.#asking;
    }
    this.#askingNext ??= this.#asking.then(
      () => this.#askAgain(),
      () => this.#askAgain(),
    );
    return this.#askingNext;
  }

  #askAgain(): Promise<number> {
    this.#askingNext = undefined;
    this.#asking = this.#ask();
    return this.#asking;
  }

  async #ask(): Promise<number> {
    try {
      return await this.#options.store.revision();
    } finally {
      // Runs before whoever waits for this answer: the next question is theirs to ask.
      this.#asking = undefined;
    }
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
        if (signal.aborted) return;
        behind = isKind(error, storeErrors.compacted);
        log.write("warn", `${this.#state.layout.name}: lost the store's changes, starting again`, {
          error: messageOf(error),
        });
      }
      await clock.sleep(Math.min(100 * 2 ** failures++, 5_000), signal).catch(() => undefined);
    }
  }

  async #readWatch(): Promise<void> {
    const watch = this.#options.store.watch([this.#state.layout.root], this.#applied + 1, this.#closing.signal);
    this.#watch = watch;
    if (this.#waiting.size > 0) watch.requestProgress();
    for await (const message of watch) {
      if (message.type === "changes") {
        const { keys, topics, switched } = this.#state.apply(message.events);
        if (switched) this.#subscriptions.notifyAll();
        else this.#subscriptions.notify(keys, topics);
      }
      this.#advance(message.revision);
    }
  }

  #advance(revision: number): void {
    this.#applied = Math.max(this.#applied, revision);
    this.#contact = this.#options.clock.monotonic();
    for (const waiter of this.#waiting) {
      if (waiter.revision > this.#applied) continue;
      this.#waiting.delete(waiter);
      waiter.done();
    }
  }

  async #rebuild(): Promise<void> {
    const { state, revision } = await loadState(this.#emptyState(), this.#options.store);
    this.#state = state;
    this.#subscriptions.notifyAll();
    this.#advance(revision);
  }
}

interface RevisionWaiter {
  readonly revision: number;
  readonly done: () => void;
  readonly refuse: () => void;
}

/** Reads the whole state from a store, at one revision. */
export function rebuildState<R, D extends Derived<R>>(
  schema: Schema<R, D>,
  store: Store,
): Promise<{ readonly state: RecordState<R, D>; readonly revision: number }> {
  return loadState(new RecordState(schema), store);
}

async function loadState<S extends FollowedState>(
  state: S,
  store: Store,
): Promise<{ readonly state: S; readonly revision: number }> {
  const whole = prefixRange(state.layout.root);
  let page = await store.range(whole, { limit: 100 });
  const { revision } = page;
  for (let limit = 100; ; ) {
    let bytes = 0;
    for (const entry of page.entries) {
      state.load(entry);
      bytes += entry.value.byteLength;
    }
    const last = page.entries.at(-1);
    if (!page.more || !last) {
      for (const _ of state.loaded()) await setImmediate();
      return { state, revision };
    }
    // Values may be large or small: pages grow while they are light, so that none holds the event loop for long.
    limit = bytes < 256 * 1024 ? Math.min(limit * 2, 2_000) : Math.max(10, limit >> 1);
    await setImmediate();
    page = await store.range({ ...whole, from: after(last.key) }, { limit, revision });
  }
}

async function prepare(store: Store, meta: string): Promise<void> {
  const first = encodeMeta({ generation: 1, base: firstBase });
  await store.txn({
    when: [{ range: keyRange(meta), is: "absent" }],
    then: [{ op: "put", key: meta, value: first }],
  });
}
