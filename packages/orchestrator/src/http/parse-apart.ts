import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { extname } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { Semaphore } from "@millwright/core/concurrency";
import { invariant, OperationalError } from "@millwright/core/errors";
import { orchestratorErrors } from "../errors.ts";
import type { JobText, ParsedJob } from "./parse-job.ts";

export interface ParseLimits {
  readonly milliseconds: number;
  readonly megabytes: number;
}

const usualLimits: ParseLimits = { milliseconds: 10_000, megabytes: 128 };

/** One after the other: however many are sent, one processor's work comes of it. */
const turns = new Semaphore(1);

/**
 * Reads a job file in a process of its own: a few lines of loops can ask for more time and memory than there is, and everybody else is
 * to be answered meanwhile. (A thread will not do: one that runs out of memory may take the whole program with it.) Rejects with
 * `refused` where one takes more than the limits, and with the signal's reason.
 */
export function parseApart(asked: JobText, signal: AbortSignal, limits = usualLimits): Promise<ParsedJob> {
  return turns.run(() => parseInProcess(asked, signal, limits));
}

// The extension of this very file: a checkout runs .ts, a package .js.
const extension = extname(new URL(import.meta.url).pathname);
const program = fileURLToPath(new URL(`./parse-program${extension}`, import.meta.url));

async function parseInProcess(
  asked: JobText,
  signal: AbortSignal,
  { milliseconds, megabytes }: ParseLimits,
): Promise<ParsedJob> {
  signal.throwIfAborted();
  const memory = `--max-old-space-size=${megabytes}`;
  const child = spawn(process.execPath, [memory, program], { stdio: ["pipe", "pipe", "ignore"], env: environment() });
  const end = () => child.kill("SIGKILL");
  signal.addEventListener("abort", end, { once: true });
  const late = setTimeout(end, milliseconds);
  try {
    const said = await answerOf(child, asked);
    signal.throwIfAborted();
    if (said === "") throw tooMuch(milliseconds, megabytes);
    return JSON.parse(said) as ParsedJob;
  } finally {
    clearTimeout(late);
    signal.removeEventListener("abort", end);
    end();
  }
}

/** Empty where it did not come to an answer. */
async function answerOf(child: ChildProcess, asked: JobText): Promise<string> {
  const { stdin, stdout } = child;
  invariant(stdin && stdout, "both are pipes");
  // Of one that ended before it had read all, its exit code tells.
  stdin.on("error", () => undefined);
  stdin.end(JSON.stringify(asked));
  const [said, [code]] = await Promise.all([text(stdout), once(child, "exit") as Promise<[number | null]>]);
  return code === 0 ? said : "";
}

function environment(): NodeJS.ProcessEnv {
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  return {
    ...(PATH === undefined ? {} : { PATH }),
    ...(NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE }),
  };
}

function tooMuch(milliseconds: number, megabytes: number): OperationalError {
  const most = `${milliseconds / 1_000} s or ${megabytes} MB`;
  const said = `Failed to parse job: its expressions take more than ${most}. Make its loops smaller, or parse it where it is written and send its JSON (job run -output).`;
  return new OperationalError(orchestratorErrors.refused, said);
}
