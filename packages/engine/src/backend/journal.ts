import { closeSync, existsSync, fdatasync, openSync, readFileSync, rmSync, write } from "node:fs";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { messageOf, OperationalError } from "@millwright/core/errors";
import { parsePlain } from "@millwright/value/plain-json";
import type { ApplyRecorder, ChangeIntent, ChangeResult } from "../apply/run.ts";
import type { ObjectState } from "../state.ts";
import { objectFromPlain } from "../statefile/read.ts";
import { objectPlain } from "../statefile/write.ts";
import { backendErrors } from "./errors.ts";
import { writePrivateFile } from "./private-file.ts";

/** Where the journal of a state is: beside it, there only while a run is changing things or after it was killed. */
export function journalPath(statePath: string): string {
  return join(dirname(statePath), `.${basename(statePath)}.journal`);
}

/** What a journal says at its top: which state it goes on from, and whose it is. */
export interface JournalHeader {
  readonly lineage: string;
  readonly serial: number;
  readonly pid: number;
  /** When the process started, in clock ticks since boot: with the pid it names one process for ever. */
  readonly processStart: string;
  readonly started: string;
}

const writeFile = promisify(write);
const syncFile = promisify(fdatasync);

/**
 * Writes what a run is about to do and what came of it, a line each, on disk before the promise resolves. Lines that come
 * while the disk is busy go with the next write together.
 */
export class JournalWriter implements ApplyRecorder {
  readonly #statePath: string;
  readonly #path: string;
  readonly #file: number;
  #lines: string[] = [];
  /** The write that will take the lines collected now, and the end of the one before it. */
  #next: Promise<void> | undefined;
  #last: Promise<void> = Promise.resolve();

  /** Begins a journal, with what is still open from earlier ones. Throws `journalUnwritable`. */
  constructor(statePath: string, header: JournalHeader, pending: readonly PendingCreate[]) {
    this.#statePath = statePath;
    this.#path = journalPath(statePath);
    try {
      writePrivateFile(this.#path, pendingText(header, pending));
      this.#file = openSync(this.#path, "a", 0o600);
    } catch (error) {
      throw unwritable(this.#path, error);
    }
  }

  before(intent: ChangeIntent): Promise<void> {
    return this.#append({ before: { ...intent, at: new Date().toISOString() } });
  }

  after(result: ChangeResult): Promise<void> {
    const { object, ...rest } = result;
    return this.#append({ after: object ? { ...rest, object: objectPlain(undefined, object, undefined) } : rest });
  }

  /** The run has ended and its state is saved: only what is still open stays. */
  finish(pending: readonly PendingCreate[], header: JournalHeader): void {
    closeSync(this.#file);
    keepPending(this.#statePath, header, pending);
  }

  /** The run has ended and its state could not be saved: everything stays. */
  leave(): void {
    closeSync(this.#file);
  }

  #append(entry: unknown): Promise<void> {
    this.#lines.push(line(entry));
    if (!this.#next) {
      this.#next = this.#last.then(() => this.#flush());
      this.#last = this.#next.catch(() => undefined);
    }
    return this.#next;
  }

  async #flush(): Promise<void> {
    this.#next = undefined;
    const bytes = Buffer.from(this.#lines.join(""));
    this.#lines = [];
    try {
      for (let at = 0; at < bytes.length; ) at += (await writeFile(this.#file, bytes, at)).bytesWritten;
      await syncFile(this.#file);
    } catch (error) {
      throw unwritable(this.#path, error);
    }
  }
}

/** Leaves a journal of nothing but creates that are still open; none at all where there are none. */
export function keepPending(statePath: string, header: JournalHeader, pending: readonly PendingCreate[]): void {
  const path = journalPath(statePath);
  if (pending.length === 0) rmSync(path, { force: true });
  else writePrivateFile(path, pendingText(header, pending));
}

function pendingText(header: JournalHeader, pending: readonly PendingCreate[]): string {
  return [{ header }, ...pending.map((entry) => ({ pending: entry }))].map(line).join("");
}

function line(entry: unknown): string {
  return `${JSON.stringify(entry)}\n`;
}

function unwritable(path: string, error: unknown): OperationalError {
  return new OperationalError(
    backendErrors.journalUnwritable,
    `The journal ${path} cannot be written: ${messageOf(error)}. Without it nothing is changed, since a kill could not be told from an end. Make room, or make the folder writable, and run again.`,
    { cause: error },
  );
}

/** A create that was sent when its run ended: whether there is an object now is not known. */
export interface PendingCreate {
  readonly address: string;
  readonly provider: string;
  readonly type: string;
  readonly schemaVersion: number;
  /** The planned object as JSON text; what was unknown or sensitive is null. */
  readonly sent: string;
  /** RFC 3339. */
  readonly at: string;
}

/** What a left journal says came of its run. */
export interface JournalRecord {
  readonly header: JournalHeader;
  /** How many changes the run had begun; none where the journal only keeps open creates. */
  readonly changes: number;
  readonly done: readonly DoneChange[];
  readonly pending: readonly PendingCreate[];
  /** Updates and destroys that were under way: their objects are in the state, and the next refresh shows what came of them. */
  readonly unfinished: readonly { readonly address: string; readonly action: string; readonly at: string }[];
}

export interface DoneChange {
  readonly address: string;
  readonly provider: string;
  readonly deposedKey?: string;
  readonly deposes?: string;
  readonly restores?: string;
  readonly object?: ObjectState;
}

type JournalEntry =
  | { readonly header: JournalHeader }
  | { readonly pending: PendingCreate }
  | { readonly before: ChangeIntent & { readonly at: string } }
  | { readonly after: Omit<ChangeResult, "object"> & { readonly object?: Record<string, unknown> } };

/** Reads the journal beside a state; undefined where there is none. A last line that was cut off was never acted on. */
export function readJournal(statePath: string): JournalRecord | undefined {
  const path = journalPath(statePath);
  if (!existsSync(path)) return undefined;
  const entries = readFileSync(path, "utf8").split("\n").flatMap(parseLine);
  const first = entries[0];
  if (!first || !("header" in first)) return undefined;
  const open = new Map<number, ChangeIntent & { readonly at: string }>();
  const done: DoneChange[] = [];
  const pending: PendingCreate[] = [];
  for (const entry of entries) {
    if ("pending" in entry) pending.push(entry.pending);
    else if ("before" in entry) open.set(entry.before.sequence, entry.before);
    else if ("after" in entry) {
      const intent = open.get(entry.after.sequence);
      open.delete(entry.after.sequence);
      const { address, provider, deposedKey, restores, object } = entry.after;
      done.push({
        address,
        provider,
        ...(deposedKey === undefined ? {} : { deposedKey }),
        ...(intent?.deposes === undefined ? {} : { deposes: intent.deposes }),
        ...(restores === undefined ? {} : { restores }),
        ...(object ? { object: objectFromPlain(object) } : {}),
      });
    }
  }
  const unfinished: { address: string; action: string; at: string }[] = [];
  for (const { address, action, provider, type, schemaVersion, sent, at, deposes } of open.values()) {
    if (action === "create") {
      pending.push({ address, provider, type, schemaVersion, sent: sent ?? "null", at });
      if (deposes !== undefined) done.push({ address, provider, deposes });
    } else unfinished.push({ address, action, at });
  }
  const changes = entries.filter((entry) => "before" in entry).length;
  return { header: first.header, changes, done, pending, unfinished };
}

function parseLine(text: string): JournalEntry[] {
  if (text === "") return [];
  try {
    return [parsePlain(text) as JournalEntry];
  } catch {
    return [];
  }
}

/** When a process started, in clock ticks since boot; undefined where there is no such process. */
export function processStart(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return undefined;
  }
}
