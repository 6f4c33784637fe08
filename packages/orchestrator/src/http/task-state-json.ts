import type { TaskEvent, TaskState } from "@millwright/clients/nomad-node-protocol";
import { nanoseconds, timeJson } from "./json-values.ts";

/** How a task is and what happened to it, as its node said it. */
export function taskStateJson(state: TaskState): object {
  return {
    State: state.State,
    Failed: state.Failed,
    Restarts: state.Restarts,
    LastRestart: timeJson(state.LastRestart),
    StartedAt: timeJson(state.StartedAt),
    FinishedAt: timeJson(state.FinishedAt),
    Events: state.Events.map(taskEventJson),
    TaskHandle: null,
  };
}

/** The fields beside `Details` are those of old clients, which read nothing else. */
function taskEventJson({ Type, Time, DisplayMessage, Details }: TaskEvent): object {
  const whole = (name: string) => Number.parseInt(Details[name] ?? "", 10) || 0;
  const said = (name: string) => Details[name] ?? "";
  return {
    Type,
    Time: nanoseconds(Time),
    Message: said("message"),
    DisplayMessage,
    Details,
    FailsTask: said("fails_task") === "true",
    RestartReason: said("restart_reason"),
    SetupError: said("setup_error"),
    DriverError: said("driver_error"),
    DriverMessage: said("driver_message"),
    ExitCode: whole("exit_code"),
    Signal: whole("signal"),
    KillTimeout: 0,
    KillError: said("kill_error"),
    KillReason: said("kill_reason"),
    StartDelay: whole("start_delay"),
    DownloadError: said("download_error"),
    ValidationError: said("validation_error"),
    DiskLimit: whole("disk_limit"),
    FailedSibling: said("failed_sibling"),
    VaultError: said("vault_renewal_error"),
    TaskSignalReason: said("task_signal_reason"),
    TaskSignal: said("task_signal"),
    GenericSource: "",
  };
}
