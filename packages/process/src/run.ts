import type { ProcessSpec } from "./process.ts";
import { startProcess } from "./process.ts";
import type { EndOptions, ProcessExit } from "./process-state.ts";

export interface RunOptions {
  /** How long it may take; its tree is ended then. Without a limit where not given. */
  readonly timeoutMilliseconds?: number;
  /** Ends it from outside; the run still resolves, with the exit that came of it. */
  readonly signal?: AbortSignal;
  /** How it is ended at the timeout or from outside; SIGTERM and one second by default. */
  readonly end?: EndOptions;
  /** Bytes of output that are kept, the first ones of both streams together; all is read, so that nothing blocks. */
  readonly keepBytes: number;
}

export interface RunResult {
  readonly exit: ProcessExit;
  /** Standard output and standard error as they came, cut at `keepBytes`. */
  readonly output: Uint8Array;
  /** Bytes of output beyond that. */
  readonly dropped: number;
  readonly timedOut: boolean;
}

/**
 * Runs a process to its end and keeps the beginning of its output. Rejects only where it cannot be started. It ends with
 * this program.
 */
export async function runProcess(
  spec: Omit<ProcessSpec, "output" | "lifetime" | "group" | "stdin">,
  options: RunOptions,
): Promise<RunResult> {
  const kept: Uint8Array[] = [];
  let room = options.keepBytes;
  let dropped = 0;
  const write = (piece: Uint8Array) => {
    if (room > 0) kept.push(piece.subarray(0, room));
    dropped += Math.max(0, piece.length - room);
    room = Math.max(0, room - piece.length);
  };
  const running = await startProcess({
    ...spec,
    stdin: "ignore",
    output: { kind: "pump", write },
    group: "own",
    lifetime: "bound",
  });
  const end = options.end ?? { signal: "SIGTERM", graceMilliseconds: 1000 };
  let timedOut = false;
  const timer =
    options.timeoutMilliseconds === undefined
      ? undefined
      : setTimeout(() => {
          timedOut = true;
          void running.end(end);
        }, options.timeoutMilliseconds);
  const onAbort = () => void running.end(end);
  if (options.signal?.aborted) onAbort();
  options.signal?.addEventListener("abort", onAbort, { once: true });
  try {
    const exit = await running.ended;
    return { exit, output: Buffer.concat(kept), dropped, timedOut };
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener("abort", onAbort);
  }
}
