import { closeSync, existsSync, fdatasync, ftruncateSync, openSync, readFileSync, rmSync, write } from "node:fs";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { messageOf, OperationalError } from "@millwright/core/errors";
import { parsePlain } from "@millwright/value/plain-json";
import type { ApplyRecorder, ChangeIntent, ChangeResult } from "../apply/run.ts";
import type { ProviderProcess } from "../ports.ts";
import type { ObjectState } from "../state.ts";
import { objectFromPlain } from "../statefile/read.ts";
import { objectPlain } from "../statefile/write.ts";
import { backendErrors } from "./errors.ts";
import type { JournalLines } from "./journal-lines.ts";
import { clearLines } from "./journal-lines.ts";
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

/** A line on its way to the disk, and who waits for it. */
interface Entry {
  readonly kind: "before" | "after" | "note";
  readonly sequence: number;
  readonly bytes: Buffer;
  settle(error?: OperationalError): void;
}

/**
 * Writes what a run is about to do and what came of it, a line each, on disk before the promise resolves. Lines that come
 * while the disk is busy go with the next write together.
 *
 * With a change that begins, room is made for what will come of it: blank lines, which the later entries are written over.
 * So a disk that fills up keeps changes from being begun, and never what was done from being noted.
 */
export class JournalWriter implements ApplyRecorder {
  readonly #statePath: string;
  readonly #path: string;
  readonly #lines: JournalLines;
  readonly #file: number;
  #queue: Entry[] = [];
  #isWriting = false;
  /** Where the next entry goes, and where the blank lines behind it end. */
  #end: number;
  #room: number;
  /** How far a write that failed may have got: what it left is written over. */
  #spoilt = 0;
  /** The bytes kept free for the answer of each change under way, by its sequence number. */
  readonly #answers = new Map<number, number>();

  /** Begins a journal, with what is still open from earlier ones. Throws `journalUnwritable`. */
  constructor(
    statePath: string,
    header: JournalHeader,
    pending: readonly PendingCreate[],
    lines: JournalLines = clearLines,
  ) {
    this.#statePath = statePath;
    this.#path = journalPath(statePath);
    this.#lines = lines;
    const text = pendingText(header, pending, lines);
    try {
      writePrivateFile(this.#path, text);
      this.#file = openSync(this.#path, "r+");
    } catch (error) {
      throw unwritable(this.#path, error);
    }
    this.#end = Buffer.byteLength(text);
    this.#room = this.#end;
  }

  before(intent: ChangeIntent): Promise<void> {
    return this.#append("before", intent.sequence, { before: { ...intent, at: new Date().toISOString() } });
  }

  after(result: ChangeResult): Promise<void> {
    const { object, ...rest } = result;
    const after = object ? { ...rest, object: objectPlain(undefined, object, undefined) } : rest;
    return this.#append("after", result.sequence, { after });
  }

  /** A provider's process of this run: should the run be killed, the next one ends what is left of it. */
  process(process: ProviderProcess): Promise<void> {
    return this.#append("note", 0, { process });
  }

  /** The run has ended and its state is saved: only what is still open stays. Throws `journalUnwritable`. */
  finish(pending: readonly PendingCreate[], header: JournalHeader): void {
    closeSync(this.#file);
    keepPending(this.#statePath, header, pending, this.#lines);
  }

  /** The run has ended and its state could not be saved: everything stays. */
  leave(): void {
    ftruncateSync(this.#file, this.#end);
    closeSync(this.#file);
  }

  #append(kind: Entry["kind"], sequence: number, content: unknown): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (error?: OperationalError) => (error ? reject(error) : resolve());
      this.#queue.push({ kind, sequence, bytes: Buffer.from(line(content, this.#lines)), settle });
      if (!this.#isWriting) void this.#writeAll();
    });
  }

  async #writeAll(): Promise<void> {
    this.#isWriting = true;
    // Changes that begin in the same moment are written together.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      const entries = this.#queue;
      this.#queue = [];
      await this.#write(await this.#withRoom(entries));
    }
    this.#isWriting = false;
  }

  /** The entries there is room for, with that of the answers to come; changes that have none are refused. */
  async #withRoom(entries: readonly Entry[]): Promise<readonly Entry[]> {
    const begun = entries.filter(({ kind }) => kind === "before");
    for (const { sequence, bytes } of begun) this.#answers.set(sequence, answerBytes(bytes.length));
    const written = entries.reduce((sum, { bytes }) => sum + bytes.length, 0);
    const needed = this.#end + written + [...this.#answers.values()].reduce((sum, bytes) => sum + bytes, 0);
    if (needed <= this.#room) return entries;
    try {
      // As much as will do for a while; where the disk is nearly full, as much as is needed.
      await this.#blank(needed + roomAtOnce).catch(() => this.#blank(needed));
      return entries;
    } catch (error) {
      for (const { sequence, settle } of begun) {
        this.#answers.delete(sequence);
        settle(unwritable(this.#path, error));
      }
      return entries.filter(({ kind }) => kind !== "before");
    }
  }

  async #blank(to: number): Promise<void> {
    const lines = Buffer.alloc(to - this.#room, "\n");
    await writeWhole(this.#file, lines, this.#room);
    this.#room = to;
  }

  async #write(entries: readonly Entry[]): Promise<void> {
    if (entries.length === 0) return;
    const bytes = Buffer.concat(entries.map((entry) => entry.bytes));
    const end = this.#end + bytes.length;
    const blank = Buffer.alloc(Math.max(0, this.#spoilt - end), "\n");
    try {
      await writeWhole(this.#file, Buffer.concat([bytes, blank]), this.#end);
      await syncFile(this.#file);
    } catch (error) {
      this.#spoilt = Math.max(this.#spoilt, end);
      for (const { settle } of entries) settle(unwritable(this.#path, error));
      return;
    }
    this.#spoilt = 0;
    this.#end = end;
    this.#room = Math.max(this.#room, this.#end);
    for (const { kind, sequence, settle } of entries) {
      if (kind === "after") this.#answers.delete(sequence);
      settle();
    }
  }
}

const roomAtOnce = 64 * 1024;

/** What the answer to a change may take: what was sent, in another form, with the provider's own values beside it. */
function answerBytes(sent: number): number {
  return 3 * sent + 4096;
}

async function writeWhole(file: number, bytes: Buffer, position: number): Promise<void> {
  for (let at = 0; at < bytes.length; )
    at += (await writeFile(file, bytes, at, bytes.length - at, position + at)).bytesWritten;
}

/**
 * Leaves a journal of nothing but creates that are still open; none at all where there are none. Throws `journalUnwritable`; the
 * whole journal is left then, and to take it in again does no harm.
 */
export function keepPending(
  statePath: string,
  header: JournalHeader,
  pending: readonly PendingCreate[],
  lines: JournalLines = clearLines,
): void {
  const path = journalPath(statePath);
  try {
    if (pending.length === 0) rmSync(path, { force: true });
    else writePrivateFile(path, pendingText(header, pending, lines));
  } catch (error) {
    throw new OperationalError(
      backendErrors.journalUnwritable,
      `The state is saved, but its journal ${path} cannot be put away: ${messageOf(error)}. Nothing is lost. Make room, or make the folder writable; the next run puts it away.`,
      { cause: error },
    );
  }
}

function pendingText(header: JournalHeader, pending: readonly PendingCreate[], lines: JournalLines): string {
  const entries = [{ header }, ...pending.map((entry) => ({ pending: entry }))];
  return lines.head + entries.map((entry) => line(entry, lines)).join("");
}

function line(entry: unknown, lines: JournalLines): string {
  return `${lines.encode(JSON.stringify(entry))}\n`;
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
  /** The processes of providers that the run had. They may outlive it. */
  readonly processes: readonly ProviderProcess[];
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
  | { readonly process: ProviderProcess }
  | { readonly before: ChangeIntent & { readonly at: string } }
  | { readonly after: Omit<ChangeResult, "object"> & { readonly object?: Record<string, unknown> } };

/** Reads the journal beside a state; undefined where there is none. A last line that was cut off was never acted on. */
export function readJournal(statePath: string, lines: JournalLines = clearLines): JournalRecord | undefined {
  const path = journalPath(statePath);
  if (!existsSync(path)) return undefined;
  const entries = readFileSync(path, "utf8")
    .slice(lines.head.length)
    .split("\n")
    .flatMap((text) => parseLine(text, lines));
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
  const processes = entries.flatMap((entry) => ("process" in entry ? [entry.process] : []));
  return { header: first.header, changes, done, pending, unfinished, processes };
}

// A line that cannot be read was not yet safely on disk at the end of its run, and so was never acted on.
function parseLine(text: string, lines: JournalLines): JournalEntry[] {
  if (text === "") return [];
  try {
    return [parsePlain(lines.decode(text)) as JournalEntry];
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
