import { closeSync, existsSync, openSync, realpathSync } from "node:fs";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { messageOf, OperationalError } from "@millwright/core/errors";
import type { LeaseId } from "./contract.ts";
import { storeErrors } from "./contract.ts";
import type { Version } from "./history.ts";
import type { JournalRecord } from "./journal.ts";

/** What one file says beside its versions. */
export interface FileState {
  readonly oldest: number;
  readonly newest: number;
  readonly leases: readonly { readonly lease: LeaseId; readonly ttl: number }[];
}

export interface FileOptions {
  readonly path: string;
  /** Bounds the file; for tests of a full disk. */
  readonly maxPages?: number;
}

const applicationId = 0x4d575354; // "MWST"
const formatVersion = 1;

/**
 * The SQLite file of a store: a journal of versions in the order they were made, of which a compaction deletes the
 * superseded ones. All calls block, so it lives in a worker thread.
 *
 * `version.id` is revision * 2^24 + place in the revision, so that a commit appends at the end of one B-tree and the file
 * is read back in order. WAL with synchronous=FULL: a transaction that returned is on the disk.
 *
 * The file beside it, `<path>-lock`, is locked by the operating system for as long as the store is open; who holds it is
 * noted in the table `meta`.
 */
export class SqliteFile {
  readonly #path: string;
  readonly #options: FileOptions;
  readonly #lock: DatabaseSync;
  #open: OpenFile | undefined;
  /** The newest revision that was answered to be there. */
  #newest: number;

  /** Throws `locked`, `unusable` or `unavailable`. */
  constructor(options: FileOptions) {
    this.#options = options;
    this.#path = actualPath(options.path);
    this.#lock = takeLock(this.#path);
    try {
      this.#open = openFile(this.#path, this.#options);
      noteHolder(this.#open.database);
      this.#newest = newestIn(this.#open.database);
    } catch (error) {
      this.#open?.database.close();
      this.#lock.close();
      throw error;
    }
  }

  state(): FileState {
    const { database } = this.#opened();
    const leases = database.prepare("SELECT lease, ttl FROM lease").all() as unknown as FileState["leases"];
    const oldest = Number(database.prepare("SELECT value FROM meta WHERE name = 'oldest'").get()?.["value"] ?? 0);
    return { oldest, newest: Math.max(oldest, newestIn(database)), leases: leases.map((row) => ({ ...row })) };
  }

  /** The versions in order, in parts of about `bytes` bytes. */
  *versions(bytes: number): Generator<readonly Version[]> {
    // As text a key costs half as much to read as in bytes.
    const columns = "id >> 24 AS revision, CAST(key AS TEXT) AS key, created, version, lease, value";
    const rows = this.#opened().database.prepare(`SELECT ${columns} FROM version ORDER BY id`).iterate();
    let part: Version[] = [];
    let size = 0;
    for (const row of rows as Iterable<unknown>) {
      const version = versionOf(row as VersionRow);
      part.push(version);
      size += 100 + (version.entry?.value.byteLength ?? 0);
      if (size < bytes) continue;
      yield part;
      part = [];
      size = 0;
    }
    yield part;
  }

  /** Writes all records in one transaction. Throws `unavailable` where none of them was written, else `undecided`. */
  append(records: readonly JournalRecord[]): void {
    const { database, statements } = this.#opened();
    const last = records.findLast((record) => record.kind === "commit")?.revision ?? this.#newest;
    try {
      database.exec("BEGIN IMMEDIATE");
      for (const record of records) writeRecord(statements, record);
      database.exec("COMMIT");
    } catch (error) {
      this.#settle(last, error);
    }
    this.#newest = last;
  }

  close(): void {
    this.#open?.database.close();
    this.#open = undefined;
    this.#lock.close();
  }

  // After a write that was answered `undecided` the file may hold what the store has given up; its revisions are given out
  // again, so it goes.
  #opened(): OpenFile {
    if (this.#open) return this.#open;
    const opened = openFile(this.#path, this.#options);
    opened.statements.dropBehind.run(this.#newest);
    this.#open = opened;
    return opened;
  }

  // A commit that failed may still be in the log, whole, and come back at the next start (its sync may be what failed). So
  // the file is opened anew, which reads the log as a restart would, and what is found there counts.
  #settle(last: number, error: unknown): void {
    try {
      this.#open?.database.close();
      this.#open = undefined;
      this.#open = openFile(this.#path, this.#options);
    } catch (second) {
      throw new OperationalError(
        storeErrors.undecided,
        `The store file ${this.#path} failed in the middle of a write (${messageOf(error)}) and cannot be opened again ` +
          `(${messageOf(second)}). The write may or may not have been done.`,
      );
    }
    if (last > this.#newest && newestIn(this.#open.database) >= last) return;
    throw new OperationalError(storeErrors.unavailable, `Nothing was written to ${this.#path}: ${explain(error)}`);
  }
}

interface OpenFile {
  readonly database: DatabaseSync;
  readonly statements: Statements;
}

type Statements = ReturnType<typeof prepare>;

function prepare(database: DatabaseSync) {
  return {
    version: database.prepare("INSERT INTO version VALUES ((?1 << 24) | ?2, ?3, ?4, ?5, ?6, ?7)"),
    drop: database.prepare("DELETE FROM version WHERE id >= (?1 << 24) AND id < ((?1 + 1) << 24) AND key = ?2"),
    dropBehind: database.prepare("DELETE FROM version WHERE id >= ((?1 + 1) << 24)"),
    oldest: database.prepare("INSERT OR REPLACE INTO meta VALUES (?2, ?1)"),
    leaseGranted: database.prepare("INSERT OR REPLACE INTO lease VALUES (?2, ?1)"),
    leaseEnded: database.prepare("DELETE FROM lease WHERE lease = ?1"),
  };
}

function writeRecord(statements: Statements, record: JournalRecord): void {
  switch (record.kind) {
    case "commit":
      record.versions.forEach(({ key, entry }, place) => {
        const { created = null, version = null, lease = null, value = null } = entry ?? {};
        statements.version.run(record.revision, place, Buffer.from(key), created, version, lease, value);
      });
      return;
    case "leaseGranted":
      statements.leaseGranted.run(record.ttl, record.lease);
      return;
    case "leaseEnded":
      statements.leaseEnded.run(record.lease);
      return;
    case "compacted":
      statements.oldest.run(record.oldest, "oldest");
      for (const { modified, key } of record.dropped) statements.drop.run(modified, Buffer.from(key));
      return;
  }
}

interface VersionRow {
  readonly revision: number;
  readonly key: string;
  readonly created: number | null;
  readonly version: number | null;
  readonly lease: LeaseId | null;
  readonly value: Uint8Array | null;
}

function versionOf(row: VersionRow): Version {
  const { key, revision: modified, created, version, lease, value } = row;
  if (created === null || version === null || value === null) return { key, modified };
  return { key, modified, entry: { key, value, created, modified, version, ...(lease === null ? {} : { lease }) } };
}

function newestIn(database: DatabaseSync): number {
  return Number(database.prepare("SELECT max(id) >> 24 AS newest FROM version").get()?.["newest"] ?? 0);
}

function actualPath(path: string): string {
  try {
    return existsSync(path) ? realpathSync(path) : join(realpathSync(dirname(path)), basename(path));
  } catch (error) {
    throw new OperationalError(
      storeErrors.unusable,
      `The store file ${path} cannot be opened: ${messageOf(error)}. Make its folder first, and see that it can be written to.`,
    );
  }
}

function takeLock(path: string): DatabaseSync {
  const lockPath = `${path}-lock`;
  let lock: DatabaseSync | undefined;
  try {
    closeSync(openSync(lockPath, "a", 0o600));
    lock = new DatabaseSync(lockPath);
    // Nothing is ever written to it, so it needs no journal beside it.
    lock.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
    return lock;
  } catch (error) {
    lock?.close();
    if (resultCode(error) === busy)
      throw new OperationalError(
        storeErrors.locked,
        `The store ${path} is already open in ${holderOf(path)}. Only one process can have it open: stop that one first.`,
      );
    throw new OperationalError(storeErrors.unusable, `The lock file ${lockPath} cannot be opened: ${explain(error)}`);
  }
}

// Whoever holds the lock wrote its name behind it.
function holderOf(path: string): string {
  try {
    const database = new DatabaseSync(path, { readOnly: true, timeout: 200 });
    try {
      return String(
        database.prepare("SELECT value FROM meta WHERE name = 'holder'").get()?.["value"] ?? "another process",
      );
    } finally {
      database.close();
    }
  } catch {
    return "another process";
  }
}

function openFile(path: string, options: FileOptions): OpenFile {
  let database: DatabaseSync | undefined;
  try {
    // Before SQLite does, which would let others read it; its other files get the same mode.
    closeSync(openSync(path, "a", 0o600));
    database = new DatabaseSync(path, { timeout: 200 });
    assertOurs(database, path);
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 67108864");
    if (options.maxPages !== undefined) database.exec(`PRAGMA max_page_count = ${options.maxPages}`);
    // Where the file is new it gets its tables; else nothing is written here, since a full disk is no reason not to open.
    if (isEmpty(database)) database.exec(`BEGIN IMMEDIATE; ${schema}; COMMIT`);
    return { database, statements: prepare(database) };
  } catch (error) {
    database?.close();
    if (error instanceof OperationalError) throw error;
    const damaged = [notADatabase, corrupt].includes(resultCode(error) ?? 0);
    const kind = damaged ? storeErrors.unusable : storeErrors.unavailable;
    throw new OperationalError(kind, `The store file ${path} cannot be opened: ${explain(error)}`);
  }
}

// Notes who has the store open, for the message to those who find it locked.
function noteHolder(database: DatabaseSync): void {
  const holder = `process ${process.pid} on ${hostname()} (since ${new Date().toISOString()})`;
  try {
    database.prepare("INSERT OR REPLACE INTO meta VALUES (?1, ?2)").run("holder", holder);
  } catch (error) {
    // A full disk must not keep a store from being read; the message will then name the holder before.
    if (resultCode(error) !== full && resultCode(error) !== inputOutput) throw error;
  }
}

const schema = `
  CREATE TABLE meta (name TEXT PRIMARY KEY, value ANY) STRICT, WITHOUT ROWID;
  CREATE TABLE lease (lease TEXT PRIMARY KEY, ttl INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE version (
    id INTEGER PRIMARY KEY, key BLOB NOT NULL, created INTEGER, version INTEGER, lease TEXT, value BLOB
  ) STRICT;
  PRAGMA application_id = ${applicationId};
  PRAGMA user_version = ${formatVersion}`;

function assertOurs(database: DatabaseSync, path: string): void {
  const number = (sql: string) => Number(Object.values(database.prepare(sql).get() ?? {})[0]);
  const id = number("PRAGMA application_id");
  const version = number("PRAGMA user_version");
  if (id !== applicationId && !(isEmpty(database) && id === 0))
    throw new OperationalError(
      storeErrors.unusable,
      `${path} is a SQLite database, but not a store of Millwright. Name another file; this one was left as it is.`,
    );
  if (version > formatVersion)
    throw new OperationalError(
      storeErrors.unusable,
      `The store ${path} has format version ${version}, written by a newer Millwright; this one reads up to version ` +
        `${formatVersion}. Use that newer one; the file was left as it is.`,
    );
}

function isEmpty(database: DatabaseSync): boolean {
  return database.prepare("SELECT 1 FROM sqlite_schema LIMIT 1").get() === undefined;
}

// Primary result codes, https://www.sqlite.org/rescode.html
const busy = 5;
const readOnly = 8;
const inputOutput = 10;
const corrupt = 11;
const full = 13;
const cannotOpen = 14;
const notADatabase = 26;

function resultCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("errcode" in error)) return undefined;
  return Number(error.errcode) & 0xff;
}

function explain(error: unknown): string {
  const message = messageOf(error);
  switch (resultCode(error)) {
    case full:
      return `the disk is full (${message}). Make room; writing goes on by itself.`;
    case inputOutput:
      return `the disk failed (${message}). See the system's log; writing goes on by itself once it works again.`;
    case readOnly:
    case cannotOpen:
      return `it cannot be written to (${message}). See to the rights of the file and its folder.`;
    case corrupt:
      return `it is damaged (${message}). Put back a snapshot.`;
    case notADatabase:
      return `it is not a store (${message}). Name another file; this one was left as it is.`;
    case busy:
      return `another program has it locked (${message}). End that program.`;
    default:
      return message;
  }
}
