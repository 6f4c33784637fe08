import type { AllocationUpdate, ClientStatus, TaskEvent, TaskState } from "@millwright/clients/nomad-node-protocol";
import { WireFields, WireMistake } from "@millwright/text/wire-fields";

const clientStatuses: ReadonlySet<string> = new Set<ClientStatus>(["pending", "running", "complete", "failed", "lost"]);
const taskStates: ReadonlySet<string> = new Set<TaskState["State"]>(["pending", "running", "dead"]);
/** As many events of a task as are kept. */
const mostEvents = 10;

/** Reads what a node says of its allocations. Throws `WireMistake`. */
export function readUpdates(fields: WireFields): readonly AllocationUpdate[] {
  return fields.list("Updates").map((item) => readUpdate(new WireFields(item, "an update")));
}

function readUpdate(fields: WireFields): AllocationUpdate {
  const health = fields.has("Health") ? new WireFields(fields.raw("Health"), "an update's Health") : undefined;
  return {
    ID: fields.text("ID"),
    ClientStatus: oneOf<ClientStatus>(fields.text("ClientStatus"), clientStatuses, "ClientStatus"),
    ClientDescription: fields.text("ClientDescription"),
    TaskStates: readTasks(fields.raw("TaskStates")),
    Health: health ? { Healthy: health.flag("Healthy"), At: health.whole("At"), Why: health.text("Why") } : null,
  };
}

function readTasks(json: unknown): Readonly<Record<string, TaskState>> {
  const tasks = Object.entries((json ?? {}) as Readonly<Record<string, unknown>>);
  return Object.fromEntries(tasks.map(([name, value]) => [name, readTask(new WireFields(value, `the task ${name}`))]));
}

function readTask(fields: WireFields): TaskState {
  const events = fields.list("Events").slice(-mostEvents);
  return {
    State: oneOf<TaskState["State"]>(fields.text("State"), taskStates, "State"),
    Failed: fields.flag("Failed"),
    Restarts: fields.whole("Restarts"),
    LastRestart: fields.whole("LastRestart"),
    StartedAt: fields.whole("StartedAt"),
    FinishedAt: fields.whole("FinishedAt"),
    Events: events.map((item) => readEvent(new WireFields(item, "a task's event"))),
  };
}

function readEvent(fields: WireFields): TaskEvent {
  return {
    Type: fields.text("Type"),
    Time: fields.whole("Time"),
    DisplayMessage: fields.text("DisplayMessage"),
    Details: fields.map("Details"),
  };
}

function oneOf<T extends string>(value: string, known: ReadonlySet<string>, name: string): T {
  if (!known.has(value)) throw new WireMistake(`${name} cannot be ${JSON.stringify(value)}`);
  return value as T;
}
