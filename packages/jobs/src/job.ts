import { affinityShape, constraintShape, spreadShape } from "./constraint.ts";
import { gatesShape } from "./gates.ts";
import { minute, second } from "./nanoseconds.ts";
import { ephemeralDiskShape, networkShape, volumeShape } from "./resources.ts";
import { serviceShape } from "./service.ts";
import type { DraftOf, ValueOf } from "./shape.ts";
import {
  always,
  duration,
  flag,
  free,
  keyed,
  many,
  map,
  optional,
  optionalDuration,
  optionalWhole,
  shape,
  text,
  texts,
  whole,
} from "./shape.ts";
import { consulShape, disconnectShape, rescheduleShape, restartShape, taskShape } from "./task.ts";

/** The name that a job has in its namespace. */
export type JobId = string & { readonly __brand: "JobId" };

/** The id in a text that was checked to be one. */
export function jobId(checked: string): JobId {
  return checked as JobId;
}

export const jobTypes = ["service", "batch", "system", "sysbatch"] as const;
export type JobType = (typeof jobTypes)[number];

/** How a new version replaces the old one: so many at a time, each healthy before the next, `stagger` apart. */
export const updateShape = shape("Update", {
  stagger: duration(30 * second),
  maxParallel: whole(1),
  healthCheck: text("checks"),
  minHealthyTime: duration(10 * second),
  healthyDeadline: duration(5 * minute),
  progressDeadline: duration(10 * minute),
  canary: whole(),
  autoRevert: flag(),
  autoPromote: flag(),
});
export type UpdateStrategy = ValueOf<typeof updateShape>;
export type UpdateDraft = DraftOf<typeof updateShape>;

/** How allocations leave a node that is drained. */
export const migrateShape = shape("Migrate", {
  maxParallel: whole(1),
  healthCheck: text("checks"),
  minHealthyTime: duration(10 * second),
  healthyDeadline: duration(5 * minute),
});
export type MigrateDraft = DraftOf<typeof migrateShape>;

const scalingShape = shape("Scaling", {
  enabled: flag(true),
  type: text("horizontal"),
  min: optionalWhole(),
  max: optionalWhole({ required: true }),
  policy: free(),
});

/** Tasks that run together on one node, `count` times. */
export const groupShape = shape(
  "TaskGroup",
  {
    name: text("", { language: null, outOfDiff: true }),
    count: whole(1),
    constraints: many(constraintShape, { language: "constraint" }),
    affinities: many(affinityShape, { language: "affinity" }),
    spreads: many(spreadShape, { language: "spread" }),
    restart: always(restartShape, { api: "RestartPolicy" }),
    reschedule: optional(rescheduleShape, { api: "ReschedulePolicy" }),
    ephemeralDisk: always(ephemeralDiskShape),
    consul: optional(consulShape),
    update: optional(updateShape),
    migrate: optional(migrateShape),
    disconnect: optional(disconnectShape),
    networks: many(networkShape, { language: "network" }),
    scaling: optional(scalingShape),
    services: many(serviceShape, { language: "service" }),
    volumes: keyed(volumeShape, { language: "volume" }),
    meta: map(),
    shutdownDelay: optionalDuration(),
    maxRunDuration: optionalDuration(),
    stopAfterClientDisconnect: optionalDuration(),
    maxClientDisconnect: optionalDuration(),
    preventRescheduleOnLost: flag(),
    tasks: many(taskShape, { language: "task" }),
  },
  "name",
);
export type TaskGroup = ValueOf<typeof groupShape>;
export type TaskGroupDraft = DraftOf<typeof groupShape>;

/** When a batch job is started again and again. `spec` is a cron expression, `specs` several. */
export const periodicShape = shape("Periodic", {
  enabled: flag(true),
  spec: text("", { language: "cron" }),
  specs: texts({ language: "crons" }),
  specType: text("cron", { language: null }),
  prohibitOverlap: flag(),
  timeZone: text("UTC"),
});
export type Periodic = ValueOf<typeof periodicShape>;

/** What a batch job is dispatched with. */
export const parameterizedShape = shape("ParameterizedJob", {
  payload: text("optional"),
  metaRequired: texts(),
  metaOptional: texts(),
});

const linkShape = shape("Link", { label: text(), url: text() });
const uiShape = shape("UI", { description: text(), links: many(linkShape, { language: "link" }) });

/** What shall run, and how: the whole that is registered, planned and diffed. */
export const jobShape = shape(
  "Job",
  {
    id: text<JobId>("", { api: "ID", outOfDiff: true }),
    name: text(),
    type: text<JobType>("service"),
    priority: whole(50),
    region: text("global"),
    namespace: text("default"),
    allAtOnce: flag(),
    nodePool: text("default"),
    datacenters: texts(),
    constraints: many(constraintShape, { language: "constraint" }),
    affinities: many(affinityShape, { language: "affinity" }),
    spreads: many(spreadShape, { language: "spread" }),
    periodic: optional(periodicShape),
    parameterized: optional(parameterizedShape, { api: "ParameterizedJob" }),
    meta: map(),
    ui: optional(uiShape, { api: "UI" }),
    update: optional(updateShape, { outOfDiff: true }),
    reschedule: optional(rescheduleShape, { outOfDiff: true }),
    migrate: optional(migrateShape, { outOfDiff: true }),
    gates: optional(gatesShape, { language: null, isOwn: true }),
    groups: many(groupShape, { language: "group", api: "TaskGroups" }),
  },
  "id",
);
export type Job = ValueOf<typeof jobShape>;
export type JobDraft = DraftOf<typeof jobShape>;
