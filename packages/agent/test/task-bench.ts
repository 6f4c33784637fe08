import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLog, systemChance, systemClock } from "@millwright/core/ports";
import type { Json } from "@millwright/jobs/shape";
import type { TaskDriver, TaskHandle, TaskLaunch } from "../src/driver/driver.ts";
import type { Logs } from "../src/logs/logs.ts";
import { openLogs } from "../src/logs/open-logs.ts";
import { numbersOf } from "../src/logs/rotating-file.ts";

/** A folder of an agent with a log process, in which tasks can be started as an agent does it. */
export interface TaskBench {
  readonly folder: string;
  readonly logs: Logs;
  /** As an agent that was started anew. */
  reopenLogs(): Promise<void>;
  /** Everything that a driver needs to start a task of a new allocation. */
  launch(config: Readonly<Record<string, Json>>, more?: LaunchOptions): Promise<TaskLaunch>;
  start(driver: TaskDriver, config: Readonly<Record<string, Json>>, more?: LaunchOptions): Promise<Started>;
  /** Ends everything that was started here. */
  close(): Promise<void>;
}

export interface LaunchOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly user?: string;
  readonly maxFileSize?: number;
}

export interface Started {
  readonly launch: TaskLaunch;
  readonly handle: TaskHandle;
}

export async function openTaskBench(): Promise<TaskBench> {
  const folder = mkdtempSync(join(tmpdir(), "millwright-tasks-"));
  const open = () => openLogs(folder, { clock: systemClock, log: silentLog });
  let logs = await open();
  const handles: TaskHandle[] = [];
  const launch: TaskBench["launch"] = async (config, { env = {}, user = "", maxFileSize = 10 } = {}) => {
    const allocation = systemChance.uuid();
    const folders = makeFolders(join(folder, "alloc", allocation), "main");
    const limits = { maxFiles: 10, maxFileSize };
    const output = await logs.attach({ allocation, task: "main", folder: folders.allocation, limits });
    return {
      allocation,
      group: "group",
      task: "main",
      config,
      user,
      env: { PATH: "/usr/local/bin:/usr/bin:/bin", ...env },
      folders,
      resources: { cpu: 100, cores: 0, memory: 64, memoryMax: 0 },
      ports: [],
      output,
      progress: () => undefined,
      signal: new AbortController().signal,
    };
  };
  return {
    folder,
    get logs() {
      return logs;
    },
    reopenLogs: async () => {
      await logs.close();
      logs = await open();
    },
    launch,
    start: async (driver, config, more) => {
      const launched = await launch(config, more);
      const handle = await driver.start(launched);
      handles.push(handle);
      return { launch: launched, handle };
    },
    close: async () => {
      await Promise.all(handles.map((handle) => handle.destroy()));
      const { pid } = await logs.status();
      await logs.close();
      process.kill(pid, "SIGKILL");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The folders of an allocation with one task. */
export function makeFolders(allocation: string, task: string): TaskLaunch["folders"] {
  const folders = {
    allocation,
    shared: join(allocation, "alloc"),
    task: join(allocation, task),
    local: join(allocation, task, "local"),
    secrets: join(allocation, task, "secrets"),
  };
  for (const folder of [...Object.values(folders), join(folders.shared, "logs"), join(folders.task, "tmp")]) {
    mkdirSync(folder, { recursive: true });
  }
  return folders;
}

/** What a task has written, of all the files that are there. */
export function outputOf({ folders, task }: TaskLaunch, type: "stdout" | "stderr" = "stdout"): string {
  const folder = join(folders.shared, "logs");
  if (!readdirSync(folder).length) return "";
  const name = `${task}.${type}`;
  return numbersOf(folder, name)
    .map((number) => readFileSync(join(folder, `${name}.${number}`), "utf8"))
    .join("");
}

/** What it has written at the end, all of it. */
export async function finishedOutputOf(bench: TaskBench, launch: TaskLaunch): Promise<string> {
  await bench.logs.detach(launch);
  return outputOf(launch);
}
