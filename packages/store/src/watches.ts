import { setImmediate } from "node:timers/promises";
import { OperationalError } from "@millwright/core/errors";
import type { Clock } from "@millwright/core/ports";
import type { Commit, CommitLog } from "./commit-log.ts";
import type { Watch, WatchEvent, WatchMessage } from "./contract.ts";
import { storeErrors } from "./contract.ts";
import { eventKey } from "./history.ts";
import { underAny } from "./keys.ts";

/** Below the 5 s of the contract by more than the time between two calls of {@link Watches.tick}. */
const quietMilliseconds = 4_000;
const commitsPerTurn = 1_000;

/** Where watches read what the log no longer has, and learn that the log has everything up to now. */
export interface WatchSource {
  readonly log: CommitLog;
  readonly clock: Clock;
  /** Commits from a revision older than the log on, for as long as they are read. Fails with `compacted`. */
  past?(from: number, signal: AbortSignal): AsyncIterable<Commit>;
  /** Resolves once the log has everything that was committed before the call. */
  upToDate(signal: AbortSignal): Promise<void>;
}

/** A watch that has read all there is. */
interface Waiting {
  readonly prefixes: readonly string[];
  readonly since: number;
  cursor: number;
  wake(): void;
}

/**
 * All watches over one commit log. A watch pulls from the log at its own pace and keeps nothing of its own, so a slow
 * reader costs no memory; it fails with `compacted` when it falls behind the history.
 */
export class Watches {
  readonly #source: WatchSource;
  readonly #waiting = new Set<Waiting>();
  readonly #closing = new AbortController();

  constructor(source: WatchSource) {
    this.#source = source;
  }

  open(prefixes: readonly string[], from: number, signal: AbortSignal): Watch {
    const ended = AbortSignal.any([signal, this.#closing.signal]);
    const state: WatchState = { prefixes: [...prefixes], cursor: from, progressWanted: false, wake: undefined };
    const messages = this.#read(state, ended);
    const requestProgress = () => {
      const granted = () => {
        state.progressWanted = true;
        state.wake?.();
      };
      const failed = (error: unknown) => {
        // A watch that ends while it waits for this no longer wants progress.
        if (!ended.aborted) throw error;
      };
      this.#source.upToDate(ended).then(granted, failed);
    };
    return { requestProgress, [Symbol.asyncIterator]: () => messages };
  }

  /** To be called after the log took `commit`, which may be without events. */
  published(commit: Commit): void {
    for (const waiting of this.#waiting) {
      if (commit.events.some((event) => underAny(eventKey(event), waiting.prefixes))) waiting.wake();
      else waiting.cursor = commit.revision + 1;
    }
  }

  /** To be called at least every half second: reports progress to watches that have been quiet. */
  tick(): void {
    const now = this.#source.clock.monotonic();
    for (const waiting of this.#waiting) if (now - waiting.since >= quietMilliseconds) waiting.wake();
  }

  /** To be called when the log lost its place and begins anew: whoever waited reads the past. */
  interrupted(): void {
    for (const waiting of this.#waiting) waiting.wake();
  }

  close(): void {
    this.#closing.abort();
  }

  async *#read(state: WatchState, ended: AbortSignal): AsyncGenerator<WatchMessage, void, undefined> {
    const { log, clock } = this.#source;
    let since = clock.monotonic();
    while (!ended.aborted) {
      if (state.cursor < log.oldest) {
        for await (const commit of this.#past(state.cursor, ended)) {
          if (ended.aborted) return;
          const message = changesUnder(commit, state.prefixes);
          if (message) yield message;
          state.cursor = commit.revision + 1;
          if (state.cursor >= log.oldest) break;
        }
        continue;
      }
      const newest = log.newest;
      const commits = log.from(state.cursor, commitsPerTurn);
      for (const commit of commits) {
        const message = changesUnder(commit, state.prefixes);
        state.cursor = commit.revision + 1;
        if (!message) continue;
        since = clock.monotonic();
        yield message;
        if (ended.aborted) return;
      }
      if (commits.length === commitsPerTurn) {
        await setImmediate();
        continue;
      }
      state.cursor = Math.max(state.cursor, newest + 1);
      // More was committed while the reader was busy.
      if (newest < log.newest) continue;
      if (state.progressWanted || clock.monotonic() - since >= quietMilliseconds) {
        state.progressWanted = false;
        since = clock.monotonic();
        yield { type: "progress", revision: log.newest };
      } else {
        await this.#wait(state, since, ended);
      }
    }
  }

  #past(from: number, ended: AbortSignal): AsyncIterable<Commit> {
    const past = this.#source.past;
    if (past) return past.call(this.#source, from, ended);
    throw compacted(from, this.#source.log.oldest);
  }

  #wait(state: WatchState, since: number, ended: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        ended.removeEventListener("abort", wake);
        this.#waiting.delete(waiting);
        state.cursor = waiting.cursor;
        state.wake = undefined;
        resolve();
      };
      const waiting: Waiting = { prefixes: state.prefixes, since, cursor: state.cursor, wake };
      state.wake = wake;
      this.#waiting.add(waiting);
      ended.addEventListener("abort", wake, { once: true });
    });
  }
}

interface WatchState {
  readonly prefixes: readonly string[];
  /** The next revision to deliver. */
  cursor: number;
  progressWanted: boolean;
  wake: (() => void) | undefined;
}

/** The error of a reader that wants revision `wanted` where `oldest` is the oldest kept. */
export function compacted(wanted: number, oldest: number): OperationalError {
  return new OperationalError(
    storeErrors.compacted,
    `Revision ${wanted} of the store is no longer kept; the oldest kept is ${oldest}. Read everything anew and go on from there.`,
  );
}

function changesUnder(commit: Commit, prefixes: readonly string[]): WatchMessage | undefined {
  const events: WatchEvent[] = commit.events.filter((event) => underAny(eventKey(event), prefixes));
  return events.length > 0 ? { type: "changes", revision: commit.revision, events } : undefined;
}
