import { execFile } from "node:child_process";
import { lstat, mkdir, readFile } from "node:fs/promises";
import { createConnection, type Socket } from "node:net";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { messageOf, OperationalError } from "@millwright/core/errors";
import type { FollowedContainer, Following } from "../driver/driver.ts";
import { outputsOf, recordFolder } from "../task-process/record-folder.ts";
import { logErrors } from "./errors.ts";
import type { LoggedTask, Logs, LogsPorts } from "./logs.ts";
import {
  lineReader,
  type LogAnswer,
  logProcessFiles,
  logProtocol,
  type LogRequest,
  socketAddress,
} from "./protocol.ts";
import { startLogProcess } from "./start-log-process.ts";

/**
 * Finds the log process of an agent's data folder, or starts one, also again whenever it dies until `close`. Rejects with
 * `logErrors.unreachable` where it does not start.
 */
export async function openLogs(dataFolder: string, ports: LogsPorts): Promise<Logs> {
  const folder = join(dataFolder, "logs");
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const link = new Link(folder, ports);
  const { status: found } = await link.ask({ ask: "status" });
  // Of another version: the link starts the next one, which goes on with what was attached.
  if (found && found.protocol !== logProtocol) process.kill(found.pid, "SIGKILL");
  return {
    attach: async (task) => {
      const output = await makeOutputs(task);
      const { allocation, task: name, limits } = task;
      const place = { allocation, task: name, ...output, folder: join(task.folder, "alloc", "logs") };
      const sizes = { maxFiles: Math.max(1, limits.maxFiles), maxBytes: Math.max(1, limits.maxFileSize * mebibyte) };
      await link.ask({ ask: "attach", task: { ...place, ...sizes } });
      const follow = async (container: FollowedContainer): Promise<Following> => {
        await link.ask({ ask: "follow", task: { allocation, task: name }, container });
        return {
          drained: async () => {
            await link.ask({ ask: "drain", task: { allocation, task: name }, container });
          },
        };
      };
      return { ...output, follow };
    },
    detach: async ({ allocation, task }) => {
      await link.ask({ ask: "detach", task: { allocation, task } });
    },
    status: async () => {
      const { status } = await link.ask({ ask: "status" });
      if (!status) throw new OperationalError(logErrors.unreachable, `The log process of ${folder} tells no status.`);
      return status;
    },
    close: () => link.close(),
  };
}

const mebibyte = 1024 * 1024;

type Told = Extract<LogAnswer, { readonly status?: unknown }>;
type Question = LogRequest extends infer R ? (R extends LogRequest ? Omit<R, "id"> : never) : never;

/** The connection to the log process, made anew whenever it breaks. */
class Link {
  readonly #folder: string;
  readonly #address: string;
  readonly #ports: LogsPorts;
  readonly #closed = new AbortController();
  readonly #waiting = new Map<number, { told(answer: LogAnswer): void; broke(): void }>();
  #connecting: Promise<Socket> | undefined;
  #socket: Socket | undefined;
  #lastId = 0;

  constructor(folder: string, ports: LogsPorts) {
    this.#folder = folder;
    this.#address = socketAddress(folder);
    this.#ports = ports;
  }

  /** Whatever is asked may be asked twice: where the process dies meanwhile, the next one is asked. */
  async ask(question: Question): Promise<Told> {
    for (let tries = 1; ; tries++) {
      const answer = await this.#once(await this.#connected(), question);
      if (answer && "fault" in answer) {
        const text = `The log process cannot do that: ${answer.fault}. Check the space on the disk and the folder's permissions.`;
        throw new OperationalError(logErrors.unusable, text);
      }
      if (answer) return answer;
      if (tries === mostTries) throw this.#unreachable("it ends whenever it is asked");
    }
  }

  async close(): Promise<void> {
    this.#closed.abort(new OperationalError(logErrors.unreachable, "The log process was let go of."));
    this.#socket?.destroy();
    await this.#connecting?.catch(() => undefined);
  }

  #once(socket: Socket, question: Question): Promise<LogAnswer | undefined> {
    const id = ++this.#lastId;
    return new Promise((resolve) => {
      this.#waiting.set(id, { told: resolve, broke: () => resolve(undefined) });
      // Of a connection that broke already nobody will tell.
      if (socket.destroyed) resolve(undefined);
      else socket.write(`${JSON.stringify({ id, ...question })}\n`);
    }).finally(() => this.#waiting.delete(id)) as Promise<LogAnswer | undefined>;
  }

  #connected(): Promise<Socket> {
    if (this.#socket) return Promise.resolve(this.#socket);
    this.#connecting ??= this.#connect().finally(() => {
      this.#connecting = undefined;
    });
    return this.#connecting;
  }

  async #connect(): Promise<Socket> {
    const { clock, log } = this.#ports;
    const deadline = clock.monotonic() + startMilliseconds;
    for (;;) {
      this.#closed.signal.throwIfAborted();
      const socket = await connected(this.#address);
      if (socket) return this.#use(socket);
      if (clock.monotonic() >= deadline) throw this.#unreachable(await this.#lastFault());
      await startLogProcess(this.#folder, log);
      await clock.sleep(lookMilliseconds, this.#closed.signal);
    }
  }

  #use(socket: Socket): Socket {
    this.#socket = socket;
    const read = lineReader((line) => {
      const answer = JSON.parse(line) as LogAnswer;
      this.#waiting.get(answer.id)?.told(answer);
    });
    socket.setEncoding("utf8");
    socket.on("data", (piece) => read(piece.toString()));
    socket.on("error", () => socket.destroy());
    socket.on("close", () => this.#broke());
    return socket;
  }

  #broke(): void {
    this.#socket = undefined;
    for (const { broke } of this.#waiting.values()) broke();
    if (this.#closed.signal.aborted) return;
    this.#ports.log.write("warn", "the log process ended; it is started again, and goes on where it was");
    this.#connected().catch((error) => this.#ports.log.write("error", messageOf(error)));
  }

  async #lastFault(): Promise<string> {
    const text = await readFile(join(this.#folder, logProcessFiles.faults), "utf8").catch(() => "");
    return text.trim().split("\n").slice(-3).join(" ") || "it says nothing";
  }

  #unreachable(why: string): OperationalError {
    const text = `The log process of ${this.#folder} does not answer (${why}). Without it tasks cannot write their output; see ${join(this.#folder, logProcessFiles.faults)}, then start the agent again.`;
    return new OperationalError(logErrors.unreachable, text);
  }
}

const mostTries = 5;
const startMilliseconds = 15_000;
const lookMilliseconds = 20;

function connected(address: string): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = createConnection(address);
    socket.once("connect", () => {
      socket.removeAllListeners("error");
      resolve(socket);
    });
    socket.once("error", () => resolve(undefined));
  });
}

async function makeOutputs({ folder, task }: LoggedTask) {
  const output = outputsOf(recordFolder(folder, task));
  try {
    await mkdir(dirname(output.stdout), { recursive: true, mode: 0o700 });
    for (const path of [output.stdout, output.stderr]) if (!(await isFifo(path))) await makeFifo(path);
    return output;
  } catch (error) {
    const text = `Cannot make the FIFOs for the output of task ${task} in ${dirname(output.stdout)}: ${messageOf(error).trim()}. The program mkfifo (package coreutils) and a folder that the agent may write to are needed.`;
    throw new OperationalError(logErrors.unusable, text, { cause: error });
  }
}

async function makeFifo(path: string): Promise<void> {
  try {
    await promisify(execFile)("mkfifo", ["-m", "600", path]);
  } catch (error) {
    // Asked for twice at the same time, it is made once.
    if (!(await isFifo(path))) throw error;
  }
}

async function isFifo(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined))?.isFIFO() ?? false;
}
