import { assertNever, messageOf, OperationalError } from "@millwright/core/errors";
import type { Job, TaskGroup } from "@millwright/jobs/job";
import type { Task } from "@millwright/jobs/task";
import type { NodeAllocation, TaskEvent } from "@millwright/clients/nomad-node-protocol";
import { milliseconds } from "@millwright/scheduler/time";
import type { SavedHandle, TaskExit, TaskFolders, TaskHandle } from "../driver/driver.ts";
import { driverErrors } from "../driver/errors.ts";
import type { AllocationServices } from "./allocation-services.ts";
import { type EndReason, roleOf } from "./coordinate.ts";
import { inheritsEnvironment } from "./environment.ts";
import { allocationErrors, isExpected } from "./errors.ts";
import { taskFolders } from "./folders.ts";
import type { AllocationHost } from "./host.ts";
import { taskEvents } from "./task-events.ts";
import { Preparation } from "./preparation.ts";
import { newTask, stepTask, type TaskAction, type TaskInput, type TaskProgress, type TaskRule } from "./task-step.ts";

/** What a task is part of. The job may come to be another version of the same. */
export interface TaskSurroundings {
  readonly host: AllocationHost;
  readonly root: string;
  readonly wanted: () => NodeAllocation;
  readonly job: () => Job;
  readonly group: () => TaskGroup;
  readonly services: AllocationServices;
  /** Resolves when the servers have said, to this program, that it still is to run. Rejects with the signal's reason. */
  readonly confirmed: (signal: AbortSignal) => Promise<void>;
  /** The group's own, as they would be registered now. Throws `refused`. */
  readonly groupServices: () => unknown;
  /** Resolves when what {@link TaskRunner.kept} gives now is on disk. */
  readonly save: () => Promise<void>;
  /** Told of whatever has changed. */
  readonly changed: () => void;
}

/** A task as it is kept on disk. */
export interface KeptTask {
  readonly progress: TaskProgress;
  readonly handle: SavedHandle | null;
  /** Whether its artifacts are there. */
  readonly isFetched: boolean;
  /** Whether everything that it held has been given back. */
  readonly isFinished: boolean;
}

/** Runs one task: takes what its state machine asks for to drivers, servers and disk, and brings back what comes of it. */
export class TaskRunner {
  readonly name: string;
  readonly folders: TaskFolders;
  readonly #around: TaskSurroundings;
  readonly #preparation: Preparation;
  readonly #closing = new AbortController();
  readonly #work = new Set<Promise<void>>();
  #progress: TaskProgress;
  #handle: TaskHandle | undefined;
  #saved: SavedHandle | null;
  #isFinished: boolean;
  /** Ends what prepares it. */
  #preparing: AbortController | undefined;
  #resting: AbortController | undefined;
  /**
   * Whether a start has to wait for the servers: of a task that was not found running, they may have had another one started on another
   * node meanwhile.
   */
  #isDoubtful = false;

  constructor(name: string, around: TaskSurroundings, kept?: KeptTask) {
    this.name = name;
    this.#around = around;
    this.folders = taskFolders(around.root, name);
    this.#progress = kept?.progress ?? newTask;
    this.#saved = kept?.handle ?? null;
    this.#isFinished = kept?.isFinished ?? false;
    this.#preparation = new Preparation(name, around, {
      isFetched: kept?.isFetched ?? false,
      noted: (event) => this.note(event),
      restart: (reason, isFailure) => this.#restart(reason, isFailure),
      signal: (signal, reason) => this.signal(signal, reason),
      phase: () => this.#progress.phase.kind,
    });
  }

  get progress(): TaskProgress {
    return this.#progress;
  }

  /** Undefined while it does not run. */
  get handle(): TaskHandle | undefined {
    const { kind } = this.#progress.phase;
    return kind === "running" || kind === "stopping" ? this.#handle : undefined;
  }

  /** When it was started; undefined while it does not run. */
  get runningSince(): number | undefined {
    return this.#progress.phase.kind === "running" ? this.#progress.startedAt : undefined;
  }

  get isFinished(): boolean {
    return this.#isFinished;
  }

  get kept(): KeptTask {
    const { isFetched } = this.#preparation;
    return { progress: this.#progress, handle: this.#saved, isFetched, isFinished: this.#isFinished };
  }

  /** Goes on from what was kept. */
  resume(): void {
    const { phase } = this.#progress;
    this.#isDoubtful = true;
    if (!this.#isFinished) this.#adoptServices();
    switch (phase.kind) {
      case "waiting":
        return;
      case "preparing":
        // It may have started, and the agent ended before that was told.
        return this.#saved ? this.#start(this.#recover()) : this.#act({ kind: "prepare" });
      case "resting":
        return this.#act({ kind: "rest", until: phase.until });
      case "running":
      case "stopping":
        return this.#start(this.#recover());
      case "dead":
        return this.#isFinished ? undefined : this.#act({ kind: "finish" });
      default:
        return assertNever(phase);
    }
  }

  begin(): void {
    this.#feed({ kind: "begin" });
  }

  note(event: TaskEvent): void {
    this.#feed({ kind: "noted", event });
  }

  end(why: EndReason): void {
    const event = endEvent(why, this.#around.host.clock.now());
    this.#feed({ kind: "killAsked", ...(event ? { event } : {}) });
  }

  /** Throws `notRunning`. */
  restart(reason: string): void {
    this.#running();
    this.#restart(reason, false);
  }

  /** Counts as a failure of its own. */
  fail(reason: string): void {
    this.#restart(reason, true);
  }

  /** Rejects with `notRunning`, or the driver's error. */
  async signal(signal: string, reason: string): Promise<void> {
    const handle = this.#running();
    this.note(taskEvents.signaling(this.#around.host.clock.now(), signal, reason));
    await handle.signal(signal);
  }

  /** Takes over what a new version of the job says; what it is started with changes at its next start. */
  async renewServices(): Promise<void> {
    if (this.#progress.phase.kind === "running") await this.#registerServices();
  }

  /** Ends the work of this program on it; the task runs on. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#preparing?.abort();
    await this.#preparation.close();
    await Promise.all(this.#work);
  }

  #running(): TaskHandle {
    if (this.#progress.phase.kind === "running" && this.#handle) return this.#handle;
    const text = `The task ${JSON.stringify(this.name)} does not run at present. Its events say why: alloc status ${this.#around.wanted().ID.slice(0, 8)}`;
    throw new OperationalError(allocationErrors.notRunning, text);
  }

  #restart(reason: string, isFailure: boolean): void {
    const event = taskEvents.restartSignaled(this.#around.host.clock.now(), reason);
    this.#feed({ kind: "restartAsked", event, isFailure });
  }

  #feed(what: InputOf<TaskInput>): void {
    if (this.#closing.signal.aborted) return;
    const { clock, chance } = this.#around.host;
    const input: TaskInput = { ...what, at: clock.now(), fraction: chance.fraction() };
    const { progress, actions } = stepTask(this.#rule(), this.#progress, input);
    if (progress === this.#progress) return;
    this.#progress = progress;
    for (const action of actions) this.#act(action);
    this.#around.changed();
  }

  #act(action: TaskAction): void {
    switch (action.kind) {
      case "prepare":
        return this.#start(this.#prepare());
      case "abandon":
        return this.#preparing?.abort();
      case "stop":
        return this.#start(this.#stop());
      case "rest":
        return this.#start(this.#rest(action.until));
      case "exited":
        return this.#start(this.#around.services.set(this.name, []));
      case "finish":
        return this.#start(this.#finish());
      default:
        return assertNever(action);
    }
  }

  /** Work beside the machine. Whatever is expected to fail in it comes back as an input. */
  #start(work: Promise<void>): void {
    const { log } = this.#around.host;
    const watched = work.catch((error: unknown) => {
      if (this.#closing.signal.aborted) return;
      if (!isExpected(error)) throw error;
      log.write("error", `${this.#label()}: ${error.message}`);
    });
    this.#work.add(watched);
    void watched.finally(() => this.#work.delete(watched));
  }

  async #prepare(): Promise<void> {
    const control = new AbortController();
    this.#preparing = control;
    const signal = AbortSignal.any([control.signal, this.#closing.signal]);
    const { clock } = this.#around.host;
    if (!this.#progress.hasRun) this.note(taskEvents.setup(clock.now(), "Building Task Directory"));
    try {
      if (this.#isDoubtful) await this.#around.confirmed(signal);
      this.#isDoubtful = false;
      await this.#handle?.destroy();
      const { driver, launch } = await this.#preparation.prepare(signal);
      const handle = await driver.start(launch);
      await this.#hold(handle);
      this.#feed({ kind: "started" });
      // Its end may be there already, and comes after its start.
      this.#watch(handle);
      if (this.#progress.phase.kind === "running") await this.#registerServices();
    } catch (error) {
      if (this.#closing.signal.aborted) return;
      if (!control.signal.aborted && !isExpected(error)) throw error;
      this.#feed({ kind: "startFailed", event: this.#failure(messageOf(error)), isFinal: isFinal(error) });
    }
  }

  /** Keeps the way back to a task that runs before it counts as started. */
  async #hold(handle: TaskHandle): Promise<void> {
    this.#handle = handle;
    this.#saved = handle.saved;
    try {
      await this.#around.save();
    } catch (error) {
      await handle.stop({ signal: "SIGKILL", timeoutMilliseconds: 0 });
      throw error;
    }
  }

  #watch(handle: TaskHandle): void {
    void handle.ended.then((exit) => {
      if (this.#handle === handle) this.#exited(exit);
    });
  }

  #exited(exit: TaskExit): void {
    this.#saved = null;
    this.#feed({ kind: "exited", exit });
  }

  async #recover(): Promise<void> {
    const { host } = this.#around;
    const saved = this.#saved;
    if (saved === null && this.#progress.phase.kind === "stopping") {
      // What prepared it ended with the agent that did.
      const event = taskEvents.setupFailure(host.clock.now(), "The agent was started anew");
      return this.#feed({ kind: "startFailed", event, isFinal: false });
    }
    const { driver, launch } = await this.#preparation.recover();
    const handle = saved ? await driver?.recover(saved, launch) : undefined;
    if (this.#closing.signal.aborted) return;
    if (this.#progress.phase.kind === "preparing") {
      if (!handle) return this.#prepare();
      this.#feed({ kind: "started" });
    }
    if (!handle) {
      const lost = "Nothing is known of the task any more: its process was not found again";
      this.note(taskEvents.restoreFailed(host.clock.now(), lost));
      return this.#exited({ exitCode: 0, signal: 0, oomKilled: false, at: host.clock.now(), lost });
    }
    this.#isDoubtful = false;
    this.#handle = handle;
    this.#watch(handle);
    if (this.#progress.phase.kind === "stopping") return this.#stop();
    await this.#registerServices();
    await this.#preparation.follow();
  }

  /** What is registered of a task that does not run any more has to go. */
  #adoptServices(): void {
    const { services } = this.#around;
    try {
      services.adopt(this.name, this.#preparation.services());
    } catch (error) {
      // Such as cannot be registered never were.
      if (!isExpected(error)) throw error;
    }
    const { kind } = this.#progress.phase;
    if (kind !== "running" && kind !== "stopping") this.#start(services.set(this.name, []));
  }

  async #registerServices(): Promise<void> {
    await this.#around.services.set(this.name, this.#preparation.services());
  }

  async #stop(): Promise<void> {
    const { host, services } = this.#around;
    const handle = this.#handle;
    // Nobody is to be sent to a task that ends.
    await services.set(this.name, []);
    if (!handle) return;
    const delay = milliseconds(this.#task().shutdownDelay);
    if (delay > 0) {
      this.note(taskEvents.shutdownDelay(host.clock.now(), delay));
      const over = new AbortController();
      const pause = host.clock.sleep(delay, AbortSignal.any([over.signal, this.#closing.signal]));
      await Promise.race([pause.catch(() => undefined), handle.ended]);
      over.abort();
    }
    if (this.#closing.signal.aborted) return;
    const { killTimeout } = this.#rule();
    await handle.stop({ signal: this.#killSignal(), timeoutMilliseconds: killTimeout });
  }

  async #rest(until: number): Promise<void> {
    this.#resting?.abort();
    const control = new AbortController();
    this.#resting = control;
    const { clock } = this.#around.host;
    try {
      await clock.sleep(Math.max(0, until - clock.now()), AbortSignal.any([control.signal, this.#closing.signal]));
    } catch {
      return;
    }
    this.#feed({ kind: "rested" });
  }

  async #finish(): Promise<void> {
    const { services, host, wanted, save, changed } = this.#around;
    this.#resting?.abort();
    await Promise.all([
      // First of all: what it was trusted with is not to outlive it.
      this.#preparation.revoke(this.#closing.signal),
      services.set(this.name, []),
      this.#preparation.close(),
      host.logs.detach({ allocation: wanted().ID, task: this.name }),
    ]);
    await this.#handle?.destroy();
    this.#handle = undefined;
    this.#isFinished = true;
    await save();
    changed();
  }

  #failure(message: string): TaskEvent {
    const at = this.#around.host.clock.now();
    switch (this.#preparation.stage) {
      case "artifacts":
        return taskEvents.downloadFailed(at, message);
      case "driver":
        return taskEvents.driverFailure(at, message);
      case "setup":
      case "templates":
        return taskEvents.setupFailure(at, message);
      default:
        return assertNever(this.#preparation.stage);
    }
  }

  #rule(): TaskRule {
    const task = this.#task();
    const { type } = this.#around.job();
    const role = roleOf(task);
    const isBeside = role === "prestart" || role === "poststart" || role === "poststop";
    return {
      restart: task.restart,
      endsWell: type === "batch" || type === "sysbatch" || isBeside,
      killTimeout: Math.min(milliseconds(task.killTimeout), longestKillTimeout),
    };
  }

  #killSignal(): string {
    const { killSignal, driver } = this.#task();
    if (killSignal !== "") return killSignal;
    return inheritsEnvironment(driver) ? "SIGINT" : "SIGTERM";
  }

  #task(): Task {
    return this.#preparation.task();
  }

  #label(): string {
    return `${this.#around.wanted().Name}/${this.name}`;
  }
}

type InputOf<I> = I extends unknown ? Omit<I, "at" | "fraction"> : never;

/** As Nomad's clients have it by default, however long a job asks for. */
const longestKillTimeout = 30_000;

/** Whether trying again with the same job does not help. */
function isFinal(error: unknown): boolean {
  const codes: readonly string[] = [driverErrors.configuration.code, allocationErrors.refused.code];
  return error instanceof OperationalError && codes.includes(error.code);
}

function endEvent(why: EndReason, at: number): TaskEvent | undefined {
  switch (why.kind) {
    case "stopped":
      return undefined;
    case "leaderDead":
      return taskEvents.leaderDead(at);
    case "mainDead":
      return taskEvents.mainDead(at);
    case "siblingFailed":
      return taskEvents.siblingFailed(at, why.sibling);
    default:
      return assertNever(why);
  }
}
