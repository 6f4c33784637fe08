import { constants } from "node:os";
import { isKind, OperationalError } from "@millwright/core/errors";
import type { Clock } from "@millwright/core/ports";
import type { Following, SavedHandle, TaskExit, TaskHandle, TaskStats } from "../driver/driver.ts";
import { driverErrors } from "../driver/errors.ts";
import { type DockerEngine, EngineRefusal } from "./engine.ts";

/** What is used of an engine's answer to `GET /containers/ID/json`. */
export interface Inspected {
  readonly Id: string;
  readonly State: {
    /** `created`, `running`, `exited` … */
    readonly Status: string;
    readonly Running: boolean;
    readonly OOMKilled: boolean;
    readonly ExitCode: number;
    readonly Error: string;
    /** RFC 3339; the year 1 for never. */
    readonly StartedAt: string;
    readonly FinishedAt: string;
  };
}

export interface ContainerSurroundings {
  readonly engine: DockerEngine;
  readonly following: Following;
  readonly clock: Clock;
}

/** A task that is a container. It is followed through restarts of the engine. */
export class ContainerHandle implements TaskHandle {
  readonly saved: SavedHandle;
  readonly startedAt: number;
  readonly ended: Promise<TaskExit>;
  readonly #engine: DockerEngine;
  readonly #id: string;
  readonly #following: Following;
  readonly #clock: Clock;
  readonly #gone = new AbortController();
  /** The signal that was sent to end it at once: the engine tells exit codes alone. */
  #killed = false;
  #isOver = false;
  #usage: { readonly total: number; readonly at: number } | undefined;

  constructor(container: { readonly id: string; readonly startedAt: number }, around: ContainerSurroundings) {
    this.saved = { driver: "docker", version: 1, container: container.id, startedAt: container.startedAt };
    this.startedAt = container.startedAt;
    this.#engine = around.engine;
    this.#following = around.following;
    this.#id = container.id;
    this.#clock = around.clock;
    this.ended = this.#waitForEnd();
  }

  async signal(name: string): Promise<void> {
    if (this.#isOver) return;
    const signal = encodeURIComponent(name);
    await this.#ask("POST", `/kill?signal=${signal}`);
  }

  async stop(options: { readonly signal: string; readonly timeoutMilliseconds: number }): Promise<TaskExit> {
    const over = new AbortController();
    const timeout = this.#clock.sleep(options.timeoutMilliseconds, over.signal).catch(() => undefined);
    try {
      if (options.timeoutMilliseconds > 0) {
        await this.signal(options.signal);
        await Promise.race([this.ended, timeout]);
      }
      while (!this.#isOver) {
        this.#killed = true;
        await this.signal("SIGKILL").catch((error: unknown) => {
          // While the engine is being started anew its containers end with it.
          if (!isKind(error, driverErrors.missing)) throw error;
        });
        await Promise.race([this.ended, this.#clock.sleep(killAgainMilliseconds, over.signal).catch(() => undefined)]);
      }
      return await this.ended;
    } finally {
      over.abort();
    }
  }

  /** The pid is that of the main process alone. */
  async stats(): Promise<TaskStats | undefined> {
    if (this.#isOver) return undefined;
    const [stats, processes] = await Promise.all([
      this.#ask<EngineStats>("GET", "/stats?stream=false&one-shot=true"),
      this.#ask<{ State: { Pid: number } }>("GET", "/json"),
    ]);
    const pid = processes?.State.Pid ?? 0;
    if (!stats?.cpu_stats?.cpu_usage || pid === 0) return undefined;
    const { memory_stats: memory, cpu_stats: cpu } = stats;
    // What the kernel gives back whenever memory is short is nobody's use: as `docker stats` has it, for both kinds of cgroups.
    const cache = memory.stats?.["total_inactive_file"] ?? memory.stats?.["inactive_file"] ?? 0;
    const at = this.#clock.now();
    const total = cpu.cpu_usage.total_usage;
    const before = this.#usage ?? { total: 0, at: this.startedAt };
    this.#usage = { total, at };
    const percent = at > before.at ? ((total - before.total) / ((at - before.at) * 1e6)) * 100 : 0;
    return {
      memory: Math.max(0, (memory.usage ?? 0) - cache),
      cpuPercent: Math.max(0, percent),
      cpuTotal: total,
      pids: [pid],
      at,
    };
  }

  async destroy(): Promise<void> {
    // What it wrote goes with it.
    if (this.#isOver) await this.#following.drained();
    await this.#ask("DELETE", "?force=true&v=true");
    this.#gone.abort(new Error("the container was removed"));
    await this.ended;
  }

  // Of a container that does not run, or is no more: undefined.
  async #ask<T>(method: "GET" | "POST" | "DELETE", path: string): Promise<T | undefined> {
    try {
      return await this.#engine.json<T>({ method, path: `/containers/${this.#id}${path}` });
    } catch (error) {
      if (!(error instanceof EngineRefusal)) throw error;
      if (error.status === 404 || error.status === 409) return undefined;
      const text = `The container engine refuses it: ${error.message.replace(/\.$/, "")}. Look at the engine's own log.`;
      throw new OperationalError(driverErrors.failed, text);
    }
  }

  async #waitForEnd(): Promise<TaskExit> {
    const exit = await this.#exit();
    this.#isOver = true;
    return exit;
  }

  async #exit(): Promise<TaskExit> {
    for (;;) {
      try {
        const path = `/containers/${this.#id}`;
        await this.#engine.json({
          method: "POST",
          path: `${path}/wait?condition=not-running`,
          signal: this.#gone.signal,
        });
        const { State } = await this.#engine.json<Inspected>({ method: "GET", path: `${path}/json` });
        if (!State.Running) return this.#exitOf(State);
      } catch (error) {
        if (this.#gone.signal.aborted || (error instanceof EngineRefusal && error.status === 404)) return this.#lost();
        // The engine is being started anew, or answers with a failure: what becomes of the container it will tell.
        await this.#clock.sleep(againMilliseconds);
      }
    }
  }

  #exitOf(state: Inspected["State"]): TaskExit {
    const at = Date.parse(state.FinishedAt);
    const byUs = this.#killed && state.ExitCode === 128 + constants.signals.SIGKILL;
    return {
      exitCode: state.ExitCode,
      signal: byUs || state.OOMKilled ? constants.signals.SIGKILL : 0,
      oomKilled: state.OOMKilled,
      at: at > 0 ? at : this.#clock.now(),
      lost: "",
    };
  }

  #lost(): TaskExit {
    const why = `its container ${this.#id.slice(0, 12)} is no more: somebody has removed it`;
    return { exitCode: 0, signal: 0, oomKilled: false, at: this.#clock.now(), lost: why };
  }
}

const againMilliseconds = 500;
const killAgainMilliseconds = 2_000;

interface EngineStats {
  readonly memory_stats: { readonly usage?: number; readonly stats?: Readonly<Record<string, number>> };
  readonly cpu_stats: { readonly cpu_usage: { readonly total_usage: number } };
}
