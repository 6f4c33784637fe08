import type { IncomingMessage } from "node:http";
import { isKind } from "@millwright/core/errors";
import type { Clock } from "@millwright/core/ports";
import { driverErrors } from "../driver/errors.ts";
import { type DockerEngine, EngineRefusal } from "./engine.ts";

export type StreamName = "stdout" | "stderr";

/** How far a container's output was taken: for each stream the time of the last piece, and how many pieces had that time. */
export type Position = Readonly<Partial<Record<StreamName, { readonly at: string; readonly pieces: number }>>>;

export interface FollowOptions {
  readonly engine: DockerEngine;
  readonly container: string;
  readonly from: Position;
  /** Resolves when it is where it belongs; nothing more is read before. */
  readonly write: (bytes: Uint8Array, stream: StreamName) => Promise<void>;
  /** Told what has been written so far. */
  readonly keep: (position: Position) => void;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * Carries over what a container writes, from a position on, each piece once, through restarts of the engine; resolves when
 * the container has ended and all is written, or is no more. Rejects only with the signal's reason.
 */
export async function followContainer(options: FollowOptions): Promise<void> {
  const { engine, container, clock, signal } = options;
  const taker = new Taker(options);
  for (;;) {
    try {
      const wasRunning = await isRunning(engine, container, signal);
      // Of one that has ended this is all there is; of one that runs it ends with it, or with the engine.
      const query = new URLSearchParams({ stdout: "1", stderr: "1", timestamps: "1", ...taker.since() });
      if (wasRunning) query.set("follow", "1");
      const path = `/containers/${container}/logs?${query}`;
      await taker.takeAll(await engine.stream({ method: "GET", path, signal }));
      if (!wasRunning) return;
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof EngineRefusal && error.status === 404) return;
      const isEngines = error instanceof EngineRefusal || isKind(error, driverErrors.missing) || isBroken(error);
      if (!isEngines) throw error;
    }
    await clock.sleep(againMilliseconds, signal);
  }
}

const againMilliseconds = 100;
const gatherMilliseconds = 10;
const fewBytes = 16 * 1024;
const setBackMilliseconds = 5;

// Undefined where this process had to wait in the middle of it.
function offsetOf(clock: Clock): number | undefined {
  const before = clock.monotonic();
  const now = clock.now();
  return clock.monotonic() - before < 1 ? now - before : undefined;
}

async function isRunning(engine: DockerEngine, container: string, signal: AbortSignal): Promise<boolean> {
  const path = `/containers/${container}/json`;
  const { State } = await engine.json<{ State: { Running: boolean; Status: string } }>({ method: "GET", path, signal });
  return State.Running || State.Status === "created";
}

// Of a connection; a file's errors are those of `write`, and a bug.
function isBroken(error: unknown): boolean {
  return (
    error instanceof Error &&
    "code" in error &&
    ["ECONNRESET", "EPIPE", "ERR_STREAM_PREMATURE_CLOSE"].includes(String(error.code))
  );
}

class Taker {
  readonly #options: FollowOptions;
  readonly #places: Readonly<Record<StreamName, StreamPlace>>;
  /** Between the wall's time and that which never steps back. */
  #clockOffset: number | undefined;

  constructor(options: FollowOptions) {
    this.#options = options;
    const { stdout, stderr } = options.from;
    this.#places = { stdout: new StreamPlace(stdout), stderr: new StreamPlace(stderr) };
    this.#clockOffset = offsetOf(options.clock);
  }

  /** As a query: a second before the end of what was taken, as the streams' times are not in order with each other. */
  since(): { since?: string } {
    const latest = Object.values(this.#position())
      .map(({ at }) => at)
      .toSorted()
      .at(-1);
    return latest === undefined ? {} : { since: String(Math.floor(Date.parse(latest) / 1_000) - 1) };
  }

  async takeAll(answer: IncomingMessage): Promise<void> {
    const { clock, keep, signal, write } = this.#options;
    const frames = new Frames();
    for (const place of Object.values(this.#places)) place.expectAgain();
    for await (const read of answer) {
      const bytes = read as Uint8Array;
      this.#lookAtClock();
      const fresh: Record<StreamName, Uint8Array[]> = { stdout: [], stderr: [] };
      for (const piece of frames.take(bytes)) if (this.#take(piece)) fresh[piece.stream].push(piece.bytes);
      for (const stream of ["stdout", "stderr"] as const)
        if (fresh[stream].length > 0) await write(Buffer.concat(fresh[stream]), stream);
      if (fresh.stdout.length + fresh.stderr.length > 0) keep(this.#position());
      // An engine sends line by line; what comes meanwhile is read and written at once.
      if (bytes.length < fewBytes) await clock.sleep(gatherMilliseconds, signal);
    }
  }

  #lookAtClock(): void {
    const offset = offsetOf(this.#options.clock);
    if (offset === undefined) return;
    const wasSetBack = this.#clockOffset !== undefined && offset < this.#clockOffset - setBackMilliseconds;
    this.#clockOffset = offset;
    if (wasSetBack) for (const place of Object.values(this.#places)) place.expectEarlier();
  }

  // Where one stream is told again, the other one is too.
  #take({ stream, at, bytes }: Piece): boolean {
    const place = this.#places[stream];
    if (place.goesBackTo(at)) for (const one of Object.values(this.#places)) one.expectAgain();
    return place.take(at, bytes);
  }

  #position(): Position {
    const { stdout, stderr } = this.#places;
    return { ...(stdout.last && { stdout: stdout.last }), ...(stderr.last && { stderr: stderr.last }) };
  }
}

/**
 * Which pieces of a stream are new. An engine tells some again: from where it is asked to, and, up to version 20.10, also in
 * the middle, from the beginning of the log file that it is in.
 */
class StreamPlace {
  #at: string;
  /** Pieces that have that time. */
  #pieces: number;
  #bytes: Uint8Array | undefined;
  /** While pieces are told again: how many of that time there were. */
  #again: number | undefined;
  #mayBeEarlier = false;

  constructor(last: { readonly at: string; readonly pieces: number } | undefined) {
    this.#at = last?.at ?? "";
    this.#pieces = last?.pieces ?? 0;
  }

  /** Undefined where nothing was taken. */
  get last(): { readonly at: string; readonly pieces: number } | undefined {
    return this.#at === "" ? undefined : { at: this.#at, pieces: this.#pieces };
  }

  expectAgain(): void {
    if (this.#at !== "") this.#again = 0;
  }

  /** The machine's clock was set back: what is new may have an earlier time than what was taken. */
  expectEarlier(): void {
    this.#mayBeEarlier = true;
  }

  /** Whether pieces are told again from here on. */
  goesBackTo(at: string): boolean {
    return at < this.#at && this.#again === undefined && !this.#mayBeEarlier;
  }

  /** Whether a piece is new; it is taken then. */
  take(at: string, bytes: Uint8Array): boolean {
    if (at === this.#at) {
      if (this.#again === undefined ? this.#isLast(bytes) : ++this.#again <= this.#pieces) return false;
      this.#pieces++;
      this.#bytes = bytes;
      return true;
    }
    if (at < this.#at && !this.#mayBeEarlier) return false;
    if (at < this.#at) this.#mayBeEarlier = false;
    this.#again = undefined;
    this.#at = at;
    this.#pieces = 1;
    this.#bytes = bytes;
    return true;
  }

  // Of the very same nanosecond, and the same in all: told again, of a file of which that was the first piece.
  #isLast(bytes: Uint8Array): boolean {
    return this.#bytes !== undefined && Buffer.compare(this.#bytes, bytes) === 0;
  }
}

interface Piece {
  readonly stream: StreamName;
  /** RFC 3339 with nine digits behind the point, in UTC: texts sort as times do. */
  readonly at: string;
  readonly bytes: Uint8Array;
}

/** Takes an engine's multiplexed stream apart. Source: Docker Engine API 1.41, "Attach to a container", stream format. */
export class Frames {
  #rest: Buffer = Buffer.alloc(0);

  take(bytes: Uint8Array): readonly Piece[] {
    let left = this.#rest.length === 0 ? Buffer.from(bytes) : Buffer.concat([this.#rest, bytes]);
    const pieces: Piece[] = [];
    while (left.length >= headerBytes) {
      const end = headerBytes + left.readUInt32BE(4);
      if (left.length < end) break;
      const stream = left[0] === 2 ? "stderr" : "stdout";
      const space = left.indexOf(0x20, headerBytes);
      pieces.push({ stream, at: left.toString("latin1", headerBytes, space), bytes: left.subarray(space + 1, end) });
      left = left.subarray(end);
    }
    this.#rest = left;
    return pieces;
  }
}

const headerBytes = 8;
