import { setImmediate as nextTurn } from "node:timers/promises";
import { invariant } from "@millwright/core/errors";
import type { Commit, CommitLog } from "./commit-log.ts";
import type { WatchEvent } from "./contract.ts";
import type { History, Version } from "./history.ts";
import type { Journal, JournalRecord } from "./journal.ts";
import type { Watches } from "./watches.ts";

/** What a committer moves forward together. */
export interface CommitterParts {
  readonly history: History;
  readonly log: CommitLog;
  readonly watches: Watches;
  readonly journal: Journal;
}

interface Pending {
  readonly records: readonly JournalRecord[];
  readonly commit?: Commit;
  readonly done: PromiseWithResolvers<void>;
}

/** Bounds what one message to the journal's thread costs this one. */
const recordsPerAppend = 1_000;
const bytesPerAppend = 2 * 1024 * 1024;

/**
 * Brings decided commits to the journal, and only then to the log and its watches.
 *
 * Whatever is waiting is appended together (group commit). Where the journal refuses, everything that waits is taken back
 * from the history, newest first, and rejected: later commits were decided on top of the refused ones.
 */
export class Committer {
  readonly #parts: CommitterParts;
  #queue: Pending[] = [];
  #decided: number;
  #running: Promise<void> | undefined;

  constructor(parts: CommitterParts) {
    this.#parts = parts;
    this.#decided = parts.log.newest;
  }

  /** The newest revision in the history, durable or not. */
  get decided(): number {
    return this.#decided;
  }

  /** Takes a commit that the history already holds; resolves to its revision once it is durable and published. */
  async commit(commit: Commit): Promise<number> {
    invariant(commit.revision === this.#decided + 1, "commits are made in revision order");
    this.#decided = commit.revision;
    const versions = commit.events.map(versionOf);
    await this.#enqueue([{ kind: "commit", revision: commit.revision, versions }], commit);
    return commit.revision;
  }

  /** Writes records that are no commit. */
  write(records: readonly JournalRecord[]): Promise<void> {
    return this.#enqueue(records);
  }

  /** Resolves to true once `revision` is durable, to false where it was taken back. */
  async reached(revision: number): Promise<boolean> {
    if (revision <= this.#parts.log.newest) return true;
    const awaited = this.#queue.find((pending) => pending.commit?.revision === revision);
    invariant(awaited, "a decided revision that is not durable is waiting");
    return awaited.done.promise.then(
      () => true,
      () => false,
    );
  }

  /** Resolves once nothing waits any more. */
  async idle(): Promise<void> {
    while (this.#running) await this.#running;
  }

  #enqueue(records: readonly JournalRecord[], commit?: Commit): Promise<void> {
    const done = Promise.withResolvers<void>();
    this.#queue.push({ records, done, ...(commit ? { commit } : {}) });
    this.#running ??= this.#run();
    return done.promise;
  }

  async #run(): Promise<void> {
    while (this.#queue.length > 0) {
      // Callers that were just answered get to call again, so that they share the next append.
      await nextTurn();
      const batch = this.#queue.slice(0, batchLength(this.#queue));
      try {
        await this.#parts.journal.append(batch.flatMap((pending) => pending.records));
      } catch (error) {
        this.#takeBack(error);
        continue;
      }
      this.#queue = this.#queue.slice(batch.length);
      for (const { commit, done } of batch) {
        if (commit) this.#publish(commit);
        done.resolve();
      }
    }
    this.#running = undefined;
  }

  #takeBack(error: unknown): void {
    const refused = this.#queue;
    this.#queue = [];
    this.#decided = this.#parts.log.newest;
    for (const { commit } of refused.toReversed()) {
      for (const event of commit?.events.toReversed() ?? []) this.#parts.history.undo(event);
    }
    for (const { done } of refused) done.reject(error);
  }

  #publish(commit: Commit): void {
    this.#parts.log.append(commit);
    this.#parts.watches.published(commit);
  }
}

function batchLength(queue: readonly Pending[]): number {
  let bytes = 0;
  let length = 0;
  while (length < queue.length && length < recordsPerAppend && bytes < bytesPerAppend) {
    const { commit } = queue[length++]!;
    for (const event of commit?.events ?? []) bytes += 100 + (event.type === "put" ? event.entry.value.byteLength : 0);
  }
  return length;
}

function versionOf(event: WatchEvent): Version {
  if (event.type === "put") return { key: event.entry.key, modified: event.entry.modified, entry: event.entry };
  return { key: event.key, modified: event.revision };
}
