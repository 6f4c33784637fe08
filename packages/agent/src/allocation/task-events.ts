import type { TaskEvent } from "@millwright/clients/nomad-node-protocol";
import { formatDuration } from "@millwright/text/duration";
import type { TaskExit } from "../driver/driver.ts";

/*
 * A task's story in Nomad's words: types, messages, and the names of details.
 * Source: Nomad's HTTP API, `/v1/allocation/:alloc_id`, and what `nomad alloc status` prints.
 */

/** How many of its events a task keeps. */
const keptEvents = 10;

type Details = Readonly<Record<string, string>>;

function event(at: number, type: string, message: string, details: Details = {}): TaskEvent {
  return { Type: type, Time: at, DisplayMessage: message, Details: details };
}

export const taskEvents = {
  received: (at: number) => event(at, "Received", "Task received by client"),
  setup: (at: number, message: string) => event(at, "Task Setup", message, { message }),
  setupFailure: (at: number, error: string) => event(at, "Setup Failure", error, { setup_error: error }),
  driverMessage: (at: number, message: string) => event(at, "Driver", message, { driver_message: message }),
  driverFailure: (at: number, error: string) => event(at, "Driver Failure", error, { driver_error: error }),
  downloading: (at: number) => event(at, "Downloading Artifacts", "Client is downloading artifacts"),
  downloadFailed: (at: number, error: string) =>
    event(at, "Failed Artifact Download", error, { download_error: error, fails_task: "false" }),
  template: (at: number, message: string) => event(at, "Template", message, { message }),
  started: (at: number) => event(at, "Started", "Task started by client"),
  terminated: (exit: TaskExit) => event(exit.at, "Terminated", exitMessage(exit), exitDetails(exit)),
  restarting: (at: number, reason: string, after: number) => {
    const wait = durationOf(after);
    const message = reason === "" ? `Task restarting in ${wait}` : `${reason} - Task restarting in ${wait}`;
    return event(at, "Restarting", message, { restart_reason: reason, start_delay: nanosecondsOf(after) });
  },
  notRestarting: (at: number, reason: string) =>
    event(at, "Not Restarting", reason, { restart_reason: reason, fails_task: "true" }),
  restartSignaled: (at: number, reason: string) => event(at, "Restart Signaled", reason, { restart_reason: reason }),
  signaling: (at: number, signal: string, reason: string) => {
    const message = `Task being sent signal ${signal}${reason === "" ? "" : `: ${reason}`}`;
    return event(at, "Signaling", message, { task_signal: signal, task_signal_reason: reason });
  },
  killing: (at: number, timeout: number) => {
    const message = `Sent interrupt. Waiting ${durationOf(timeout)} before force killing`;
    return event(at, "Killing", message, { kill_timeout: durationOf(timeout) });
  },
  killed: (at: number) => event(at, "Killed", "Task successfully killed"),
  siblingFailed: (at: number, sibling: string) =>
    event(at, "Sibling Task Failed", `Task's sibling ${JSON.stringify(sibling)} failed`, { failed_sibling: sibling }),
  leaderDead: (at: number) => event(at, "Leader Task Dead", "Leader Task in Group dead"),
  mainDead: (at: number) => event(at, "Main Tasks Dead", "Main tasks in the group died"),
  shutdownDelay: (at: number, delay: number) => {
    const message = `Waiting for shutdown_delay of ${durationOf(delay)} before killing the task.`;
    return event(at, "Waiting for shutdown delay", message);
  },
  unhealthy: (at: number, message: string) => event(at, "Alloc Unhealthy", message, { message }),
  restoreFailed: (at: number, message: string) => event(at, "Restore Failed", message, { message }),
} as const;

/** The events with one more, the last {@link keptEvents} of them. */
export function withEvent(events: readonly TaskEvent[], added: TaskEvent): readonly TaskEvent[] {
  return [...events, added].slice(-keptEvents);
}

function exitMessage({ exitCode, signal, oomKilled, lost }: TaskExit): string {
  const why = oomKilled ? "OOM Killed" : lost;
  return [
    `Exit Code: ${exitCode}`,
    ...(signal === 0 ? [] : [`Signal: ${signal}`]),
    ...(why === "" ? [] : [`Exit Message: ${JSON.stringify(why)}`]),
  ].join(", ");
}

function exitDetails({ exitCode, signal, oomKilled, lost }: TaskExit): Details {
  return {
    exit_code: String(exitCode),
    signal: String(signal),
    oom_killed: String(oomKilled),
    ...(oomKilled || lost !== "" ? { exit_message: oomKilled ? "OOM Killed" : lost } : {}),
  };
}

function nanosecondsOf(milliseconds: number): string {
  return String(Math.round(milliseconds * 1_000_000));
}

function durationOf(milliseconds: number): string {
  return formatDuration(BigInt(nanosecondsOf(milliseconds)));
}
