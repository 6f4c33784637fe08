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
  #position: { -readonly [Name in StreamName]?: { at: string; pieces: number } };

  constructor(options: FollowOptions) {
    this.#options = options;
    this.#position = { ...options.from };
  }

  /** As a query: a second before the older of both streams' ends, as the streams' times are not in order with each other. */
  since(): { since?: string } {
    const times = Object.values(this.#position).map(({ at }) => at);
    if (times.length === 0) return {};
    const latest = times.toSorted().at(-1)!;
    return { since: String(Math.floor(Date.parse(latest) / 1_000) - 1) };
  }

  async takeAll(answer: IncomingMessage): Promise<void> {
    const frames = new Frames();
    // Pieces with the times of the ends, which the engine gives again.
    const repeated = { stdout: 0, stderr: 0 };
    const from = { ...this.#position };
    for await (const bytes of answer) {
      const fresh = frames.take(bytes as Uint8Array).filter(({ stream, at }) => {
        const end = from[stream];
        if (end === undefined || at > end.at) return true;
        return at === end.at && ++repeated[stream] > end.pieces;
      });
      await this.#write(fresh);
    }
  }

  async #write(pieces: readonly Piece[]): Promise<void> {
    for (const stream of ["stdout", "stderr"] as const) {
      const own = pieces.filter((piece) => piece.stream === stream);
      if (own.length === 0) continue;
      await this.#options.write(Buffer.concat(own.map(({ bytes }) => bytes)), stream);
      for (const { at } of own) {
        const last = this.#position[stream];
        this.#position[stream] = { at, pieces: last?.at === at ? last.pieces + 1 : 1 };
      }
      this.#options.keep({ ...this.#position });
    }
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
