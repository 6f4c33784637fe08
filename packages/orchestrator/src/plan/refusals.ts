import { type Diagnostic, errorDiagnostic, warningDiagnostic } from "@millwright/core/diagnostics";
import type { Job, TaskGroup } from "@millwright/jobs/job";
import type { Task } from "@millwright/jobs/task";

/**
 * What a job asks for that these servers and nodes do not have. What would make the job something else than it says is an error;
 * what it does without is a warning.
 */
export function refusals(job: Job, { runsCommands }: Allowed): readonly Diagnostic[] {
  return [
    ...found(runsCommands ? [] : commandRules, job, `job "${job.id}"`, "job"),
    ...found(jobRules, job, `job "${job.id}"`, "job"),
    ...job.groups.flatMap((group) => [
      ...found(groupRules, group, `group "${group.name}"`, `job.${group.name}`),
      ...group.tasks.flatMap((task) =>
        found(taskRules, task, `task "${task.name}" of group "${group.name}"`, `job.${group.name}.${task.name}`),
      ),
    ]),
  ];
}

/** What only some servers do. */
export interface Allowed {
  /** Whether commands of gates are run, as the server. */
  readonly runsCommands: boolean;
}

interface Rule<T> {
  readonly asks: (one: T) => boolean;
  /** In words that a user wrote. */
  readonly what: string;
  readonly instead: string;
  readonly isWarning?: true;
}

const jobRules: readonly Rule<Job>[] = [
  {
    asks: ({ periodic }) => periodic !== null,
    what: "periodic",
    instead: "Register it without the periodic block, and run it from a timer of the machine (`nomad job run`).",
  },
  {
    asks: ({ parameterized }) => parameterized !== null,
    what: "parameterized",
    instead: "Register a batch job for each run, with variables in its file (`-var`).",
  },
  {
    asks: ({ ui }) => ui !== null,
    what: "ui",
    instead: "It is kept and not shown anywhere.",
    isWarning: true,
  },
];

const commandRules: readonly Rule<Job>[] = [
  {
    asks: ({ gates }) => gates?.gates.some(({ kind }) => kind === "command") ?? false,
    what: "gate of the kind command",
    instead:
      "It would run a program as the server, which this one does not: write an http gate, or have its operator start it with -enable-gate-commands.",
  },
];

const groupRules: readonly Rule<TaskGroup>[] = [
  {
    asks: ({ volumes }) => volumes.length > 0,
    what: "volume",
    instead: "Write where the data lies in the task's own config, and keep the group on that node by a constraint.",
  },
  {
    asks: ({ networks }) => networks.some(({ mode }) => mode !== "" && mode !== "host"),
    what: "network mode",
    instead: 'Tasks share their node\'s network: take the mode away, or write mode = "host".',
  },
  {
    asks: ({ networks, tasks }) =>
      [...networks, ...tasks.flatMap(({ resources }) => resources.networks)].some(({ reservedPorts, dynamicPorts }) =>
        [...reservedPorts, ...dynamicPorts].some(({ hostNetwork }) => hostNetwork !== "default"),
      ),
    what: "host_network",
    instead: "Ports are those of the node's one address: take it away.",
  },
  {
    asks: ({ maxRunDuration }) => maxRunDuration !== null,
    what: "max_run_duration",
    instead: "Let the program end by itself, or start it by `timeout`.",
  },
  {
    asks: ({ disconnect, maxClientDisconnect, stopAfterClientDisconnect }) =>
      disconnect !== null || maxClientDisconnect !== null || stopAfterClientDisconnect !== null,
    what: "disconnect",
    instead: "What was on a node that is not heard of is lost and placed elsewhere: take the block away.",
  },
  {
    asks: ({ services, tasks }) =>
      [...services, ...tasks.flatMap((task) => task.services)].some(({ provider }) => provider === "nomad"),
    what: 'service provider "nomad"',
    instead:
      "Services are found in the catalog of the same servers, over DNS and Consul's API: take the provider away.",
  },
  {
    asks: ({ services, tasks }) =>
      [...services, ...tasks.flatMap((task) => task.services)].some(({ checks }) =>
        checks.some(({ type }) => type === "grpc"),
      ),
    what: 'check type "grpc"',
    instead: 'Write an "http" or "tcp" check.',
  },
  {
    asks: ({ services, tasks }) =>
      [...services, ...tasks].some(({ kind }) => kind !== "") ||
      tasks.some((task) => task.services.some(({ kind }) => kind !== "")),
    what: "connect",
    instead: "There is no service mesh: let tasks find each other by their services' names.",
  },
  {
    asks: ({ update }) => update?.healthCheck === "manual",
    what: 'health_check "manual"',
    instead: 'Allocations are healthy by their checks or their tasks: write "checks" or "task_states".',
  },
  {
    asks: ({ ephemeralDisk: { sticky, migrate } }) => sticky || migrate,
    what: "ephemeral_disk sticky and migrate",
    instead: "Every allocation begins with an empty disk.",
    isWarning: true,
  },
];

const taskRules: readonly Rule<Task>[] = [
  {
    asks: ({ volumeMounts }) => volumeMounts.length > 0,
    what: "volume_mount",
    instead: "Write where the data lies in the task's own config, and keep the group on that node by a constraint.",
  },
  {
    asks: ({ resources }) => resources.devices.length > 0,
    what: "device",
    instead: "Devices are not counted: choose nodes that have one by a constraint on their meta.",
  },
  {
    asks: ({ resources }) => resources.numa !== null,
    what: "numa",
    instead: "Cores are not tied to memory: take the block away.",
  },
  {
    asks: ({ logs }) => logs.disabled,
    what: "logs disabled",
    instead: "Output is kept all the same, in as many files as logs says.",
    isWarning: true,
  },
  {
    asks: ({ actions }) => actions.length > 0,
    what: "action",
    instead: "It is kept and cannot be run.",
    isWarning: true,
  },
];

function found<T>(rules: readonly Rule<T>[], one: T, where: string, address: string): Diagnostic[] {
  return rules
    .filter(({ asks }) => asks(one))
    .map(({ what, instead, isWarning }) => {
      const make = isWarning ? warningDiagnostic : errorDiagnostic;
      return make(`${capital(where)}: ${what} is not there`, instead, { code: "not-there", address });
    });
}

function capital(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}
