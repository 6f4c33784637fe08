import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { OperationalError } from "@millwright/core/errors";
import { systemClock } from "@millwright/core/ports";
import { findProcess } from "@millwright/process/found-process";
import { formatIdentity, parseIdentity } from "@millwright/process/identity";
import { startProcess } from "@millwright/process/process";
import type { CommandIo } from "../io.ts";

/** One of the processes that `dev` runs. */
export interface DevPart {
  readonly name: "server" | "agent";
  /** The folder of `dev`; the part keeps its data in the folder of its name below it. */
  readonly folder: string;
  /** The command line behind the program's name. */
  readonly args: readonly string[];
  /** How long it may take to end. */
  readonly graceMilliseconds?: number;
}

/** A part that runs, started now or found. */
export interface RunningPart {
  readonly part: DevPart;
  readonly name: string;
  readonly pid: number;
  readonly addresses: Addresses;
  /** Resolves when it has ended; rejects at the abort. */
  gone(signal: AbortSignal): Promise<void>;
  /** Stops it, and resolves when it has ended. */
  end(): Promise<void>;
  /** The end of its log. */
  lastLines(): Promise<string>;
}

/** `host:port` of each listener. */
export interface Addresses {
  readonly http: readonly string[];
  readonly vault: readonly string[];
  readonly nomad: readonly string[];
  readonly dns: readonly string[];
}

const startMilliseconds = 20_000;
const usualGrace = 15_000;

const partErrors = {
  notStarted: { code: "DEV_NOT_STARTED", status: 500, retryable: false },
} as const;

/** The process of an earlier `dev`, where it still runs; one that is just starting is waited for. */
export async function findPart(part: DevPart): Promise<RunningPart | undefined> {
  const text = await readFile(pidFile(part), "utf8").catch(() => "");
  const identity = parseIdentity(text);
  const found = identity && findProcess(identity);
  if (!found) return undefined;
  const addresses = await addressesSoon(part, found.pid, () => found.isAlive());
  return found.isAlive() ? runningPart(part, found.pid, addresses ?? noAddresses) : undefined;
}

/** Starts a part, and waits until it answers. Rejects with what its log says where it does not. */
export async function startPart(part: DevPart, io: CommandIo): Promise<RunningPart> {
  const log = logFile(part);
  await mkdir(join(part.folder, "logs"), { recursive: true, mode: 0o700 });
  await writeFile(join(part.folder, ".gitignore"), "*\n");
  const started = await startProcess({
    command: { kind: "program", argv: [process.execPath, ...littleMemory, program, ...part.args] },
    env: io.env,
    cwd: io.cwd,
    stdin: "ignore",
    output: { kind: "files", stdout: log, stderr: log },
    group: "own",
    lifetime: "independent",
  });
  const { pid, identity } = started;
  if (identity) await writeFile(pidFile(part), `${formatIdentity(identity)}\n`, { mode: 0o600 });
  const addresses = await addressesSoon(part, pid, () => started.state.kind === "running" && !io.signal.aborted);
  if (addresses) return runningPart(part, pid, addresses);
  await started.end({ signal: "SIGTERM", graceMilliseconds: usualGrace });
  const said = await lastLines(log);
  // The parts have flags of their own: dev's are what the user can give.
  const advice = said.includes("Cannot listen")
    ? "\nFlags of dev for ports: -free-ports, -http-port, -dns-port, -vault-port, -nomad-port, -server-port."
    : "";
  const text = `The ${part.name} did not start. Its log (${log}) ends with:\n${said}${advice}`;
  throw new OperationalError(partErrors.notStarted, text);
}

function runningPart(part: DevPart, pid: number, addresses: Addresses): RunningPart {
  const find = async () => {
    const identity = parseIdentity(await readFile(pidFile(part), "utf8").catch(() => ""));
    return identity && findProcess(identity);
  };
  return {
    part,
    name: part.name,
    pid,
    addresses,
    gone: async (signal) => (await find())?.gone(signal),
    end: async () =>
      (await find())?.end({ signal: "SIGTERM", graceMilliseconds: part.graceMilliseconds ?? usualGrace }),
    lastLines: () => lastLines(logFile(part)),
  };
}

// Where a process answers, as soon as it does; undefined where it does not in time.
async function addressesSoon(part: DevPart, pid: number, goesOn: () => boolean): Promise<Addresses | undefined> {
  const giveUp = systemClock.monotonic() + startMilliseconds;
  while (goesOn() && systemClock.monotonic() < giveUp) {
    const addresses = await addressesOf(part, pid);
    if (addresses.http.length > 0) return addresses;
    await systemClock.sleep(30);
  }
  return undefined;
}

/** Of a part that has not said them. */
export const noAddresses: Addresses = { http: [], vault: [], nomad: [], dns: [] };

async function addressesOf(part: DevPart, pid: number): Promise<Addresses> {
  const text = await readFile(join(part.folder, part.name, "running.json"), "utf8").catch(() => "");
  if (text === "") return noAddresses;
  try {
    const running = JSON.parse(text) as Partial<Addresses> & { readonly pid?: number };
    return running.pid === pid ? { ...noAddresses, ...running } : noAddresses;
  } catch {
    // It is being written: the next look finds it whole.
    return noAddresses;
  }
}

async function lastLines(file: string): Promise<string> {
  const text = await readFile(file, "utf8").catch(() => "");
  return text
    .trimEnd()
    .split("\n")
    .slice(-8)
    .map((line) => `  ${line}`)
    .join("\n");
}

function logFile({ folder, name }: DevPart): string {
  return join(folder, "logs", `${name}.log`);
}

function pidFile({ folder, name }: DevPart): string {
  return join(folder, `${name}.pid`);
}

const program = fileURLToPath(new URL("../main.mjs", import.meta.url));

// New objects have 2 MiB before they are looked through, and not 16, which fill up at the start and stay taken. Under load
// that costs processor time; on a developer's machine each megabyte counts for more.
const littleMemory = ["--max-semi-space-size=2"];
