import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { assertNever, messageOf } from "@millwright/core/errors";
import { claimFolder } from "@millwright/process/claim";
import type { FollowedContainer } from "../driver/driver.ts";
import { Drain } from "./drain.ts";
import { Follower, positionFile } from "./follower.ts";
import { type LoggedName, type LogsStatus, detachMilliseconds } from "./logs.ts";
import {
  type Attached,
  keyOf,
  lineReader,
  type LogAnswer,
  logProcessFiles,
  logProtocol,
  type LogRequest,
  socketAddress,
} from "./protocol.ts";
import { RotatingFile } from "./rotating-file.ts";

/**
 * The log process: drains the FIFOs of the tasks that are attached, listens to the agent at a socket in its folder, and goes
 * on with what was attached when it is started anew. Resolves, and the program ends, when nothing has been attached and no
 * agent been there for a while, or its folder is gone.
 */
export async function runLogProcess(folder: string): Promise<void> {
  const claim = await claimFolder(folder, logProcessFiles.holder);
  const drains = new AttachedTasks(folder);
  const agents = new Set<Socket>();
  const address = socketAddress(folder);
  rmSync(join(folder, logProcessFiles.socket), { force: true });
  const server = createServer((socket) => {
    agents.add(socket);
    serve(socket, drains);
    socket.on("close", () => agents.delete(socket));
  });
  await listen(server, address);
  let idleLooks = 0;
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      drains.forgetLost();
      idleLooks = agents.size === 0 && drains.count === 0 ? idleLooks + 1 : 0;
      const isGone = !existsSync(join(folder, logProcessFiles.holder));
      if (!isGone && idleLooks < mostIdleLooks) return;
      clearInterval(timer);
      resolve();
    }, lookMilliseconds);
  });
  server.close();
  for (const socket of agents) socket.destroy();
  drains.close();
  await claim.release();
}

const lookMilliseconds = 5_000;
const mostIdleLooks = 6;
const finishLookMilliseconds = 50;

interface Open {
  readonly task: Attached;
  readonly files: readonly [RotatingFile, RotatingFile];
  readonly drains: readonly Drain[];
  readonly follower: Follower | undefined;
}

class AttachedTasks {
  readonly #folder: string;
  readonly #open = new Map<string, Open>();

  constructor(folder: string) {
    this.#folder = folder;
    for (const task of readAttached(folder)) {
      try {
        this.#open.set(keyOf(task), this.#followed(open(task)));
      } catch {
        // Its folder has gone meanwhile, and its output with it.
      }
    }
  }

  get count(): number {
    return this.#open.size;
  }

  attach(task: Attached): void {
    const known = this.#open.get(keyOf(task));
    if (known && isSamePlace(known.task, task)) {
      for (const file of known.files) file.limit(task);
      const { container } = known.task;
      this.#open.set(keyOf(task), { ...known, task: { ...task, ...(container && { container }) } });
    } else {
      const opened = open(task);
      for (const drain of known?.drains ?? []) drain.finish();
      for (const drain of known?.drains ?? []) drain.close();
      known?.follower?.forget();
      this.#open.set(keyOf(task), opened);
    }
    this.#write();
  }

  /** Throws where the task is not attached. */
  follow(name: LoggedName, container: FollowedContainer): void {
    const known = this.#open.get(keyOf(name));
    if (!known) throw new Error(`the task ${keyOf(name)} is not attached`);
    if (known.task.container?.id === container.id) return;
    known.follower?.forget();
    this.#open.set(keyOf(name), this.#followed({ ...known, task: { ...known.task, container } }));
    this.#write();
  }

  /** Whether it is done: what was there is in the files. */
  finish(name: LoggedName): boolean {
    const known = this.#open.get(keyOf(name));
    if (known?.follower && !known.follower.isDone) return false;
    const left = known?.drains.filter((drain) => !drain.finish()) ?? [];
    if (left.length > 0) return false;
    this.#forget([keyOf(name)]);
    return true;
  }

  /** Whether all that a container wrote is in the files; of one that is not followed nothing is to come. */
  isDrained(name: LoggedName, container: FollowedContainer): boolean {
    const known = this.#open.get(keyOf(name));
    return known?.follower === undefined || known.task.container?.id !== container.id || known.follower.isDone;
  }

  /** Those whose folder is no more. */
  forgetLost(): void {
    this.#forget([...this.#open].filter(([, { task }]) => !existsSync(task.stdout)).map(([key]) => key));
  }

  status(): LogsStatus {
    const stuck = [...this.#open.values()].flatMap(({ task: { allocation, task }, drains, follower }) => {
      const why = [...drains, follower].find((source) => source?.fault !== undefined)?.fault;
      return why === undefined ? [] : [{ allocation, task, why }];
    });
    return { pid: process.pid, protocol: logProtocol, memory: process.memoryUsage.rss(), attached: this.count, stuck };
  }

  close(): void {
    for (const { drains, follower } of this.#open.values()) {
      for (const drain of drains) drain.close();
      follower?.close();
    }
  }

  #followed(opened: Open): Open {
    const { container } = opened.task;
    const follower = container && new Follower(container, opened.files, join(this.#folder, positionFile(opened.task)));
    return { ...opened, follower };
  }

  #forget(keys: readonly string[]): void {
    for (const key of keys) {
      for (const drain of this.#open.get(key)?.drains ?? []) drain.close();
      this.#open.get(key)?.follower?.forget();
      this.#open.delete(key);
    }
    if (keys.length > 0) this.#write();
  }

  // Without it the next process would not know what to go on with: who asked is told.
  #write(): void {
    const file = join(this.#folder, logProcessFiles.attached);
    const tasks = [...this.#open.values()].map(({ task }) => task);
    writeFileSync(`${file}.new`, `${JSON.stringify(tasks)}\n`, { mode: 0o600 });
    renameSync(`${file}.new`, file);
  }
}

function open(task: Attached): Open {
  const { folder, maxFiles, maxBytes } = task;
  mkdirSync(folder, { recursive: true });
  const stdout = new RotatingFile({ folder, name: `${task.task}.stdout`, maxFiles, maxBytes });
  const stderr = new RotatingFile({ folder, name: `${task.task}.stderr`, maxFiles, maxBytes });
  const drains = [new Drain(task.stdout, stdout), new Drain(task.stderr, stderr)];
  return { task, files: [stdout, stderr], drains, follower: undefined };
}

function isSamePlace(a: Attached, b: Attached): boolean {
  return a.stdout === b.stdout && a.stderr === b.stderr && a.folder === b.folder;
}

function readAttached(folder: string): readonly Attached[] {
  const file = join(folder, logProcessFiles.attached);
  // Written by this program alone, and whole.
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Attached[]) : [];
}

function listen(server: Server, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(address, () => resolve());
  });
}

function serve(socket: Socket, tasks: AttachedTasks): void {
  const answer = (value: LogAnswer) => socket.write(`${JSON.stringify(value)}\n`);
  const read = lineReader((line) => void reply(JSON.parse(line) as LogRequest, tasks).then(answer));
  socket.setEncoding("utf8");
  socket.on("data", (piece) => read(piece.toString()));
  // An agent that was killed says no goodbye.
  socket.on("error", () => socket.destroy());
}

async function reply(request: LogRequest, tasks: AttachedTasks): Promise<LogAnswer> {
  const { id } = request;
  try {
    switch (request.ask) {
      case "attach":
        tasks.attach(request.task);
        return { id };
      case "follow":
        tasks.follow(request.task, request.container);
        return { id };
      case "detach":
        await untilTrue(() => tasks.finish(request.task));
        return { id };
      case "drain":
        await untilTrue(() => tasks.isDrained(request.task, request.container));
        return { id };
      case "status":
        return { id, status: tasks.status() };
      default:
        return assertNever(request);
    }
  } catch (error) {
    return { id, fault: messageOf(error) };
  }
}

// What cannot be written by then goes on being tried, and is said in the status.
async function untilTrue(look: () => boolean): Promise<void> {
  const deadline = performance.now() + detachMilliseconds;
  while (!look()) {
    if (performance.now() >= deadline) return;
    await new Promise((resolve) => setTimeout(resolve, finishLookMilliseconds));
  }
}
