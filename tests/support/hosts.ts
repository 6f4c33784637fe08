import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { threadId } from "node:worker_threads";
import { type Outcome, textOf } from "./commands.ts";

/** A machine, as far as the network goes: a namespace with an address of its own on a wire that all hosts share. */
export interface Host {
  readonly name: string;
  readonly address: string;
  /** Starts a program on it; what it mounts is gone with it. */
  spawn(program: string, args: readonly string[], options: Surroundings): ChildProcess;
  /** The same among this machine's own mounts, as an engine for containers needs. */
  spawnAmongMounts(program: string, args: readonly string[], options: Surroundings): ChildProcess;
  /** Pulls its cable, or puts it back. */
  setCable(isIn: boolean): void;
  /** Ends every process on it at once, as a power cut does. */
  kill(): void;
}

interface Surroundings {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
}

export interface Hosts {
  readonly hosts: readonly Host[];
  close(): Promise<void>;
}

/** Makes hosts that reach each other and nothing else. Takes root, and the program `ip` (Debian: iproute2). */
export async function makeHosts(count: number): Promise<Hosts> {
  // Test files run side by side in threads of one process; a name of an interface has 15 letters.
  const tag = `mw${process.pid % 1_000}t${threadId % 1_000}`;
  const names = Array.from({ length: count }, (_, i) => `${tag}n${i}`);
  const bridge = `${tag}br`;
  const remove = () => {
    for (const name of names) spawnSync("ip", ["netns", "delete", name]);
    spawnSync("ip", ["link", "delete", bridge]);
  };
  try {
    ip("link", "add", bridge, "type", "bridge");
    ip("link", "set", bridge, "up");
    names.forEach((name, i) => plug(name, bridge, addressOf(i)));
  } catch (error) {
    remove();
    throw error;
  }
  const hosts = names.map((name, i) => hostAt(name, addressOf(i)));
  const close = async () => {
    for (const host of hosts) host.kill();
    // The kernel takes a moment to let go of the namespaces' last processes.
    await new Promise((resolve) => setTimeout(resolve, 200));
    remove();
  };
  return { hosts, close };
}

function addressOf(i: number): string {
  return `10.213.77.${i + 1}`;
}

function plug(name: string, bridge: string, address: string): void {
  ip("netns", "add", name);
  ip("link", "add", `${name}a`, "type", "veth", "peer", "name", `${name}b`);
  ip("link", "set", `${name}a`, "master", bridge, "up");
  ip("link", "set", `${name}b`, "netns", name);
  ip("-n", name, "link", "set", "lo", "up");
  ip("-n", name, "address", "add", `${address}/24`, "dev", `${name}b`);
  ip("-n", name, "link", "set", `${name}b`, "up");
}

function hostAt(name: string, address: string): Host {
  return {
    name,
    address,
    spawn: (program, args, options) =>
      spawn("ip", ["netns", "exec", name, program, ...args], { ...options, stdio: ["ignore", "pipe", "pipe"] }),
    spawnAmongMounts: (program, args, options) =>
      spawn("nsenter", [`--net=/var/run/netns/${name}`, program, ...args], {
        ...options,
        stdio: ["ignore", "pipe", "pipe"],
      }),
    setCable: (isIn) => ip("link", "set", `${name}a`, isIn ? "up" : "down"),
    kill: () => {
      // What is ended may start something in its last moment.
      for (let look = 0; look < 3; look++) for (const pid of processesIn(name)) end(pid);
    },
  };
}

function processesIn(name: string): readonly number[] {
  const { stdout } = spawnSync("ip", ["netns", "pids", name], { encoding: "utf8" });
  return stdout.split("\n").filter(Boolean).map(Number);
}

function end(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}

/** How many processes of a host have a command line that begins so. */
export function countOn(host: Host, beginning: string): number {
  return processesIn(host.name).filter((pid) => commandLine(pid).startsWith(beginning)).length;
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    return ""; // It has ended.
  }
}

function ip(...args: readonly string[]): void {
  const { status, stderr, error } = spawnSync("ip", args, { encoding: "utf8" });
  if (status === 0) return;
  const why = error?.message ?? stderr.trim();
  throw new Error(`ip ${args.join(" ")}: ${why}. This test takes root, and the program ip (Debian: iproute2).`);
}

/** What a program has said when it has said this; rejects where it ends before. */
export async function saying(child: ChildProcess, what: string): Promise<string> {
  let said = "";
  const heard = Promise.withResolvers<string>();
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (piece) => {
      said += String(piece);
      if (said.includes(what)) heard.resolve(said);
    });
  void once(child, "close").then(() => heard.reject(new Error(`It ended before it said ${what}:\n${said}`)));
  return heard.promise;
}

/** How a program ended, and what it said. */
export async function outcomeOf(child: ChildProcess): Promise<Outcome> {
  const [out, err] = [textOf(child.stdout), textOf(child.stderr)];
  const [status] = (await once(child, "close")) as [number | null];
  return { code: status ?? 128, out: await out, err: await err };
}
