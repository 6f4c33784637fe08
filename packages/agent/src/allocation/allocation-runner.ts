import type { AllocationUpdate, NodeAllocation } from "@millwright/clients/nomad-node-protocol";
import { invariant, OperationalError } from "@millwright/core/errors";
import type { Job, TaskGroup } from "@millwright/jobs/job";
import { milliseconds } from "@millwright/scheduler/time";
import { isDeepStrictEqual } from "node:util";
import { healthRule, nextLook, reportedHealth, stepSight, watchedHealth } from "./allocation-health.ts";
import { AllocationServices } from "./allocation-services.ts";
import { clientStatusOf, type CoordinatedTask, coordinate, isUp, roleOf } from "./coordinate.ts";
import { groupNames } from "./environment.ts";
import { allocationErrors, isExpected } from "./errors.ts";
import { allocationFolders, makeAllocationFolders, removeSecrets } from "./folders.ts";
import type { AllocationHost } from "./host.ts";
import { encodeAllocation, type KeptAllocation, type KeptHealth } from "./kept-allocation.ts";
import { KeptJson } from "./kept-json.ts";
import { orAborted } from "./patience.ts";
import { type RegisteredService, serviceRegistrations } from "./service-registrations.ts";
import { taskEvents } from "./task-events.ts";
import { TaskRunner, type TaskSurroundings } from "./task-runner.ts";
import { taskStateOf } from "./task-step.ts";

/** What an allocation is made of when it begins, or is found again. */
export type Beginning = Pick<KeptAllocation, "wanted" | "job"> & Partial<KeptAllocation>;

export interface RunnerPlace {
  readonly host: AllocationHost;
  /** The allocation's own folder. */
  readonly root: string;
  readonly heard: Promise<void>;
}

/** Runs an allocation: its tasks in their order, its group's services, its health; tells what becomes of it and keeps it on disk. */
export class AllocationRunner {
  readonly root: string;
  readonly tasks: ReadonlyMap<string, TaskRunner>;
  readonly #host: AllocationHost;
  readonly #heard: Promise<void>;
  readonly #services: AllocationServices;
  readonly #file: KeptJson;
  readonly #work = new Set<Promise<void>>();
  readonly #closing = new AbortController();
  readonly #over = Promise.withResolvers<void>();
  #wanted: NodeAllocation;
  #job: Job;
  #health: KeptHealth | null;
  #endedAt: number;
  /** `asked`: its group leaves discovery first; `now`: its tasks end. */
  #stop: "no" | "asked" | "now" = "no";
  #update: AllocationUpdate | undefined;
  #isOpen = false;
  #isSettling = false;
  #isEnding = false;
  #look: AbortController | undefined;

  private constructor({ host, root, heard }: RunnerPlace, { wanted, job, tasks = {}, ...kept }: Beginning) {
    this.#host = host;
    this.#heard = heard;
    this.root = root;
    this.#wanted = wanted;
    this.#job = job;
    this.#health = kept.health ?? null;
    this.#endedAt = kept.endedAt ?? 0;
    this.#services = new AllocationServices({
      ...{ services: host.services, clock: host.clock, log: host.log },
      startedAt: (task) => this.tasks.get(task)?.runningSince,
      restart: (task, reason) => this.tasks.get(task)?.fail(reason),
      changed: () => this.#settleSoon(),
    });
    this.#file = new KeptJson(allocationFolders(root).state, () => encodeAllocation(this.#kept()));
    const around = this.#surroundings();
    this.tasks = new Map(this.group.tasks.map(({ name }) => [name, new TaskRunner(name, around, tasks[name])]));
  }

  /**
   * Begins with an allocation, or goes on with one that was kept. `heard` resolves when the servers have said to this program what is
   * to run. Rejects with `folder`.
   */
  static async open(at: RunnerPlace, beginning: Beginning): Promise<AllocationRunner> {
    const { host, root } = at;
    const runner = new AllocationRunner(at, beginning);
    if (!runner.isOver) await makeAllocationFolders(root);
    const isNew = beginning.tasks === undefined;
    if (isNew) for (const task of runner.tasks.values()) task.note(taskEvents.received(host.clock.now()));
    await runner.#file.write();
    if (!isNew && !runner.isOver) runner.#adoptServices();
    if (!isNew) for (const task of runner.tasks.values()) task.resume();
    if (runner.isOver) runner.#over.resolve();
    runner.#isOpen = true;
    runner.#settleSoon();
    return runner;
  }

  get wanted(): NodeAllocation {
    return this.#wanted;
  }

  get job(): Job {
    return this.#job;
  }

  get group(): TaskGroup {
    const group = this.#job.groups.find(({ name }) => name === this.#wanted.TaskGroup);
    invariant(group, `the job ${this.#wanted.JobID} has no group ${this.#wanted.TaskGroup}`);
    return group;
  }

  /** Milliseconds since 1970; 0 while it goes on. */
  get endedAt(): number {
    return this.#endedAt;
  }

  /** Whether all tasks have ended, and all that they held is given back. */
  get isOver(): boolean {
    return this.#endedAt !== 0;
  }

  /** Resolves when it is over. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  /** Whether each task has ended. */
  get isDead(): boolean {
    return [...this.tasks.values()].every(({ progress }) => progress.phase.kind === "dead");
  }

  get update(): AllocationUpdate {
    const { status, description } = clientStatusOf(this.#coordinated());
    const states = [...this.tasks].map(([name, { progress }]) => [name, taskStateOf(progress)] as const);
    return {
      ID: this.#wanted.ID,
      ClientStatus: status,
      ClientDescription: description,
      TaskStates: Object.fromEntries(states),
      Health: reportedHealth(this.#health),
    };
  }

  /** Takes what the servers have changed of it; with the job where that is another version. */
  async take(wanted: NodeAllocation, job: Job): Promise<void> {
    const isOtherJob = job !== this.#job;
    this.#wanted = wanted;
    if (isOtherJob && job.groups.some(({ name }) => name === wanted.TaskGroup)) {
      this.#job = job;
      for (const task of this.tasks.values()) await task.renewServices();
    }
    if (wanted.DesiredStatus !== "run") this.stop();
    this.#settleSoon();
    await this.#file.write();
  }

  /** Ends it in good order. */
  stop(): void {
    if (this.#stop !== "no" || this.isOver) return;
    this.#stop = "asked";
    this.#run(this.#leave());
  }

  /** The runners of a task, or of all that run. Throws `unknown` and `notRunning`. */
  running(task: string | undefined): readonly TaskRunner[] {
    const all = [...this.tasks.values()];
    const named =
      task === undefined ? all.filter(({ handle }) => handle !== undefined) : all.filter(({ name }) => name === task);
    if (named.length > 0) return named;
    const id = this.#wanted.ID.slice(0, 8);
    if (task === undefined) {
      throw new OperationalError(allocationErrors.notRunning, `No task of the allocation ${id} runs at present.`);
    }
    const known = all.map(({ name }) => name).join(", ");
    const text = `The allocation ${id} has no task ${JSON.stringify(task)}. It has ${known}.`;
    throw new OperationalError(allocationErrors.unknown, text);
  }

  /** Ends the work of this program on it; tasks run on. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#look?.abort();
    await Promise.all([...this.tasks.values()].map((task) => task.close()));
    await this.#services.close();
    // Another agent may go on with its folder at once.
    await Promise.all(this.#work);
    await this.#file.write();
  }

  #kept(): KeptAllocation {
    const tasks = Object.fromEntries([...this.tasks].map(([name, { kept }]) => [name, kept]));
    return { wanted: this.#wanted, job: this.#job, tasks, health: this.#health, endedAt: this.#endedAt };
  }

  #surroundings(): TaskSurroundings {
    return {
      host: this.#host,
      root: this.root,
      wanted: () => this.#wanted,
      job: () => this.#job,
      group: () => this.group,
      services: this.#services,
      confirmed: (signal) => this.#confirmed(signal),
      groupServices: () => this.#groupServices(() => true),
      save: () => this.#file.write(),
      changed: () => this.#settleSoon(),
    };
  }

  async #confirmed(signal: AbortSignal): Promise<void> {
    await orAborted(this.#heard, signal);
    // What is to end does not begin again; its tasks' end comes.
    if (this.#stop !== "no") await orAborted(new Promise<never>(() => undefined), signal);
  }

  #coordinated(): readonly CoordinatedTask[] {
    return this.group.tasks.flatMap((task) => {
      const runner = this.tasks.get(task.name);
      const { name, leader: isLeader } = task;
      return runner ? [{ name, isLeader, role: roleOf(task), progress: runner.progress }] : [];
    });
  }

  /** Out of discovery first, then a pause in which nobody new comes, then its tasks' end. */
  async #leave(): Promise<void> {
    const { clock } = this.#host;
    await this.#services.set(groupOwner, []);
    const delay = milliseconds(this.group.shutdownDelay ?? 0);
    const hasRunning = [...this.tasks.values()].some(({ handle }) => handle !== undefined);
    if (delay > 0 && hasRunning) await clock.sleep(delay, this.#closing.signal);
    this.#stop = "now";
    this.#settleSoon();
  }

  /** However much happens at once, it is looked at once. */
  #settleSoon(): void {
    if (!this.#isOpen || this.#isSettling || this.#closing.signal.aborted) return;
    this.#isSettling = true;
    queueMicrotask(() => {
      this.#isSettling = false;
      if (!this.#closing.signal.aborted) this.#run(this.#settle());
    });
  }

  async #settle(): Promise<void> {
    if (this.isOver) return this.#tell();
    const mayBegin = this.#wanted.PreviousAllocation === null || this.#stop === "now";
    const directives = mayBegin ? coordinate(this.#coordinated(), this.#stop === "now") : [];
    for (const directive of directives) {
      const task = this.tasks.get(directive.task);
      if (directive.kind === "begin") task?.begin();
      else task?.end(directive.why);
    }
    this.#registerGroup();
    this.#watchHealth();
    if (!this.#isEnding && [...this.tasks.values()].every(({ isFinished }) => isFinished)) await this.#end();
    this.#tell();
    await this.#file.write();
  }

  #adoptServices(): void {
    try {
      this.#services.adopt(
        groupOwner,
        this.#groupServices(() => true),
      );
    } catch (error) {
      // Such as cannot be registered never were.
      if (!isExpected(error)) throw error;
    }
  }

  #registerGroup(): void {
    const isUp = this.#stop === "no" && !this.isDead;
    const services = isUp ? this.#groupServices((task) => this.#isServed(task)) : [];
    this.#run(this.#services.set(groupOwner, services));
  }

  /** Whether there is somebody behind a service of the group: its task, or where it names none all have started and one runs. */
  #isServed(task: string): boolean {
    const runs = ({ progress }: { readonly progress: TaskRunner["progress"] }) => progress.phase.kind === "running";
    if (task !== "") return [...this.tasks.values()].some((runner) => runner.name === task && runs(runner));
    const main = this.#coordinated().filter(({ role }) => role === "main");
    return main.every(({ progress }) => progress.hasRun) && main.some(runs);
  }

  #groupServices(isWanted: (task: string) => boolean): readonly RegisteredService[] {
    const { node, allowsScriptChecks } = this.#host;
    const { group } = this;
    const place = { wanted: this.#wanted, job: this.#job, group, node };
    return serviceRegistrations(
      group.services.filter(({ task }) => isWanted(task)),
      {
        wanted: this.#wanted,
        owner: `group-${group.name}`,
        task: null,
        address: node.address,
        names: groupNames(place),
        allowsScripts: allowsScriptChecks,
      },
    );
  }

  #watchHealth(): void {
    const rule = healthRule(this.#job, this.group);
    const tasks = this.#coordinated();
    if (!rule || this.#stop !== "no" || !tasks.some(({ progress }) => progress.hasBegun)) return;
    const { clock } = this.#host;
    const at = clock.now();
    const before = watchedHealth(this.#health, this.#wanted, at);
    const failed = tasks.find(({ progress }) => progress.phase.kind === "dead" && progress.failed);
    const sight = { at, isUp: isUp(tasks), failingCheck: this.#services.health.failing, failedTask: failed?.name };
    this.#health = stepSight(before, sight, rule, this.group.update?.healthCheck === "checks");
    const { state } = this.#health;
    // A task that has failed says itself why.
    if (state.kind === "failed" && before.state.kind !== "failed" && !failed) {
      for (const { name } of tasks.filter(({ role }) => role === "main")) {
        this.tasks.get(name)?.note(taskEvents.unhealthy(at, state.why));
      }
    }
    this.#lookAt(nextLook(this.#health, rule));
  }

  #lookAt(at: number | undefined): void {
    this.#look?.abort();
    if (at === undefined) return;
    const control = new AbortController();
    this.#look = control;
    const { clock } = this.#host;
    const wait = Math.max(1, at - clock.now());
    void clock.sleep(wait, control.signal).then(
      () => this.#settleSoon(),
      () => undefined,
    );
  }

  async #end(): Promise<void> {
    this.#isEnding = true;
    this.#look?.abort();
    await removeSecrets(this.root, [...this.tasks.keys()]);
    this.#endedAt = this.#host.clock.now();
    this.#over.resolve();
  }

  #tell(): void {
    const { update } = this;
    if (isDeepStrictEqual(update, this.#update)) return;
    this.#update = update;
    this.#host.report(update);
  }

  #run(work: Promise<void>): void {
    const watched = work.catch((error: unknown) => {
      if (this.#closing.signal.aborted) return;
      if (!isExpected(error)) throw error;
      this.#host.log.write("error", `${this.#wanted.Name}: ${error.message}`);
    });
    this.#work.add(watched);
    void watched.finally(() => this.#work.delete(watched));
  }
}

/** The owner of the group's services among those of the tasks: no task has that name. */
const groupOwner = "";
