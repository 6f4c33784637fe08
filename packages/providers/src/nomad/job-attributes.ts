import type { JobRecord } from "@millwright/clients/nomad-records";
import { jobFromApi } from "@millwright/jobs/api";
import type { Constraint } from "@millwright/jobs/constraint";
import { durationText } from "@millwright/jobs/nanoseconds";
import type { Job, Periodic, TaskGroup, UpdateStrategy } from "@millwright/jobs/job";
import { bool, list, map, number, object, string } from "@millwright/provider/fields";

/* What is told of a job by itself: the same of one that is read from a server and of one that is planned. */

const updateStrategy = list(
  object({
    stagger: string,
    max_parallel: number,
    health_check: string,
    min_healthy_time: string,
    healthy_deadline: string,
    auto_revert: bool,
    canary: number,
  }),
);

const volumeMounts = list(object({ volume: string, destination: string, read_only: bool }));

/** The types of what {@link jobAttributes} tells. */
export const jobTypes = {
  constraints: list(object({ ltarget: string, rtarget: string, operand: string })),
  update_strategy: updateStrategy,
  periodic_config: list(
    object({ enabled: bool, spec: string, spec_type: string, prohibit_overlap: bool, timezone: string }),
  ),
  task_groups: list(
    object({
      name: string,
      count: number,
      update_strategy: updateStrategy,
      task: list(object({ name: string, driver: string, meta: map(string), volume_mounts: volumeMounts })),
      volumes: list(object({ name: string, type: string, read_only: bool, source: string })),
      meta: map(string),
    }),
  ),
};

/** What follows from what a job says, whoever has it. */
export function jobAttributes(job: Job) {
  return {
    // The registry's provider calls a job by its id here, too.
    name: job.id as string,
    type: job.type as string,
    priority: job.priority,
    all_at_once: job.allAtOnce,
    datacenters: job.datacenters,
    constraints: job.constraints.map(constraintOf),
    periodic_config: job.periodic ? [periodicOf(job.periodic)] : [],
    task_groups: job.groups.map(groupOf),
  };
}

/** What a server says of a job. */
export function serverAttributes(record: JobRecord) {
  const { value: job } = jobFromApi(record.Wire);
  return {
    ...jobAttributes(job),
    update_strategy: ownStrategyOf(record),
    namespace: record.Namespace || "default",
    region: record.Region,
    modify_index: String(record.JobModifyIndex),
    status: record.Status,
    status_description: record.StatusDescription,
    version: record.Version,
    submit_time: String(record.SubmitTime),
    create_index: record.CreateIndex,
    stop: record.Stop,
    parent_id: record.ParentID,
    stable: record.Stable,
  };
}

/** The job's own strategy as the server has it, which is of zeros where all is said by its groups. */
function ownStrategyOf({ Wire }: JobRecord) {
  const { Update } = Wire as { readonly Update?: Readonly<Record<string, string | number | boolean>> | null };
  if (!Update) return [];
  const { Stagger, MaxParallel, HealthCheck, MinHealthyTime, HealthyDeadline, AutoRevert, Canary } = Update;
  return [
    {
      stagger: durationText(Number(Stagger ?? 0)),
      max_parallel: Number(MaxParallel ?? 0),
      health_check: String(HealthCheck ?? ""),
      min_healthy_time: durationText(Number(MinHealthyTime ?? 0)),
      healthy_deadline: durationText(Number(HealthyDeadline ?? 0)),
      auto_revert: AutoRevert === true,
      canary: Number(Canary ?? 0),
    },
  ];
}

function constraintOf({ lTarget, rTarget, operand }: Constraint) {
  return { ltarget: lTarget, rtarget: rTarget, operand };
}

function periodicOf({ enabled, spec, specType, prohibitOverlap, timeZone }: Periodic) {
  return { enabled, spec, spec_type: specType, prohibit_overlap: prohibitOverlap, timezone: timeZone };
}

function strategyOf(update: UpdateStrategy) {
  return {
    stagger: durationText(update.stagger),
    max_parallel: update.maxParallel,
    health_check: update.healthCheck,
    min_healthy_time: durationText(update.minHealthyTime),
    healthy_deadline: durationText(update.healthyDeadline),
    auto_revert: update.autoRevert,
    canary: update.canary,
  };
}

function groupOf({ name, count, update, tasks, volumes, meta }: TaskGroup) {
  return {
    name,
    count,
    update_strategy: update ? [strategyOf(update)] : [],
    task: tasks.map((task) => ({
      name: task.name,
      driver: task.driver,
      meta: task.meta,
      volume_mounts: task.volumeMounts.map(({ volume, destination, readOnly }) => ({
        ...{ volume, destination, read_only: readOnly },
      })),
    })),
    volumes: volumes
      .map(({ name: volume, type, readOnly, source }) => ({ name: volume, type, read_only: readOnly, source }))
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
    meta,
  };
}
