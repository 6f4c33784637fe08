import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import type { ErrorKind } from "@millwright/core/errors";
import { Bug, OperationalError } from "@millwright/core/errors";
import type { Chance, Clock } from "@millwright/core/ports";
import { systemChance, systemClock } from "@millwright/core/ports";
import type { Commit } from "./commit-log.ts";
import { CommitLog } from "./commit-log.ts";
import type { Store, WatchEvent } from "./contract.ts";
import { storeErrors } from "./contract.ts";
import type { HistoryBounds, Recovered } from "./embedded.ts";
import { EmbeddedStore } from "./embedded.ts";
import type { Version } from "./history.ts";
import { History } from "./history.ts";
import type { Dropped, Journal, JournalRecord } from "./journal.ts";
import type { FileOptions, FileState } from "./sqlite-file.ts";

export interface SqliteOptions extends FileOptions {
  readonly clock?: Clock;
  readonly chance?: Chance;
  /** How much history is kept; the contract's figures by default. */
  readonly history?: HistoryBounds;
}

/**
 * Opens (or makes) the store in the SQLite file at `path`, whose folder must exist; the file and those beside it (`-wal`,
 * `-shm`, `-lock`) get mode 0600. The whole store is held in memory and read from there; writes go through a worker
 * thread, many steps to a disk transaction.
 *
 * Rejects with `locked` where another process has it open, `unusable` where the file is no store, is damaged or of a newer
 * format, `unavailable` where the disk refuses.
 */
export async function openSqliteStore(options: SqliteOptions): Promise<Store> {
  const { clock = systemClock, chance = systemChance, history, ...file } = options;
  const thread = new SqliteThread();
  try {
    const state = (await thread.call({ do: "open", options: file })) as FileState;
    const recovered = await recover(thread, state, clock.monotonic());
    const journal: Journal = {
      append: async (records) => void (await thread.call({ do: "append", records })),
      close: () => thread.close(),
    };
    return new EmbeddedStore({ clock, chance, journal, recovered, ...(history ? { history } : {}) });
  } catch (error) {
    await thread.end();
    throw error;
  }
}

/** What the thread of the file is asked to do. */
export type SqliteRequest =
  | { readonly do: "open"; readonly options: FileOptions }
  /** The next part of the versions; null at the end. */
  | { readonly do: "read" }
  | { readonly do: "append"; readonly records: readonly JournalRecord[] }
  | { readonly do: "close" };

/** One answer a request, in order. Without a kind it was a bug. */
export type SqliteResponse =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly kind: ErrorKind | undefined; readonly message: string };

class SqliteThread {
  // The extension of this very file: a checkout runs .ts, a package .js.
  readonly #worker = new Worker(
    new URL(`./sqlite-worker${extname(new URL(import.meta.url).pathname)}`, import.meta.url),
  );
  readonly #asked: PromiseWithResolvers<unknown>[] = [];
  readonly #exited: Promise<void>;
  #failure: Error | undefined;

  constructor() {
    this.#worker.on("message", (response: SqliteResponse) => this.#answered(response));
    this.#exited = new Promise((resolve) => {
      this.#worker.on("error", (error) => {
        this.#failure = new Bug(`the thread of the store file failed: ${error.message}`, { cause: error });
      });
      this.#worker.on("exit", () => {
        this.#failure ??= new OperationalError(storeErrors.closed, "The store is closed.");
        for (const { reject } of this.#asked.splice(0)) reject(this.#failure);
        resolve();
      });
    });
  }

  call(request: SqliteRequest): Promise<unknown> {
    if (this.#failure) return Promise.reject(this.#failure);
    const asked = Promise.withResolvers<unknown>();
    this.#asked.push(asked);
    this.#worker.postMessage(request);
    return asked.promise;
  }

  async close(): Promise<void> {
    await this.call({ do: "close" });
    await this.#exited;
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }

  #answered(response: SqliteResponse): void {
    const asked = this.#asked.shift();
    if (response.ok) asked?.resolve(response.value);
    else if (response.kind) asked?.reject(new OperationalError(response.kind, response.message));
    else asked?.reject(new Bug(response.message));
  }
}

// Replays the file. Parts are asked for one by one, so that none of them keeps the event loop for long.
async function recover(thread: SqliteThread, state: FileState, now: number): Promise<Recovered> {
  const { oldest, newest, leases } = state;
  const history = new History();
  const log = new CommitLog(oldest, newest);
  const dropped: Dropped[] = [];
  let commit: { revision: number; at: number; events: WatchEvent[] } | undefined;
  const append = (complete: Commit | undefined) => complete && log.append(complete);
  for (;;) {
    const part = (await thread.call({ do: "read" })) as readonly Version[] | null;
    if (!part) break;
    for (const version of part) {
      const { key, modified } = version;
      const event = history.load(version);
      if (modified >= oldest) {
        if (commit?.revision === modified) {
          commit.events.push(event);
        } else {
          append(commit);
          commit = { revision: modified, at: now, events: [event] };
        }
      }
      if (modified <= oldest)
        for (const old of history.prune(key, oldest)) dropped.push({ key: old.key, modified: old.modified });
    }
  }
  append(commit);
  return { history, log, leases, dropped };
}
