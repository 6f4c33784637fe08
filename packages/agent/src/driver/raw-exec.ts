import { constants, userInfo } from "node:os";
import { OperationalError } from "@millwright/core/errors";
import type { Json } from "@millwright/jobs/shape";
import { cgroupLayout, foreignJoinFiles } from "../task-process/cgroup.ts";
import { recordFolder } from "../task-process/record-folder.ts";
import {
  findTaskProcess,
  type SavedTaskProcess,
  startTaskProcess,
  type TaskProcess,
} from "../task-process/task-process.ts";
import { findTools, type Tools } from "../task-process/tools.ts";
import type { DriverFingerprint, SavedHandle, TaskDriver, TaskHandle, TaskLaunch } from "./driver.ts";
import { driverErrors } from "./errors.ts";
import { findCommand } from "./raw-exec-command.ts";
import { type RawExecConfig, readRawExecConfig, withoutDenied } from "./raw-exec-config.ts";
import { checkSteering, giveOutputs, userNamed } from "./raw-exec-user.ts";

export interface RawExecOptions {
  /** The node's name, for messages. */
  readonly node: string;
}

/**
 * Runs tasks as plain processes of the machine, without isolation: as the agent's user, or, where that is root, as the task's.
 * A task's parent is a shim, so that both outlive the agent. As root, a task has a cgroup of its own, by which also those of
 * its processes are found that left its session; its memory is counted and not limited. Of a task that ends with 130 or 141
 * it is said that SIGINT or SIGPIPE ended it, as a shell has it.
 */
export function rawExecDriver(options: RawExecOptions): TaskDriver {
  return {
    name: "raw_exec",
    fingerprint: () => Promise.resolve(fingerprint()),
    start: async (launch) => handleOf(await start(launch, options)),
    recover: (saved, launch) => {
      const known = savedOf(saved);
      const process = known && findTaskProcess(recordFolder(launch.folders.allocation, launch.task), known);
      return Promise.resolve(process && handleOf(process));
    },
  };
}

function fingerprint(): DriverFingerprint {
  const tools = findTools();
  const attributes = { "driver.raw_exec": "1", "driver.raw_exec.cgroup": cgroupLayout() };
  if (!("missing" in tools)) return { detected: true, healthy: true, description: "Healthy", attributes };
  return { detected: false, healthy: false, description: missingTools(tools.missing), attributes: {} };
}

async function start(launch: TaskLaunch, { node }: RawExecOptions): Promise<TaskProcess> {
  const tools = findTools();
  if ("missing" in tools) throw new OperationalError(driverErrors.missing, missingTools(tools.missing));
  const config = readRawExecConfig(launch.config);
  const env = withoutDenied(launch.env, config.deniedEnv);
  const cwd = config.workDir ?? launch.folders.task;
  const program = findCommand(config.command, { node, folder: launch.folders.task, cwd, path: env.PATH });
  const asUser = prefixFor(launch, tools);
  if (asUser.length > 0) checkSteering(env, process.env, launch.user);
  return startTaskProcess({
    folder: recordFolder(launch.folders.allocation, launch.task),
    output: launch.output,
    argv: [...asUser, program, ...config.args],
    env,
    cwd,
    tools: { ...tools, sh: shellFor(env, tools) },
    name: cgroupName(launch),
    joinFiles: overrides(config),
    oomScore: config.oomScore,
  });
}

function prefixFor(launch: TaskLaunch, { setpriv }: Tools): readonly string[] {
  const own = userInfo();
  if (launch.user === "" || launch.user === own.username) return [];
  const user = userNamed(launch.user);
  if (user.uid === own.uid) return [];
  if (own.uid !== 0) {
    const text = `The task is to run as user ${launch.user}, and the agent runs as ${own.username}, which may not start programs as somebody else. Remove the task's user, or run the agent as root.`;
    throw new OperationalError(driverErrors.configuration, text);
  }
  if (setpriv === undefined) {
    const text = `The task is to run as user ${launch.user}, for which the program setpriv (package util-linux) is needed on this node. Install it, or remove the task's user.`;
    throw new OperationalError(driverErrors.missing, text);
  }
  // A program may open its output anew by its name (/dev/stdout): it has to be its user's.
  giveOutputs(launch.output, user);
  return [setpriv, `--reuid=${user.uid}`, `--regid=${user.gid}`, "--init-groups", "--"];
}

// A name with a dot or a hyphen is one that a small shell does not pass on.
function shellFor(env: Readonly<Record<string, string>>, { sh, bash }: Tools): string {
  const odd = Object.keys(env).filter((name) => !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name));
  if (odd.length === 0) return sh;
  if (bash !== undefined) return bash;
  const text = `The environment has names that this node's shell does not pass on: ${odd.sort().join(", ")}. Use letters, digits and _ in them, or install the package bash.`;
  throw new OperationalError(driverErrors.configuration, text);
}

function handleOf(process: TaskProcess): TaskHandle {
  const { saved } = process;
  return {
    saved: { driver: "raw_exec", version: 1, ...saved },
    startedAt: saved.startedAt,
    ended: process.ended,
    signal: async (name) => process.signal(signalNamed(name)),
    stop: async ({ signal, timeoutMilliseconds }) => process.stop(signalNamed(signal), timeoutMilliseconds),
    stats: async () => process.stats(),
    destroy: () => process.destroy(),
  };
}

function overrides({ cgroupV2, cgroupV1 }: RawExecConfig): readonly string[] {
  const { files, missing } = foreignJoinFiles({ unified: cgroupV2, byController: cgroupV1 });
  if (missing.length === 0) return files;
  const text = `The task is to join cgroups that are not on this node, or that the agent may not add to: ${missing.join(", ")}. Make them there, or remove cgroup_v1_override and cgroup_v2_override.`;
  throw new OperationalError(driverErrors.configuration, text);
}

function cgroupName({ allocation, task }: TaskLaunch): string {
  return `${allocation}.${task}`.replaceAll(/[^A-Za-z0-9._-]/g, "_");
}

function signalNamed(name: string): NodeJS.Signals {
  const signal = Object.keys(constants.signals).find((known) => known === name);
  if (signal) return signal as NodeJS.Signals;
  throw new OperationalError(
    driverErrors.configuration,
    `This node knows no signal "${name}". Use a name such as SIGTERM or SIGINT.`,
  );
}

function savedOf({ run, shim, task, startedAt, cgroup, mark }: SavedHandle): SavedTaskProcess | undefined {
  if (typeof run !== "number" || typeof startedAt !== "number") return undefined;
  if (typeof shim !== "string" || typeof task !== "string" || typeof mark !== "string") return undefined;
  if (!Array.isArray(cgroup)) return undefined;
  return { run, shim, task, startedAt, cgroup: (cgroup as readonly Json[]).map(String), mark };
}

function missingTools(missing: readonly string[]): string {
  return `Tasks of raw_exec need programs that this node does not have: ${missing.join(", ")}. Install them.`;
}
