import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(new URL("../bin/millwright", import.meta.url));

export interface Ended {
  /** Null where a signal ended it. */
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface ProcessSetting {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** The largest file the process may write, in KiB: what lies beyond fails as on a full disk. */
  readonly fileLimit?: number;
}

/** A whole `millwright` process of its own, to be looked at, interrupted and killed. */
export class Process {
  readonly ended: Promise<Ended>;
  readonly #child: ChildProcess;
  #out = "";
  #err = "";

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.stdout?.setEncoding("utf8").on("data", (text: string) => (this.#out += text));
    child.stderr?.setEncoding("utf8").on("data", (text: string) => (this.#err += text));
    this.ended = once(child, "close").then(() => ({ code: child.exitCode, out: this.#out, err: this.#err }));
  }

  static start(args: readonly string[], { cwd, env = {}, fileLimit }: ProcessSetting): Process {
    const limited = fileLimit === undefined ? [] : ["-c", `ulimit -f ${fileLimit * 2}; exec "$0" "$@"`];
    const child = spawn("sh", [...limited, program, ...args], {
      cwd,
      env: { ...process.env, NO_COLOR: "1", ...env },
      stdio: ["pipe", "pipe", "pipe"],
    });
    return new Process(child);
  }

  /** Runs one to its end. */
  static async run(args: readonly string[], setting: ProcessSetting): Promise<Ended> {
    const process = Process.start(args, setting);
    process.closeInput();
    return process.ended;
  }

  get out(): string {
    return this.#out;
  }

  get err(): string {
    return this.#err;
  }

  get pid(): number {
    return this.#child.pid!;
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Has the kernel send a signal; `SIGKILL` ends it without a word. */
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  closeInput(): void {
    this.#child.stdin?.end();
  }

  type(text: string): void {
    this.#child.stdin?.write(text);
  }

  /** Waits until something is so; false where the process ended before. */
  async until(isSo: () => boolean): Promise<boolean> {
    while (!isSo()) {
      if (this.hasEnded) return isSo();
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    return true;
  }
}
