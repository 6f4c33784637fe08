import { OperationalError } from "@millwright/core/errors";
import { systemClock } from "@millwright/core/ports";
import type { ChildProcess, SpawnOptions } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import type { Readable, Writable } from "node:stream";
import { processErrors } from "./errors.ts";
import { newGuardian } from "./guardian.ts";
import { identify, type ProcessIdentity } from "./identity.ts";
import {
  type EndOptions,
  type ProcessAction,
  type ProcessEvent,
  type ProcessExit,
  type ProcessState,
  stepProcess,
} from "./process-state.ts";
import { ProcessTree } from "./tree.ts";

/** What to run: a program with its arguments as they are, or a line for `/bin/sh -c`. */
export type Command =
  | { readonly kind: "program"; readonly argv: readonly [string, ...string[]] }
  | { readonly kind: "shell"; readonly line: string };

/** Where standard output and standard error go. */
export type ProcessOutput =
  | { readonly kind: "ignore" }
  /** To this program's own. */
  | { readonly kind: "inherit" }
  /** Appended to files, which are made with mode 0600; the same path twice is one file. */
  | { readonly kind: "files"; readonly stdout: string; readonly stderr: string }
  /** Handed over piece by piece; the next piece is read when the promise resolves, so that a slow reader slows the process. */
  | { readonly kind: "pump"; readonly write: (piece: Uint8Array, from: "stdout" | "stderr") => Promise<void> | void };

export interface ProcessSpec {
  readonly command: Command;
  /** The whole environment; nothing is added from this program's own. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly stdin: "ignore" | "inherit" | "pipe";
  readonly output: ProcessOutput;
  /**
   * `own`: a session and process group of its own, which no ^C at the terminal reaches: whoever started it passes signals
   * on. `callers`: in the caller's group, for an interactive child that the terminal itself is to signal.
   */
  readonly group: "own" | "callers";
  /**
   * `bound`: it ends when this program ends, also when this program is killed (group `own` only). `independent`: it goes
   * on, and does not keep this program from ending; give it `files` or `ignore` for output.
   */
  readonly lifetime: "bound" | "independent";
  /** How to end what it has started and left running when it ends by itself; without this it is left alone. */
  readonly others?: EndOptions;
  /** Run as this user and group; needs the right to. */
  readonly user?: { readonly uid: number; readonly gid: number };
}

/** A process that was started here. Signals go to its whole tree. */
export interface RunningProcess {
  readonly pid: number;
  /** To find it again from another program; undefined where it ended at once. */
  readonly identity: ProcessIdentity | undefined;
  readonly state: ProcessState;
  /** Resolves when it has ended (with its tree, where it was asked to end) and its output has been handed over. */
  readonly ended: Promise<ProcessExit>;
  /** Its standard input, for `stdin: "pipe"`. */
  readonly stdin: Writable | undefined;
  /** False where nothing of the tree runs any more. */
  signal(name: NodeJS.Signals): boolean;
  /** Signals the tree, waits, kills what is left of it. Asked again, the newer signal and patience hold. */
  end(options: EndOptions): Promise<ProcessExit>;
}

/**
 * Starts a process. Resolves when it runs; rejects with an operational error of `processErrors` where it cannot.
 */
export async function startProcess(spec: ProcessSpec): Promise<RunningProcess> {
  const { file, args } = argumentsOf(spec.command);
  const { stdio, close } = stdioOf(spec);
  const options: SpawnOptions = {
    cwd: spec.cwd,
    env: { ...spec.env },
    stdio,
    detached: spec.group === "own",
    ...(spec.user ?? {}),
  };
  try {
    const child = spawn(file, args, options);
    await spawned(child);
    return new StartedProcess(child, spec);
  } catch (error) {
    throw explain(error, file, spec.cwd);
  } finally {
    close();
  }
}

const guardian = newGuardian();

/** How often a tree that is to be gone is looked at. */
const lookMilliseconds = 20;
/** How long output may still come after the process has ended: a daemon that it left may hold the pipe open. */
const lastOutputMilliseconds = 1000;

class StartedProcess implements RunningProcess {
  readonly pid: number;
  readonly identity: ProcessIdentity | undefined;
  readonly ended: Promise<ProcessExit>;
  readonly stdin: Writable | undefined;
  readonly #tree: ProcessTree;
  readonly #guarded: boolean;
  #state: ProcessState = { kind: "running" };
  #grace: NodeJS.Timeout | undefined;
  #watching = false;
  #resolve: (exit: ProcessExit) => void = () => undefined;

  constructor(child: ChildProcess, spec: ProcessSpec) {
    this.pid = child.pid!;
    this.identity = identify(this.pid);
    this.stdin = child.stdin ?? undefined;
    this.#tree = new ProcessTree(this.pid, spec.group === "own" ? "group" : "descendants");
    this.#guarded = spec.group === "own" && spec.lifetime === "bound";
    if (this.#guarded) guardian.guard(this.pid);
    if (spec.lifetime === "independent") child.unref();
    // A process that does not read its input any more is no fault of the writer.
    child.stdin?.on("error", () => undefined);
    const over = new Promise<ProcessExit>((resolve) => {
      this.#resolve = resolve;
    });
    const pumped = pumpOutput(child, spec.output);
    this.ended = over.then(async (exit) => {
      await pumped.finish();
      return exit;
    });
    // Whoever awaits it hears of a sink that failed; nobody has to.
    this.ended.catch(() => undefined);
    child.once("exit", (code, signal) =>
      this.#feed({ kind: "exited", exit: exitOf(code, signal), ...(spec.others ? { others: spec.others } : {}) }),
    );
  }

  get state(): ProcessState {
    return this.#state;
  }

  signal(name: NodeJS.Signals): boolean {
    return this.#state.kind === "ended" ? false : this.#tree.signal(name);
  }

  end(options: EndOptions): Promise<ProcessExit> {
    this.#feed({ kind: "endAsked", ...options });
    return this.ended;
  }

  #feed(event: ProcessEvent): void {
    const { state, actions } = stepProcess(this.#state, event);
    this.#state = state;
    for (const action of actions) this.#act(action);
    if (state.kind !== "ended") return;
    clearTimeout(this.#grace);
    if (this.#guarded) guardian.release(this.pid);
    this.#resolve(state.exit);
  }

  #act(action: ProcessAction): void {
    switch (action.kind) {
      case "signalTree":
        this.#tree.signal(action.signal);
        // A stopped process acts on no signal before it goes on.
        this.#tree.signal("SIGCONT");
        return;
      case "startGrace":
        clearTimeout(this.#grace);
        this.#grace = setTimeout(() => this.#feed({ kind: "graceOver" }), action.milliseconds);
        return;
      case "killTree":
      case "watchTree":
        void this.#watchTree();
    }
  }

  // One look after another until nothing is left; from the moment that it is to be killed, each look kills.
  async #watchTree(): Promise<void> {
    if (this.#watching) return;
    this.#watching = true;
    while (this.#state.kind !== "ended") {
      const isLeft = this.#state.kind === "killing" ? this.#tree.signal("SIGKILL") : this.#tree.look().length > 0;
      if (!isLeft && "exit" in this.#state) this.#feed({ kind: "treeGone" });
      else await systemClock.sleep(lookMilliseconds);
    }
  }
}

function argumentsOf(command: Command): { readonly file: string; readonly args: readonly string[] } {
  if (command.kind === "shell") return { file: "/bin/sh", args: ["-c", command.line] };
  const [file, ...args] = command.argv;
  return { file, args };
}

function stdioOf({ stdin, output }: ProcessSpec) {
  if (output.kind !== "files") {
    const place = output.kind === "pump" ? ("pipe" as const) : output.kind;
    return { stdio: [stdin, place, place], close: () => undefined };
  }
  const stdout = openSync(output.stdout, "a", 0o600);
  const stderr = output.stderr === output.stdout ? stdout : openSync(output.stderr, "a", 0o600);
  const close = () => {
    closeSync(stdout);
    if (stderr !== stdout) closeSync(stderr);
  };
  return { stdio: [stdin, stdout, stderr], close };
}

async function spawned(child: ChildProcess): Promise<void> {
  await once(child, "spawn");
}

function pumpOutput(child: ChildProcess, output: ProcessOutput): { finish(): Promise<void> } {
  if (output.kind !== "pump" || !child.stdout || !child.stderr) return { finish: async () => undefined };
  const { write } = output;
  const streams = [child.stdout, child.stderr];
  const pumps = Promise.all([pump(child.stdout, "stdout"), pump(child.stderr, "stderr")]);
  pumps.catch(() => undefined);

  async function pump(stream: Readable, from: "stdout" | "stderr"): Promise<void> {
    try {
      for await (const piece of stream) await write(piece as Uint8Array, from);
    } catch (error) {
      if (!isCutShort(error)) throw error;
    }
  }

  return {
    finish: async () => {
      const cut = setTimeout(() => {
        for (const stream of streams) stream.destroy();
      }, lastOutputMilliseconds);
      try {
        await pumps;
      } finally {
        clearTimeout(cut);
      }
    },
  };
}

function isCutShort(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ERR_STREAM_PREMATURE_CLOSE";
}

function exitOf(code: number | null, signal: NodeJS.Signals | null): ProcessExit {
  return signal ? { kind: "signal", signal } : { kind: "code", code: code ?? 0 };
}

function explain(error: unknown, file: string, cwd: string): unknown {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  const cause = { cause: error };
  switch (code) {
    case "ENOENT":
      return new OperationalError(
        processErrors.notFound,
        `Cannot start ${file}: there is no such program, or no folder ${cwd} to run it in. Check the name and the PATH.`,
        cause,
      );
    case "EACCES":
    case "EPERM":
      return new OperationalError(
        processErrors.notAllowed,
        `Cannot start ${file}: not allowed. Check that the file is executable (chmod +x), and by this user.`,
        cause,
      );
    case undefined:
      return error;
    default:
      return new OperationalError(
        processErrors.notStarted,
        `Cannot start ${file}: ${error instanceof Error ? error.message : String(error)}.`,
        cause,
      );
  }
}
