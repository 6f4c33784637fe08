import { createHash, type Hash } from "node:crypto";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip, createGzip } from "node:zlib";
import { messageOf, OperationalError } from "@millwright/core/errors";
import { discoveryErrors } from "./errors.ts";

/**
 * An archive of a server's state: gzip over lines of JSON. The first line is the {@link ArchiveHeader}, then comes a line
 * for each entry (`{"k":"kv/…","v":base64}`), the last counts them and has the SHA-256 of all bytes before it, so that a
 * cut or changed archive is told from a whole one.
 */
export interface ArchiveHeader {
  /** The highest public index that had been given out when it was taken. */
  readonly index: number;
  /** Milliseconds since 1970. */
  readonly takenAt: number;
}

/** An entry by its name within a generation (`kv/KEY`), as the store has it. */
export interface ArchiveEntry {
  readonly name: string;
  readonly value: Uint8Array;
}

const kind = "millwright-discovery";
const format = 1;
/** Above the longest line there can be: a value of 512 KiB in base 64 and its key. */
const longestLine = 4 * 1024 * 1024;

/** The bytes of an archive, piece by piece. Reading it fails where `entries` fails. */
export function writeArchive(header: ArchiveHeader, entries: AsyncIterable<ArchiveEntry>): AsyncIterable<Uint8Array> {
  const gzip = createGzip({ level: 1 });
  // A failure destroys the last stream of the line, and so reaches whoever reads it.
  pipeline(Readable.from(archiveLines(header, entries)), gzip).catch(() => undefined);
  return gzip;
}

async function* archiveLines(header: ArchiveHeader, entries: AsyncIterable<ArchiveEntry>): AsyncGenerator<string> {
  const hash = createHash("sha256");
  const first = `${JSON.stringify({ archive: kind, format, ...header })}\n`;
  hash.update(first);
  yield first;
  let count = 0;
  for await (const { name, value } of entries) {
    const base64 = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64");
    const line = `{"k":${JSON.stringify(name)},"v":"${base64}"}\n`;
    hash.update(line);
    count++;
    yield line;
  }
  yield `${JSON.stringify({ entries: count, sha256: hash.digest("hex") })}\n`;
}

/**
 * Reads an archive; the header first, then each entry. Throws `damagedArchive` where it is cut, changed or of another
 * kind, at the latest at its end: what was read before must not be used then.
 */
export async function* readArchive(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<ArchiveHeader | ArchiveEntry> {
  const hash = createHash("sha256");
  let count = -1;
  let ended = false;
  for await (const line of linesOf(bytes)) {
    if (ended) throw damaged("something follows its end");
    const fields = parseLine(line);
    if (count < 0) {
      yield parseHeader(fields);
    } else if ("k" in fields) {
      yield parseEntry(fields);
    } else {
      checkEnd(fields, count, hash);
      ended = true;
      continue;
    }
    count++;
    hash.update(line);
  }
  if (!ended) throw damaged("it ends too early");
}

async function* linesOf(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const gunzip = createGunzip();
  // Its failures destroy the last stream of the line, and so are thrown below.
  pipeline(Readable.from(bytes, { objectMode: false }), gunzip).catch(() => undefined);
  let rest: Buffer = Buffer.alloc(0);
  try {
    for await (const chunk of gunzip) {
      rest = rest.length === 0 ? (chunk as Buffer) : Buffer.concat([rest, chunk as Buffer]);
      for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
        yield rest.subarray(0, end + 1);
        rest = rest.subarray(end + 1);
      }
      if (rest.length > longestLine) throw damaged("a line is longer than any entry");
    }
  } catch (error) {
    throw error instanceof OperationalError ? error : damaged(messageOf(error));
  }
  if (rest.length > 0) throw damaged("it ends within a line");
}

function parseLine(line: Uint8Array): Record<string, unknown> {
  try {
    const fields: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(line));
    if (typeof fields === "object" && fields !== null) return fields as Record<string, unknown>;
  } catch {
    // Told below, with what is not an object.
  }
  throw damaged("a line is no JSON object");
}

function parseHeader({ archive, format: given, index, takenAt }: Record<string, unknown>): ArchiveHeader {
  if (archive !== kind)
    throw damaged("it is of another kind; only archives of this program's own server can be restored");
  if (given !== format) throw damaged(`it has format ${String(given)}, and this version knows format ${format}`);
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(takenAt))
    throw damaged("its first line has no index or time");
  return { index: Number(index), takenAt: Number(takenAt) };
}

function parseEntry({ k, v }: Record<string, unknown>): ArchiveEntry {
  if (typeof k !== "string" || typeof v !== "string") throw damaged("an entry has no name or no value");
  return { name: k, value: Buffer.from(v, "base64") };
}

function checkEnd({ entries, sha256 }: Record<string, unknown>, count: number, hash: Hash): void {
  if (entries !== count) throw damaged(`it says it has ${String(entries)} entries, and has ${count}`);
  if (sha256 !== hash.digest("hex")) throw damaged("its checksum does not match");
}

/** The error for an archive that cannot be restored. */
export function damaged(why: string): OperationalError {
  return new OperationalError(
    discoveryErrors.damagedArchive,
    `The archive cannot be restored: ${why}. Nothing was changed.`,
  );
}
