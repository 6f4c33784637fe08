import { quote } from "@millwright/text/quote";
import type { Job, JobDraft, JobType, MigrateDraft, TaskGroupDraft, UpdateDraft } from "./job.ts";
import { jobShape } from "./job.ts";
import { hour, minute, second } from "./nanoseconds.ts";
import type { NetworkDraft } from "./resources.ts";
import type { CheckDraft, ServiceDraft } from "./service.ts";
import { filled, merged } from "./shape.ts";
import type { RescheduleDraft, RestartDraft, TaskDraft } from "./task.ts";

/**
 * A job with nothing left open, as registering makes it. The tables say what stands where nobody says otherwise; here is
 * what depends on the type of the job, and what goes down from the job to its groups, from a group to its tasks, and from a
 * service to its checks. A canonical job stays as it is.
 */
export function canonical(draft: JobDraft): Job {
  const id = draft.id ?? "";
  const name = draft.name || id;
  const type = (draft.type || "service") as JobType;
  const update = isEmpty(draft.update) ? null : draft.update;
  const around = { ...draft, id, name, type, update };
  return filled(jobShape, {
    ...around,
    datacenters: draft.datacenters?.length ? draft.datacenters : ["*"],
    groups: (draft.groups ?? []).map((group) => canonicalGroup(group, around)),
  });
}

/** Old servers write a strategy of zeros where there is none. */
function isEmpty(update: UpdateDraft | null | undefined): boolean {
  return !update || (Object.keys(update).length > 0 && Object.values(update).every((value) => !value));
}

/** A job as far as its groups need it. */
interface Around extends JobDraft {
  readonly name: string;
  readonly type: JobType;
}

function canonicalGroup(group: TaskGroupDraft, job: Around): TaskGroupDraft {
  const restart = merged(restartByType(job.type), group.restart)!;
  const name = group.name ?? "";
  const count = group.count ?? group.scaling?.min ?? 1;
  return {
    ...group,
    count,
    scaling: group.scaling && { ...group.scaling, min: group.scaling.min ?? count },
    restart,
    reschedule: rescheduleOf(group, job),
    update: updateOf(group, job),
    migrate: migrateOf(group, job),
    networks: (group.networks ?? []).map(canonicalNetwork),
    services: (group.services ?? []).map((service) => canonicalService(service, { job: job.name, group: name })),
    tasks: (group.tasks ?? []).map((task) => canonicalTask(task, { job: job.name, group: name, restart })),
  };
}

function restartByType(type: JobType): RestartDraft {
  const isLong = type === "service" || type === "system";
  return { attempts: isLong ? 2 : 3, interval: isLong ? 30 * minute : 24 * hour, delay: 15 * second, mode: "fail" };
}

function rescheduleOf(group: TaskGroupDraft, job: Around): RescheduleDraft | null {
  if (job.type === "system" || job.type === "sysbatch") return group.reschedule ?? null;
  const byType: RescheduleDraft =
    job.type === "service"
      ? { delay: 30 * second, delayFunction: "exponential", maxDelay: hour, unlimited: true }
      : { attempts: 1, interval: 24 * hour, delay: 5 * second, delayFunction: "constant", unlimited: false };
  return merged(merged(byType, job.reschedule), group.reschedule)!;
}

/** Batch jobs run to their end and have no updates; a strategy that somebody wrote there stays, to be refused. */
function updateOf(group: TaskGroupDraft, job: Around): UpdateDraft | null {
  const said = merged(job.update, group.update);
  if (said) return said;
  return job.type === "service" || job.type === "system" ? {} : null;
}

function migrateOf(group: TaskGroupDraft, job: Around): MigrateDraft | null {
  return merged(job.migrate, group.migrate) ?? (job.type === "service" ? {} : null);
}

/** Ports with a number of their own are reserved, whatever list they were written in. */
function canonicalNetwork(network: NetworkDraft): NetworkDraft {
  const ports = [...(network.reservedPorts ?? []), ...(network.dynamicPorts ?? [])];
  return {
    ...network,
    reservedPorts: ports.filter(({ value }) => (value ?? 0) !== 0),
    dynamicPorts: ports.filter(({ value }) => (value ?? 0) === 0),
  };
}

interface AroundTask {
  readonly job: string;
  readonly group: string;
  readonly restart: RestartDraft;
}

function canonicalTask(task: TaskDraft, { job, group, restart }: AroundTask): TaskDraft {
  const { resources, vault } = task;
  return {
    ...task,
    restart: merged(restart, task.restart),
    resources: {
      ...resources,
      // Whole cores are asked for instead of a share of MHz.
      cpu: resources?.cpu ?? ((resources?.cores ?? 0) > 0 ? 0 : 100),
      networks: (resources?.networks ?? []).map(canonicalNetwork),
    },
    vault: vault && { ...vault, changeSignal: vault.changeSignal?.toUpperCase() },
    templates: (task.templates ?? []).map((template) => ({
      ...template,
      changeSignal: template.changeSignal?.toUpperCase(),
    })),
    services: (task.services ?? []).map((service) => canonicalService(service, { job, group, task: task.name ?? "" })),
  };
}

/** Where a service belongs. */
interface Owner {
  readonly job: string;
  readonly group: string;
  readonly task?: string;
}

function canonicalService(service: ServiceDraft, owner: Owner): ServiceDraft {
  const { job, group, task } = owner;
  const name = withOwner(service.name || [job, group, ...(task === undefined ? [] : [task])].join("-"), owner);
  const onUpdate = service.onUpdate || "require_healthy";
  const taskName = service.task || (task ?? "");
  return {
    ...service,
    name,
    onUpdate,
    task: taskName,
    provider: service.provider || undefined,
    addressMode: service.addressMode || undefined,
    checks: (service.checks ?? []).map(
      (check): CheckDraft => ({
        ...check,
        name: check.name || `service: ${quote(name)} check`,
        task: check.task || taskName,
        onUpdate: check.onUpdate || onUpdate,
        checkRestart: merged(service.checkRestart, check.checkRestart),
      }),
    ),
  };
}

/** A service's name with the names of 2016 replaced: `${JOB}`, `${TASKGROUP}`, `${TASK}` and `${BASE}`, all three joined. */
function withOwner(name: string, { job, group, task = "group" }: Owner): string {
  const known = new Map([
    ["JOB", job],
    ["TASKGROUP", group],
    ["TASK", task],
    ["BASE", `${job}-${group}-${task}`],
  ]);
  return name.replaceAll(/\$\{(\w+)\}|\$(\w+)/g, (all, braced, bare) => known.get(braced ?? bare) ?? all);
}
