import { accessSync, constants, existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "@millwright/core/ports";

/** How this machine's cgroups are mounted; `none` where none can be made. */
export type CgroupLayout = "v2" | "hybrid" | "v1" | "none";

/** Processes under one name, also those that left their session. */
export interface Cgroup {
  /** Its folders, to find it again. */
  readonly folders: readonly string[];
  /** The files that a process joins by, by writing 0. */
  readonly joinFiles: readonly string[];
  pids(): readonly number[];
  /** Kills all of them, and those that they start meanwhile. Resolves when none is left, or with false after some seconds. */
  kill(): Promise<boolean>;
  /** Bytes resident; undefined where nobody counts. */
  memory(): number | undefined;
  /** Nanoseconds of processor time; undefined where nobody counts. */
  cpu(): number | undefined;
  /** How many of its processes the kernel killed for want of memory. */
  oomKills(): number;
  /** Removes it, where it is empty. */
  remove(): void;
}

/** What can be made here, by trying it. */
export function cgroupLayout(): CgroupLayout {
  const mounts = mountsOf();
  if (!makeGroup(mounts, keepersName)) return "none";
  if (!mounts.unified) return "v1";
  return mounts.controllers.size > 0 ? "hybrid" : "v2";
}

/** Makes the cgroup of a task; undefined where there is no right to, or no cgroup is mounted. */
export function makeCgroup(name: string): Cgroup | undefined {
  const folders = makeGroup(mountsOf(), name);
  return folders && cgroupAt(folders);
}

/** A cgroup that was made before, also by another program. */
export function cgroupAt(folders: readonly string[]): Cgroup {
  const read = (file: string) => readFirst(folders, file);
  return {
    folders,
    joinFiles: folders.map((folder) => join(folder, "cgroup.procs")),
    pids: () => pidsOf(folders),
    kill: () => killAll(folders),
    memory: () => sum(read("memory.stat"), read("memory.current") === undefined ? v1Resident : v2Resident),
    cpu: () => {
      const v1 = read("cpuacct.usage");
      if (v1 !== undefined) return Number(v1);
      const microseconds = numberOf(read("cpu.stat"), "usage_usec");
      return microseconds === undefined ? undefined : microseconds * 1000;
    },
    oomKills: () =>
      numberOf(read("memory.events"), "oom_kill") ?? numberOf(read("memory.oom_control"), "oom_kill") ?? 0,
    remove: () => folders.forEach(removeGroup),
  };
}

/** The files by which what outlives the agent leaves the agent's own cgroup: with that one it would be killed. */
export function keeperFiles(): readonly string[] {
  const mounts = mountsOf();
  // Where a service manager finds its processes; without one, wherever something is found.
  const tracked = mounts.unified ?? mounts.all.get("name=systemd");
  const found =
    tracked === undefined ? mounts : { ...mounts, unified: tracked, controllers: new Map<string, string>() };
  return (makeGroup(found, keepersName) ?? []).map((folder) => join(folder, "cgroup.procs"));
}

/** Moves a process out of the agent's own cgroup, where that can be done. */
export function keepApart(pid: number): void {
  for (const file of keeperFiles()) tryTo(() => writeFileSync(file, String(pid)));
}

/** Cgroups that somebody else made, by their paths below where they are mounted, or whole. */
export interface ForeignCgroups {
  readonly unified: string | undefined;
  readonly byController: Readonly<Record<string, string>>;
}

/** The files by which a process joins them; `missing` are those that it cannot. */
export function foreignJoinFiles({ unified, byController }: ForeignCgroups): {
  readonly files: readonly string[];
  readonly missing: readonly string[];
} {
  const mounts = mountsOf();
  const wanted = [
    ...(unified === undefined ? [] : [{ name: unified, root: mounts.unified, path: unified }]),
    ...Object.entries(byController).map(([controller, path]) => {
      return { name: `${controller}:${path}`, root: mounts.all.get(controller), path };
    }),
  ];
  const found = wanted.map(({ name, root, path }) => {
    const folder = root === undefined || path.startsWith(`${root}/`) ? path : join(root, path);
    const file = join(folder, "cgroup.procs");
    return { name, file, isThere: root !== undefined && tryTo(() => accessSync(file, constants.W_OK)) };
  });
  return {
    files: found.filter(({ isThere }) => isThere).map(({ file }) => file),
    missing: found.filter(({ isThere }) => !isThere).map(({ name }) => name),
  };
}

const sliceName = "millwright.slice";
const keepersName = "keepers";
/**
 * Hierarchies of the first version that something is read from, or found by; beside the second version only what that does not
 * tell. Each costs a start some milliseconds.
 */
const controllers = { alone: ["memory", "cpuacct", "pids"], beside: ["memory"] };
const v1Resident = ["total_rss", "total_mapped_file"];
const v2Resident = ["anon", "file_mapped"];

interface Mounts {
  readonly unified: string | undefined;
  /** Folders of the first version's hierarchies by controller. */
  readonly controllers: ReadonlyMap<string, string>;
  /** Those of all controllers. */
  readonly all: ReadonlyMap<string, string>;
}

function mountsOf(): Mounts {
  const all = new Map<string, string>();
  let unified: string | undefined;
  for (const line of textOf("/proc/mounts")?.split("\n") ?? []) {
    const [, folder = "", type, options = ""] = line.split(" ");
    if (type === "cgroup2") unified ??= folder;
    if (type !== "cgroup") continue;
    for (const name of options.split(",")) all.set(name, folder);
  }
  const wanted = unified ? controllers.beside : controllers.alone;
  return { unified, all, controllers: new Map([...all].filter(([name]) => wanted.includes(name))) };
}

function makeGroup({ unified, controllers: byController }: Mounts, name: string): readonly string[] | undefined {
  const roots = [...(unified ? [unified] : []), ...new Set(byController.values())];
  if (unified) delegate(unified);
  const made = roots
    .map((root) => join(root, sliceName, name))
    .filter((folder) => {
      return (
        tryTo(() => mkdirSync(folder, { recursive: true })) &&
        tryTo(() => writeFileSync(join(folder, "cgroup.procs"), ""))
      );
    });
  return made.length > 0 ? made : undefined;
}

// What is counted for the tasks' cgroups has to be passed down to them; where the kernel refuses, /proc is read.
function delegate(root: string): void {
  if (!tryTo(() => mkdirSync(join(root, sliceName), { recursive: true }))) return;
  for (const folder of [root, join(root, sliceName)]) {
    for (const name of ["memory", "cpu", "pids"]) {
      tryTo(() => writeFileSync(join(folder, "cgroup.subtree_control"), `+${name}`));
    }
  }
}

function pidsOf(folders: readonly string[]): number[] {
  const pids = folders.flatMap((folder) => textOf(join(folder, "cgroup.procs"))?.split("\n") ?? []);
  return [...new Set(pids.filter((pid) => pid !== "" && pid !== "0").map(Number))];
}

async function killAll(folders: readonly string[]): Promise<boolean> {
  const deadline = systemClock.monotonic() + killMilliseconds;
  for (;;) {
    for (const folder of folders) tryTo(() => writeFileSync(join(folder, "cgroup.kill"), "1", { flag: "r+" }));
    const pids = pidsOf(folders);
    if (pids.length === 0) return true;
    if (systemClock.monotonic() >= deadline) return false;
    for (const pid of pids) tryTo(() => process.kill(pid, "SIGKILL"));
    await systemClock.sleep(lookMilliseconds);
  }
}

const killMilliseconds = 5_000;
const lookMilliseconds = 10;

function removeGroup(folder: string): void {
  tryTo(() => rmdirSync(folder));
}

function readFirst(folders: readonly string[], file: string): string | undefined {
  for (const folder of folders) {
    const text = textOf(join(folder, file));
    if (text !== undefined) return text;
  }
  return undefined;
}

function sum(text: string | undefined, names: readonly string[]): number | undefined {
  if (text === undefined) return undefined;
  return names.reduce((total, name) => total + (numberOf(text, name) ?? 0), 0);
}

function numberOf(text: string | undefined, name: string): number | undefined {
  const line = text?.split("\n").find((line) => line.startsWith(`${name} `));
  return line === undefined ? undefined : Number(line.slice(name.length + 1));
}

function textOf(file: string): string | undefined {
  try {
    return existsSync(file) ? readFileSync(file, "utf8") : undefined;
  } catch {
    return undefined;
  }
}

// The kernel's refusals are answers here: no right to, not mounted for writing, gone meanwhile.
function tryTo(action: () => unknown): boolean {
  try {
    action();
    return true;
  } catch {
    return false;
  }
}
