import { statfs } from "node:fs/promises";
import { join } from "node:path";
import type { AllocationUpdate, NodeAllocation } from "@millwright/clients/nomad-node-protocol";
import { messageOf, OperationalError } from "@millwright/core/errors";
import type { Job, TaskGroup } from "@millwright/jobs/job";
import { hasEnded } from "@millwright/scheduler/allocation";
import type { TaskFolders, TaskHandle } from "../driver/driver.ts";
import { AllocationRunner, type Beginning } from "./allocation-runner.ts";
import { allocationErrors, isExpected } from "./errors.ts";
import { allocationFolders, allocationsFolder, entriesOf, removeAllocationFolder } from "./folders.ts";
import { chooseGarbage, defaultGarbageLimits } from "./garbage.ts";
import type { AllocationHost } from "./host.ts";
import { decodeAllocation } from "./kept-allocation.ts";
import { readKeptJson } from "./kept-json.ts";

/** All allocations of a node: what is to run is run, what runs is kept, what has ended is told. */
export interface Allocations {
  /** Takes the whole list of what is to be on the node. What is not in it is ended, and forgotten after a while. */
  set(wanted: readonly NodeAllocation[]): void;
  /** Starts a task anew, or all that run. Rejects with `unknown` or `notRunning`. */
  restart(allocation: string, task?: string): Promise<void>;
  /** Sends a signal (`SIGHUP`) to a task, or to all that run. Rejects with `unknown`, `notRunning`, or the driver's error. */
  signal(allocation: string, task: string | undefined, signal: string): Promise<void>;
  /** Undefined where the node has none of that id. */
  get(allocation: string): HeldAllocation | undefined;
  /** Ids of all that have a folder here. */
  ids(): readonly string[];
  /** What was last reported of each: to be told again to servers that ask for it. */
  updates(): readonly AllocationUpdate[];
  /** Forgets those that have ended, whatever the limits say: `nomad system gc` and `client gc`. */
  collectGarbage(allocation?: string): Promise<void>;
  /** Ends the agent's work on them; tasks go on running. */
  close(): Promise<void>;
  /** Ends every task; for agents that take what they have started with them. */
  stopAll(): Promise<void>;
}

/** An allocation as the node has it. */
export interface HeldAllocation {
  readonly wanted: NodeAllocation;
  readonly job: Job;
  readonly group: TaskGroup;
  readonly folder: string;
  readonly update: AllocationUpdate;
  /** By name. */
  readonly tasks: ReadonlyMap<string, HeldTask>;
}

export interface HeldTask {
  readonly folders: TaskFolders;
  /** Undefined while it does not run. */
  readonly handle: TaskHandle | undefined;
}

/** Opens the allocations below a data folder, and finds the tasks that ran there before. Rejects with `folder`. */
export async function openAllocations(host: AllocationHost): Promise<Allocations> {
  const all = new NodeAllocations(host);
  await all.find();
  return all;
}

export type OpenAllocations = typeof openAllocations;

class NodeAllocations implements Allocations {
  readonly #host: AllocationHost;
  readonly #runners = new Map<string, AllocationRunner>();
  /** Those that are about to begin, or whose job's new version is fetched. */
  readonly #taking = new Map<string, Promise<void>>();
  readonly #closing = new AbortController();
  readonly #heard = Promise.withResolvers<void>();
  #wanted: ReadonlyMap<string, NodeAllocation> | undefined;
  /** Whether everything is to end: nothing begins any more. */
  #isEnding = false;
  #collecting: Promise<void> = Promise.resolve();

  constructor(host: AllocationHost) {
    this.#host = host;
    void this.#collectNowAndThen();
  }

  /** Goes on with all that are kept. What cannot be read is left alone: something may run in there. */
  async find(): Promise<void> {
    const folder = allocationsFolder(this.#host.dataFolder);
    const { log } = this.#host;
    for (const id of await entriesOf(folder)) {
      const root = join(folder, id);
      const kept = decodeAllocation(await readKeptJson(allocationFolders(root).state));
      if (kept) await this.#open(id, kept);
      else log.write("error", `${root} is no allocation's folder that can be read: it is left as it is`);
    }
  }

  set(wanted: readonly NodeAllocation[]): void {
    // What the servers place anew for what ends here is for another agent.
    if (this.#isEnding) return;
    this.#wanted = new Map(wanted.map((one) => [one.ID, one]));
    for (const [id, runner] of this.#runners) if (this.#wanted.get(id)?.DesiredStatus !== "run") runner.stop();
    // Not before: what is to end is not to begin again meanwhile.
    this.#heard.resolve();
    for (const { ID } of wanted) this.#takeLater(ID);
  }

  async restart(allocation: string, task?: string): Promise<void> {
    const reason = task === undefined ? "User requested running tasks to restart" : "User requested task to restart";
    for (const runner of this.#runner(allocation).running(task)) runner.restart(reason);
  }

  async signal(allocation: string, task: string | undefined, signal: string): Promise<void> {
    for (const runner of this.#runner(allocation).running(task)) await runner.signal(signal, "User requested signal");
  }

  get(allocation: string): HeldAllocation | undefined {
    const runner = this.#runners.get(allocation);
    if (!runner) return undefined;
    const { wanted, job, group, root: folder, update } = runner;
    return { wanted, job, group, folder, update, tasks: runner.tasks };
  }

  ids(): readonly string[] {
    return [...this.#runners.keys()];
  }

  updates(): readonly AllocationUpdate[] {
    return [...this.#runners.values()].map(({ update }) => update);
  }

  async collectGarbage(allocation?: string): Promise<void> {
    const over = [...this.#runners].filter(([id, { isOver }]) => isOver && (allocation ?? id) === id);
    for (const [id] of over) await this.#forget(id);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.#taking.values());
    await Promise.all([...this.#runners.values()].map((runner) => runner.close()));
    await this.#collecting;
  }

  async stopAll(): Promise<void> {
    this.#isEnding = true;
    this.#wanted = new Map();
    await Promise.all(this.#taking.values());
    const runners = [...this.#runners.values()];
    for (const runner of runners) runner.stop();
    const over = Promise.all(runners.map((runner) => runner.over));
    const patience = new AbortController();
    await Promise.race([over, this.#lastsTooLong(runners, patience.signal)]);
    patience.abort();
  }

  /** Resolves when all tasks have ended and what they held could not be given back for a while: the next agent goes on with that. */
  async #lastsTooLong(runners: readonly AllocationRunner[], signal: AbortSignal): Promise<void> {
    const { clock } = this.#host;
    try {
      while (!runners.every(({ isDead }) => isDead)) await clock.sleep(100, signal);
      await clock.sleep(givingBackMilliseconds, signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  #runner(id: string): AllocationRunner {
    const runner = this.#runners.get(id);
    if (runner) return runner;
    const text = `There is no allocation ${id} on this node. Look where it is: alloc status ${id.slice(0, 8)}`;
    throw new OperationalError(allocationErrors.unknown, text);
  }

  /** One at a time for each allocation: what comes meanwhile is taken afterwards. */
  #takeLater(id: string): void {
    if (this.#taking.has(id)) return;
    const taking = this.#takeLatest(id).finally(() => this.#taking.delete(id));
    this.#taking.set(id, taking);
  }

  async #takeLatest(id: string): Promise<void> {
    const { clock, log } = this.#host;
    const { signal } = this.#closing;
    for (let pause = firstPause; ; pause = Math.min(pause * 2, longestPause)) {
      const wanted = this.#wanted?.get(id);
      if (!wanted || signal.aborted) return;
      try {
        await this.#take(wanted);
        if (this.#wanted?.get(id) === wanted) return;
        pause = firstPause;
      } catch (error) {
        if (signal.aborted) return;
        if (!isExpected(error)) throw error;
        log.write("error", `${wanted.Name} (${id}): ${error.message} (trying again)`);
        await clock.sleep(pause, signal).catch(() => undefined);
      }
    }
  }

  async #take(wanted: NodeAllocation): Promise<void> {
    const { host, runner } = { host: this.#host, runner: this.#runners.get(wanted.ID) };
    const isOver = hasEnded({ client: wanted.ClientStatus });
    if (!runner && (isOver || wanted.DesiredStatus !== "run")) {
      // Its end is all that the servers wait for.
      if (!isOver) host.report(absent(wanted));
      return;
    }
    const isSameJob = runner?.wanted.JobVersion === wanted.JobVersion;
    const { Namespace: namespace, JobID: id, JobVersion: version, JobSubmitTime: submitted } = wanted;
    const job = runner && isSameJob ? runner.job : await host.job({ namespace, id, version, submitted });
    if (runner) return runner.take(wanted, job);
    // While the job was fetched it may have been called off.
    if (this.#wanted?.get(wanted.ID)?.DesiredStatus === "run") await this.#open(wanted.ID, { wanted, job });
  }

  async #open(id: string, beginning: Beginning): Promise<void> {
    const root = join(allocationsFolder(this.#host.dataFolder), id);
    const runner = await AllocationRunner.open({ host: this.#host, root, heard: this.#heard.promise }, beginning);
    this.#runners.set(id, runner);
    void runner.over.then(() => this.#collect());
  }

  async #collectNowAndThen(): Promise<void> {
    const { clock } = this.#host;
    while (!this.#closing.signal.aborted) {
      await clock.sleep(betweenCollections, this.#closing.signal).catch(() => undefined);
      this.#collect();
    }
  }

  #collect(): void {
    const { log } = this.#host;
    this.#collecting = this.#collecting
      .then(() => this.#collectOnce())
      .catch((error: unknown) => log.write("error", `old allocations are kept: ${messageOf(error)}`));
  }

  async #collectOnce(): Promise<void> {
    // Before the servers were heard nobody knows what they still speak of.
    if (!this.#wanted || this.#closing.signal.aborted) return;
    const { clock, dataFolder, garbage = defaultGarbageLimits } = this.#host;
    const ended = [...this.#runners].flatMap(([id, { isOver, endedAt }]) =>
      isOver ? [{ id, endedAt, isListed: this.#wanted?.has(id) === true }] : [],
    );
    const { bavail, blocks } = await statfs(dataFolder);
    const isDiskFull = bavail < blocks * leastFree;
    for (const id of chooseGarbage(ended, garbage, { now: clock.now(), isDiskFull })) await this.#forget(id);
  }

  async #forget(id: string): Promise<void> {
    const runner = this.#runners.get(id);
    if (!runner?.isOver) return;
    this.#runners.delete(id);
    await runner.close();
    await removeAllocationFolder(runner.root);
  }
}

const firstPause = 1_000;
const longestPause = 30_000;
const betweenCollections = 60_000;
const givingBackMilliseconds = 5_000;
/** The part of the disk that is to stay free. */
const leastFree = 0.2;

function absent({ ID }: NodeAllocation): AllocationUpdate {
  return {
    ID,
    ClientStatus: "complete",
    ClientDescription: "It is not on its node",
    TaskStates: {},
    Health: null,
  };
}
