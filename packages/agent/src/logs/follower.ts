import { createHash } from "node:crypto";
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { messageOf } from "@millwright/core/errors";
import { systemClock } from "@millwright/core/ports";
import type { Position, StreamName } from "../docker/follow-container.ts";
import type { FollowedContainer } from "../driver/driver.ts";
import { keyOf } from "./protocol.ts";
import type { LoggedName } from "./logs.ts";
import type { RotatingFile } from "./rotating-file.ts";

/**
 * Carries what a container writes over into a log's files. How far it came is in a file beside the log process's own, so that
 * the next log process goes on there; what one that is killed wrote at that moment may be there twice, and nothing is missing.
 */
export class Follower {
  readonly #container: FollowedContainer;
  readonly #files: readonly [RotatingFile, RotatingFile];
  readonly #positionFile: string;
  readonly #stopped = new AbortController();
  #isDone = false;

  /** Why nothing can be written at present. */
  fault: string | undefined;

  constructor(container: FollowedContainer, files: readonly [RotatingFile, RotatingFile], positionFile: string) {
    this.#container = container;
    this.#files = files;
    this.#positionFile = positionFile;
    this.#run().then(
      () => {
        this.#isDone = true;
      },
      (error: unknown) => {
        if (!this.#stopped.signal.aborted) this.fault = messageOf(error);
      },
    );
  }

  /** Whether the container has ended and everything of it is written. */
  get isDone(): boolean {
    return this.#isDone;
  }

  /** Stops; another one may go on there. */
  close(): void {
    this.#stopped.abort(new Error("no longer followed"));
  }

  /** Stops for good. */
  forget(): void {
    this.close();
    rmSync(this.#positionFile, { force: true });
  }

  async #run(): Promise<void> {
    // Loaded when the first container is followed: most nodes' log processes never need it.
    const [{ followContainer }, { DockerEngine, parseEngineAddress }] = await Promise.all([
      import("../docker/follow-container.ts"),
      import("../docker/engine.ts"),
    ]);
    const { endpoint, id } = this.#container;
    const address = parseEngineAddress(endpoint);
    if (!address) throw new Error(`${endpoint} is no address of an engine`);
    const engine = new DockerEngine(address);
    try {
      await followContainer({
        engine,
        container: id,
        from: this.#position(),
        write: (bytes, stream) => this.#write(bytes, stream),
        keep: (position) => this.#keep(position),
        clock: systemClock,
        signal: this.#stopped.signal,
      });
    } finally {
      engine.close();
    }
  }

  async #write(bytes: Uint8Array, stream: StreamName): Promise<void> {
    const file = this.#files[stream === "stdout" ? 0 : 1];
    for (let done = 0; ; ) {
      const written = file.write(bytes.subarray(done));
      done += written.bytes;
      this.fault = written.fault;
      if (this.fault === undefined) return;
      await systemClock.sleep(retryMilliseconds, this.#stopped.signal);
    }
  }

  #keep(position: Position): void {
    try {
      writeFileSync(`${this.#positionFile}.new`, JSON.stringify({ id: this.#container.id, position }), { mode: 0o600 });
      renameSync(`${this.#positionFile}.new`, this.#positionFile);
      this.fault = undefined;
    } catch (error) {
      // The log itself is written: what is lost is only where another log process would go on.
      this.fault = messageOf(error);
    }
  }

  #position(): Position {
    if (!existsSync(this.#positionFile)) return {};
    // Written by this class alone, and whole.
    const kept = JSON.parse(readFileSync(this.#positionFile, "utf8")) as { id: string; position: Position };
    return kept.id === this.#container.id ? kept.position : {};
  }
}

/** Names of tasks may hold anything. */
export function positionFile(task: LoggedName): string {
  return `position-${createHash("sha256").update(keyOf(task)).digest("hex").slice(0, 32)}`;
}

const retryMilliseconds = 500;
