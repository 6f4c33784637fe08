import { type FileHandle, open } from "node:fs/promises";
import { messageOf, OperationalError } from "@millwright/core/errors";
import { secretsErrors } from "../errors.ts";

export interface AuditFileOptions {
  /** Or `stdout`, or `discard`. */
  readonly path: string;
  /** Of the file, e.g. 0o600; 0 leaves it as it is. */
  readonly mode: number;
}

/** One file that lines are appended to, whole and in order. */
export class AuditFile {
  readonly #options: AuditFileOptions;
  #file: FileHandle | undefined;
  #waiting: Line[] = [];
  #writing: Promise<void> | undefined;

  constructor(options: AuditFileOptions) {
    this.#options = options;
  }

  /** Resolves once the line was handed to the system. Rejects with `auditFailed`. */
  write(text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ text, resolve, reject });
      this.#writing ??= this.#writeAll().finally(() => {
        this.#writing = undefined;
      });
    });
  }

  /** Opens the file by its name again: what had the name before was moved away. */
  async reopen(): Promise<void> {
    await this.#writing;
    const old = this.#file;
    this.#file = undefined;
    await old?.close();
    if (!isSpecial(this.#options.path)) this.#file = await this.#open();
  }

  async close(): Promise<void> {
    await this.#writing;
    await this.#file?.close();
    this.#file = undefined;
  }

  // Lines that come while one write is under way go together in the next.
  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const lines = this.#waiting;
      this.#waiting = [];
      const error = await this.#append(lines.map(({ text }) => text).join("")).then(
        () => undefined,
        (thrown: unknown) => this.#failure(thrown),
      );
      for (const line of lines) {
        if (error) line.reject(error);
        else line.resolve();
      }
    }
  }

  async #append(text: string): Promise<void> {
    if (this.#options.path === "discard") return;
    if (this.#options.path === "stdout") {
      process.stdout.write(text);
      return;
    }
    this.#file ??= await this.#open();
    const bytes = Buffer.from(text);
    let written = 0;
    try {
      while (written < bytes.byteLength) written += (await this.#file.write(bytes, written)).bytesWritten;
    } catch (error) {
      if (written > 0) await takeBack(this.#file, written);
      throw error;
    }
  }

  async #open(): Promise<FileHandle> {
    const { path, mode } = this.#options;
    const file = await open(path, "a", mode || 0o600);
    if (mode === 0 || !(await file.stat()).isFile()) return file;
    await file.chmod(mode).catch(async (error: unknown) => {
      await file.close();
      throw error;
    });
    return file;
  }

  #failure(thrown: unknown): OperationalError {
    const text = `The audit file ${this.#options.path} cannot be written: ${messageOf(thrown)}. Make room or give the server access to it.`;
    return new OperationalError(secretsErrors.auditFailed, text, { cause: thrown });
  }
}

// What was written of lines that did not all fit: the file ends with a whole line again.
async function takeBack(file: FileHandle, length: number): Promise<void> {
  const { size } = await file.stat();
  await file.truncate(size - length);
}

interface Line {
  readonly text: string;
  resolve(): void;
  reject(error: OperationalError): void;
}

function isSpecial(path: string): boolean {
  return path === "stdout" || path === "discard";
}
