import type { Diagnostic } from "@millwright/core/diagnostics";
import type { SourceRange } from "@millwright/core/source";
import type { Rule } from "./findings.ts";
import { checkRules, Findings } from "./findings.ts";
import type { JobPart } from "./job-part.ts";
import type { Job, TaskGroup } from "./job.ts";
import { jobTypes } from "./job.ts";
import type { Network } from "./resources.ts";
import {
  checkAffinities,
  checkConstraints,
  checkSpreads,
  rescheduleRules,
  restartRules,
  updateRules,
} from "./validate-policies.ts";
import { checkGates } from "./validate-gates.ts";
import { checkServices } from "./validate-service.ts";
import { checkTask } from "./validate-task.ts";

/**
 * What is wrong with a canonical job, in Nomad's words and with what to do. `places` are those of the job's source, where
 * there is one: each finding points to the job, group or task that it belongs to.
 */
export function validate(job: Job, places: ReadonlyMap<string, SourceRange> = new Map()): readonly Diagnostic[] {
  const findings = new Findings(places);
  checkRules(job, jobRules, [], findings);
  checkConstraints(job.constraints, [], findings);
  checkAffinities(job.affinities, [], findings);
  checkSpreads(job.spreads, [], findings);
  tellRedefined(job.groups, "Job task group", "group", [], findings);
  checkGates(job, findings);
  for (const group of job.groups) checkGroup(group, job, findings);
  return findings.diagnostics;
}

const isBatch = ({ type }: Job): boolean => type === "batch" || type === "sysbatch";
const isSystem = ({ type }: Job): boolean => type === "system" || type === "sysbatch";

const jobRules: readonly Rule<Job>[] = [
  [({ region }) => region !== "", () => "Missing job region", 'Write region = "global".'],
  [({ id }) => id !== "", () => "Missing job ID", 'Name the job: job "name" { … }.'],
  [({ id }) => !id.includes(" "), () => "Job ID contains a space", "Write an id without spaces."],
  [({ id }) => !id.includes("\0"), () => "Job ID contains a null character", "Write an id without it."],
  [({ namespace }) => namespace !== "", () => "Job must be in a namespace", 'Write namespace = "default".'],
  [
    ({ type }) => jobTypes.includes(type),
    ({ type }) => `Invalid job type: ${JSON.stringify(type)}`,
    `Write one of ${jobTypes.join(", ")}.`,
  ],
  [
    ({ priority }) => priority >= 1 && priority <= 100,
    () => "Job priority must be between [1, 100]",
    "Write a priority from 1 to 100; 50 is the usual one.",
  ],
  [
    ({ datacenters }) => !datacenters.includes(""),
    () => "Job datacenter must be non-empty string",
    "Name the datacenter, or leave datacenters out for all.",
  ],
  [({ groups }) => groups.length > 0, () => "Missing job task groups", "Write a group with a task, or a task alone."],
  [
    (job) => !isSystem(job) || [job, ...job.groups].every(({ affinities }) => affinities.length === 0),
    () => "System jobs may not have an affinity block",
    "They run on every node that fits: write a constraint instead.",
  ],
  [
    (job) => !isSystem(job) || [job, ...job.groups].every(({ spreads }) => spreads.length === 0),
    () => "System jobs may not have a spread block",
    "They run on every node that fits: take it away.",
  ],
  [
    (job) => job.periodic === null || isBatch(job),
    () => 'Periodic can only be used with "batch" or "sysbatch" scheduler',
    'Write type = "batch", or take the periodic block away.',
  ],
  [
    ({ periodic }) => !periodic || periodic.spec !== "" || periodic.specs.length > 0,
    () => "Must specify a spec",
    'Say when it runs: cron = "*/15 * * * *".',
  ],
  [
    ({ periodic }) => !periodic || [periodic.spec, ...periodic.specs].every((spec) => spec === "" || isCron(spec)),
    ({ periodic }) =>
      `Invalid cron spec ${JSON.stringify([periodic!.spec, ...periodic!.specs].find((spec) => spec !== "" && !isCron(spec)))}`,
    "Write five fields (minute, hour, day, month, weekday), or a name as @daily.",
  ],
  [
    (job) => job.parameterized === null || isBatch(job),
    () => 'Parameterized job can only be used with "batch" or "sysbatch" scheduler',
    'Write type = "batch", or take the parameterized block away.',
  ],
];

/** Whether a text has the fields of a cron expression; what is in them is checked when it is scheduled. */
function isCron(spec: string): boolean {
  if (/^@(yearly|annually|monthly|weekly|daily|midnight|hourly|every \S+)$/.test(spec)) return true;
  const fields = spec.trim().split(/\s+/);
  return fields.length >= 5 && fields.length <= 7 && fields.every((field) => /^[0-9A-Za-z*/,?#L-]+$/.test(field));
}

const groupRules: readonly Rule<TaskGroup>[] = [
  [({ name }) => name !== "", () => "Missing task group name", 'Name the group: group "name" { … }.'],
  [({ name }) => !name.includes("\0"), () => "Task group name contains null character", "Write a name without it."],
  [({ count }) => count >= 0, () => "Task group count can't be negative", "Write how many of it run."],
  [({ tasks }) => tasks.length > 0, () => "Missing tasks for task group", 'Write a task: task "name" { … }.'],
  [
    ({ ephemeralDisk: { size } }) => size >= 10,
    ({ ephemeralDisk: { size } }) => `minimum DiskMB value is 10; got ${size}`,
    "Write the size of ephemeral_disk in MiB.",
  ],
  [
    ({ tasks }) => tasks.filter(({ leader }) => leader).length <= 1,
    () => "Only one task may be marked as leader",
    "The end of the leader ends the others: mark one.",
  ],
  [
    (group) => logsOf(group) < group.ephemeralDisk.size,
    (group) =>
      `log storage (${logsOf(group)} MB) must be less than requested disk capacity (${group.ephemeralDisk.size} MB)`,
    "Keep fewer or smaller files in the logs blocks, or ask for a larger ephemeral_disk.",
  ],
  [
    ({ maxClientDisconnect, stopAfterClientDisconnect }) =>
      maxClientDisconnect === null || stopAfterClientDisconnect === null,
    () => "Task group cannot be configured with both max_client_disconnect and stop_after_client_disconnect",
    "Take one of the two away.",
  ],
  [
    ({ scaling, count }) => !scaling || (count >= (scaling.min ?? 0) && count <= (scaling.max ?? count)),
    () => "Scaling policy invalid: task group count must lie between its minimum and its maximum",
    "Write a count between min and max of the scaling block.",
  ],
];

function logsOf({ tasks }: TaskGroup): number {
  return tasks.reduce((sum, { logs }) => sum + (logs.disabled ? 0 : logs.maxFiles * logs.maxFileSize), 0);
}

function checkGroup(group: TaskGroup, job: Job, findings: Findings): void {
  const part: JobPart = [group.name];
  checkRules(group, groupRules, part, findings);
  checkOfType(group, job, findings);
  checkConstraints(group.constraints, part, findings);
  checkAffinities(group.affinities, part, findings);
  checkSpreads(group.spreads, part, findings);
  checkRules(group.restart, restartRules, part, findings);
  if (group.reschedule) checkRules(group.reschedule, rescheduleRules, part, findings);
  if (group.update) checkRules(group.update, updateRules, part, findings);
  tellRedefined(group.tasks, "Task", "task", part, findings);
  checkPorts(group, findings);
  const ofGroup = labelsOf(group.networks);
  checkServices(group.services, [ofGroup], part, findings);
  for (const task of group.tasks) {
    const place: JobPart = [group.name, task.name];
    checkTask(task, group, place, findings);
    checkServices(task.services, [ofGroup, labelsOf(task.resources.networks)], place, findings);
  }
}

/** What only some types of job may have. */
function checkOfType(group: TaskGroup, job: Job, findings: Findings): void {
  const { name, count, update, migrate, reschedule } = group;
  const type = JSON.stringify(job.type);
  if (isSystem(job) && count > 1) {
    const summary = `Job task group ${name} has count ${count}. Count cannot exceed 1 with system scheduler`;
    findings.refuse([name], summary, "It runs once on every node that fits: take the count away.");
  }
  if (isSystem(job) && reschedule) {
    const advice = "It runs on every node that fits, so there is nowhere else: take the reschedule block away.";
    findings.refuse([name], "System jobs should not have a reschedule policy", advice);
  }
  if (isBatch(job) && update) {
    const advice = "Work that ends by itself is not updated: take the update block away.";
    findings.refuse([name], `Job type ${type} does not allow update block`, advice);
  }
  if (job.type !== "service" && migrate) {
    const advice = "Only services are moved from a node that is drained: take the migrate block away.";
    findings.refuse([name], `Job type ${type} does not allow migrate block`, advice);
  }
  if (!isBatch(job) && !isSystem(job) && update && update.maxParallel > count && count > 0) {
    const summary = `Update max parallel count is greater than task group count (${update.maxParallel} > ${count})`;
    findings.warn([name], summary, "All of the group is replaced at once.");
  }
}

/** Names that stand twice; in a job file they were told with their places. */
function tellRedefined(
  named: readonly { readonly name: string }[],
  what: string,
  of: string,
  part: JobPart,
  findings: Findings,
): void {
  const seen = new Map<string, number>();
  for (const [i, { name }] of named.entries()) {
    const first = seen.get(name);
    if (first === undefined) seen.set(name, i + 1);
    else findings.refuse(part, `${what} ${i + 1} redefines '${name}' from ${of} ${first}`, "Write another name.");
  }
}

const highestPort = 65_535;

function checkPorts(group: TaskGroup, findings: Findings): void {
  const labels = new Map<string, string>();
  const numbers = new Map<string, string>();
  const networks = [
    ...group.networks.map((network) => ["taskgroup network", network] as const),
    ...group.tasks.flatMap(({ name, resources }) => resources.networks.map((network) => [name, network] as const)),
  ];
  for (const [owner, { reservedPorts, dynamicPorts }] of networks) {
    for (const { label, value, to, hostNetwork, ignoreCollision } of [...reservedPorts, ...dynamicPorts]) {
      const other = labels.get(label);
      if (other !== undefined) {
        findings.refuse([group.name], `Port label ${label} already in use by ${other}`, "Write another label.");
      }
      labels.set(label, owner);
      if (value > highestPort || value < 0) {
        const summary = `Port ${label} (${value}) cannot be greater than ${highestPort}`;
        findings.refuse([group.name], summary, `Write static as a number from 1 to ${highestPort}.`);
      }
      if (to < -1 || to > highestPort) {
        const summary = `Port ${JSON.stringify(label)} cannot be mapped to a port (${to}) greater than ${highestPort}`;
        findings.refuse([group.name], summary, `Write to as a number from 1 to ${highestPort}, or -1.`);
      }
      if (value === 0 || ignoreCollision) continue;
      const holder = numbers.get(`${hostNetwork}:${value}`);
      if (holder !== undefined) {
        const summary = `Static port ${value} already reserved by ${holder}`;
        findings.refuse([group.name], summary, "Write another number, or none for one that is chosen.");
      }
      numbers.set(`${hostNetwork}:${value}`, `${owner}:${label}`);
    }
  }
}

function labelsOf(networks: readonly Network[]): ReadonlySet<string> {
  return new Set(
    networks.flatMap(({ reservedPorts, dynamicPorts }) =>
      [...reservedPorts, ...dynamicPorts].map(({ label }) => label),
    ),
  );
}
