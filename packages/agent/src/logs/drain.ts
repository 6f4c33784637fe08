import { constants, openSync, readSync } from "node:fs";
import { Socket } from "node:net";
import { invariant } from "@millwright/core/errors";
import type { RotatingFile } from "./rotating-file.ts";

/** Where the drained goes. */
export type DrainedFile = Pick<RotatingFile, "write" | "close">;

/**
 * Carries what is written into a FIFO over into a log's files, a piece at a time: what was read is written before anything
 * else is read. Where the files cannot be written the FIFO fills up, its writers wait, and the drain tries again.
 */
export class Drain {
  readonly #descriptor: number;
  readonly #socket: Socket;
  readonly #file: DrainedFile;
  /** Read, and not written yet. */
  #rest: Uint8Array = empty;
  /** Until it reads again, or writes again. */
  #timer: NodeJS.Timeout | undefined;
  #isOpen = true;

  /** Why nothing can be written at present. */
  fault: string | undefined;

  /** Throws what the file system says where the FIFO cannot be opened. */
  constructor(fifo: string, file: DrainedFile) {
    // For writing too, so that the FIFO never ends. Without blocking the event loop can wait for it, and no thread has to.
    this.#descriptor = openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK);
    this.#file = file;
    this.#socket = new Socket({
      fd: this.#descriptor,
      readable: true,
      writable: false,
      onread: { buffer: piece, callback: (length, buffer) => this.#take(buffer.subarray(0, length)) },
    });
    this.#socket.resume();
  }

  /** Writes what the FIFO holds at this moment, and closes it; false, and nothing closed, where the files cannot be written. */
  finish(): boolean {
    if (!this.#isOpen) return true;
    for (let read = 0; read < mostAtEnd; ) {
      if (this.#rest.length > 0 && !this.#write(this.#rest)) return false;
      const length = this.#read();
      if (length === 0) break;
      read += length;
      if (!this.#write(piece.subarray(0, length))) return false;
    }
    this.close();
    return true;
  }

  /** Lets go of the FIFO, whatever it holds. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    clearTimeout(this.#timer);
    this.#socket.destroy();
    this.#file.close();
  }

  // Whether to go on reading at once. Many small pieces are left to gather: who prints lines would else wake this process at
  // each one, and it would be between reading and writing, where a kill costs what was read, for much of its time.
  #take(bytes: Uint8Array): boolean {
    if (this.#write(bytes)) {
      if (bytes.length === piece.length) return true;
      this.#again(gatherMilliseconds, () => this.#socket.resume());
    }
    this.#socket.pause();
    return false;
  }

  #again(milliseconds: number, action: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(action, milliseconds);
  }

  #write(bytes: Uint8Array): boolean {
    const { bytes: written, fault } = this.#file.write(bytes);
    this.fault = fault;
    // The buffer is everybody's: what is kept is copied, as the slice of a Buffer is not.
    this.#rest = fault === undefined ? empty : Uint8Array.from(bytes.subarray(written));
    if (fault === undefined) return true;
    this.#again(retryMilliseconds, () => this.#tryAgain());
    return false;
  }

  #tryAgain(): void {
    if (this.#isOpen && this.#write(this.#rest)) this.#socket.resume();
  }

  #read(): number {
    try {
      return readSync(this.#descriptor, piece, 0, piece.length, null);
    } catch (error) {
      invariant((error as NodeJS.ErrnoException).code === "EAGAIN", `a FIFO cannot be read: ${String(error)}`);
      return 0;
    }
  }
}

const empty = new Uint8Array();
/** As much as a FIFO holds. One for all: what is in it is written before the next one is read. */
const piece = Buffer.allocUnsafeSlow(64 * 1024);
const gatherMilliseconds = 10;
const retryMilliseconds = 500;
/** Whoever still writes after the task's end is not waited for without end. */
const mostAtEnd = 4 * 1024 * 1024;
