import {
  flag,
  listOf,
  mapOf,
  nanoseconds,
  nullable,
  object,
  oneOf,
  record,
  text,
  texts,
  type WireOf,
  number,
} from "./nomad-wire.ts";

/*
 * The records of Nomad's HTTP API, with its own names: a table each, from which the type is taken. Moments are nanoseconds
 * since 1970 where they are a bigint, and texts of RFC 3339 where they are a text; durations are nanoseconds.
 */

const groupSummary = record({
  Queued: number,
  Complete: number,
  Failed: number,
  Running: number,
  Starting: number,
  Lost: number,
  Unknown: number,
});
export type GroupSummary = WireOf<typeof groupSummary>;

/** How many allocations of each group of a job are in which state; `Children` for one that makes jobs. */
export const jobSummary = record({
  JobID: text,
  Namespace: text,
  Summary: mapOf(groupSummary),
  Children: nullable(record({ Pending: number, Running: number, Dead: number })),
  CreateIndex: number,
  ModifyIndex: number,
});
export type JobSummary = WireOf<typeof jobSummary>;

const jobHead = {
  ID: text,
  ParentID: text,
  Name: text,
  Namespace: text,
  Datacenters: texts,
  NodePool: text,
  Type: text,
  Priority: number,
  Stop: flag,
  Status: text,
  StatusDescription: text,
  CreateIndex: number,
  ModifyIndex: number,
  JobModifyIndex: number,
  SubmitTime: nanoseconds,
  Version: number,
} as const;

/** A job in a list. */
export const jobListStub = record({
  ...jobHead,
  Periodic: flag,
  ParameterizedJob: flag,
  JobSummary: nullable(jobSummary),
});
export type JobListStub = WireOf<typeof jobListStub>;

const jobTask = record({
  Name: text,
  Driver: text,
  Lifecycle: nullable(record({ Hook: text, Sidecar: flag })),
});

const jobFields = record({
  ...jobHead,
  Region: text,
  Stable: flag,
  Dispatched: flag,
  Periodic: nullable(
    record({ Enabled: flag, Spec: text, Specs: texts, SpecType: text, TimeZone: text, ProhibitOverlap: flag }),
  ),
  ParameterizedJob: nullable(record({ Payload: text, MetaRequired: texts, MetaOptional: texts })),
  TaskGroups: listOf(record({ Name: text, Count: number, Tasks: listOf(jobTask) })),
});

/** What the server says of a job. The number, as it came, is `Wire`: `@millwright/jobs/api` reads it. */
export type JobRecord = WireOf<typeof jobFields> & { readonly Wire: Readonly<Record<string, unknown>> };

export function jobRecord(wire: unknown, what: string): JobRecord {
  return { ...jobFields(wire, what), Wire: object(wire, what) };
}

/** What a scheduler saw when it looked for a node. */
const allocationMetric = record({
  NodesEvaluated: number,
  NodesFiltered: number,
  NodesInPool: number,
  NodesAvailable: mapOf(number),
  ClassFiltered: mapOf(number),
  ConstraintFiltered: mapOf(number),
  NodesExhausted: number,
  ClassExhausted: mapOf(number),
  DimensionExhausted: mapOf(number),
  QuotaExhausted: texts,
  ScoreMetaData: listOf(record({ NodeID: text, NormScore: number, Scores: mapOf(number) })),
  AllocationTime: number,
  CoalescedFailures: number,
});
export type AllocationMetric = WireOf<typeof allocationMetric>;

const taskEvent = record({
  Type: text,
  Time: nanoseconds,
  Message: text,
  DisplayMessage: text,
  Details: mapOf(text),
  ExitCode: number,
  Signal: number,
});
export type TaskEvent = WireOf<typeof taskEvent>;

const taskState = record({
  State: text,
  Failed: flag,
  Restarts: number,
  LastRestart: text,
  StartedAt: text,
  FinishedAt: text,
  Events: listOf(taskEvent),
});
export type TaskState = WireOf<typeof taskState>;

const deploymentHealth = record({ Healthy: nullable(flag), Timestamp: text, Canary: flag, ModifyIndex: number });

const port = record({ Label: text, Value: number, To: number, HostIP: text, HostNetwork: text });

const network = record({
  Mode: text,
  Device: text,
  IP: text,
  MBits: number,
  ReservedPorts: listOf(port),
  DynamicPorts: listOf(port),
});
export type AllocatedNetwork = WireOf<typeof network>;

const allocatedTask = record({
  Cpu: record({ CpuShares: number }),
  Memory: record({ MemoryMB: number, MemoryMaxMB: number }),
  Networks: listOf(network),
});

const allocatedResources = record({
  Tasks: mapOf(allocatedTask),
  Shared: record({ DiskMB: number, Networks: listOf(network), Ports: listOf(port) }),
});

const rescheduleEvent = record({
  RescheduleTime: nanoseconds,
  PrevAllocID: text,
  PrevNodeID: text,
  Delay: number,
});

const allocationHead = {
  ID: text,
  EvalID: text,
  Name: text,
  Namespace: text,
  NodeID: text,
  NodeName: text,
  JobID: text,
  TaskGroup: text,
  DesiredStatus: text,
  DesiredDescription: text,
  ClientStatus: text,
  ClientDescription: text,
  TaskStates: mapOf(taskState),
  DeploymentStatus: nullable(deploymentHealth),
  FollowupEvalID: text,
  NextAllocation: text,
  RescheduleTracker: nullable(record({ Events: listOf(rescheduleEvent) })),
  AllocatedResources: nullable(allocatedResources),
  CreateIndex: number,
  ModifyIndex: number,
  CreateTime: nanoseconds,
  ModifyTime: nanoseconds,
} as const;

/** An allocation in a list. */
export const allocationListStub = record({ ...allocationHead, JobType: text, JobVersion: number });
export type AllocationListStub = WireOf<typeof allocationListStub>;

/** An allocation with the job that it belongs to. */
export const allocation = record({
  ...allocationHead,
  Job: nullable(jobRecord),
  Metrics: nullable(allocationMetric),
  DeploymentID: text,
  PreviousAllocation: text,
  AllocModifyIndex: number,
});
export type Allocation = WireOf<typeof allocation>;

export const evaluation = record({
  ID: text,
  Priority: number,
  Type: text,
  TriggeredBy: text,
  Namespace: text,
  JobID: text,
  JobModifyIndex: number,
  NodeID: text,
  NodeModifyIndex: number,
  DeploymentID: text,
  Status: text,
  StatusDescription: text,
  Wait: number,
  WaitUntil: text,
  NextEval: text,
  PreviousEval: text,
  BlockedEval: text,
  FailedTGAllocs: mapOf(allocationMetric),
  ClassEligibility: mapOf(flag),
  EscapedComputedClass: flag,
  QuotaLimitReached: text,
  QueuedAllocations: mapOf(number),
  SnapshotIndex: number,
  CreateIndex: number,
  ModifyIndex: number,
  CreateTime: nanoseconds,
  ModifyTime: nanoseconds,
});
export type Evaluation = WireOf<typeof evaluation>;

const deploymentGroup = record({
  AutoRevert: flag,
  AutoPromote: flag,
  ProgressDeadline: number,
  RequireProgressBy: text,
  Promoted: flag,
  PlacedCanaries: texts,
  DesiredCanaries: number,
  DesiredTotal: number,
  PlacedAllocs: number,
  HealthyAllocs: number,
  UnhealthyAllocs: number,
});
export type DeploymentGroup = WireOf<typeof deploymentGroup>;

/** What a gate said of a deployment after a batch. */
const gateDecision = record({ Batch: number, Decision: text, Gate: text, Because: text, Time: text });
export type GateDecision = WireOf<typeof gateDecision>;

/** Of deployments that have gates, which are Millwright's beside Nomad's. */
const deploymentGates = record({
  Batch: number,
  AskedSince: text,
  Wait: nullable(record({ Gate: text, Because: text, Time: text })),
  Decisions: listOf(gateDecision),
});

export const deployment = record({
  ID: text,
  Namespace: text,
  JobID: text,
  JobVersion: number,
  JobModifyIndex: number,
  JobSpecModifyIndex: number,
  JobCreateIndex: number,
  TaskGroups: mapOf(deploymentGroup),
  Status: text,
  StatusDescription: text,
  CreateIndex: number,
  ModifyIndex: number,
  Gates: nullable(deploymentGates),
});
export type Deployment = WireOf<typeof deployment>;

const driver = record({
  Attributes: mapOf(text),
  Detected: flag,
  Healthy: flag,
  HealthDescription: text,
  UpdateTime: text,
});

const drainStrategy = record({ Deadline: number, IgnoreSystemJobs: flag, ForceDeadline: text, StartedAt: text });

const nodeResources = record({
  Cpu: record({ CpuShares: number, TotalCpuCores: number }),
  Memory: record({ MemoryMB: number }),
  Disk: record({ DiskMB: number }),
  Networks: listOf(network),
});

const nodeHead = {
  ID: text,
  Name: text,
  Datacenter: text,
  NodeClass: text,
  NodePool: text,
  Drain: flag,
  SchedulingEligibility: text,
  Status: text,
  StatusDescription: text,
  Drivers: mapOf(driver),
  NodeResources: nullable(nodeResources),
  ReservedResources: nullable(
    record({
      Cpu: record({ CpuShares: number }),
      Memory: record({ MemoryMB: number }),
      Disk: record({ DiskMB: number }),
    }),
  ),
  CreateIndex: number,
  ModifyIndex: number,
} as const;

/** A node in a list. */
export const nodeListStub = record({ ...nodeHead, Address: text, Version: text, Attributes: mapOf(text) });
export type NodeListStub = WireOf<typeof nodeListStub>;

export const node = record({
  ...nodeHead,
  HTTPAddr: text,
  Attributes: mapOf(text),
  Meta: mapOf(text),
  Links: mapOf(text),
  /** Seconds since 1970. */
  StatusUpdatedAt: number,
  DrainStrategy: nullable(drainStrategy),
  HostVolumes: mapOf(record({ Path: text, ReadOnly: flag })),
  Events: listOf(record({ Message: text, Subsystem: text, Details: mapOf(text), Timestamp: text })),
  ComputedClass: text,
});
export type Node = WireOf<typeof node>;

const difference = oneOf("None", "Added", "Deleted", "Edited");

const fieldDiff = record({ Type: difference, Name: text, Old: text, New: text, Annotations: texts });

interface ObjectDiff {
  readonly Type: WireOf<typeof difference>;
  readonly Name: string;
  readonly Fields: readonly WireOf<typeof fieldDiff>[];
  readonly Objects: readonly ObjectDiff[];
}

// The one record that holds others of its own form.
function objectDiff(wire: unknown, what: string): ObjectDiff {
  return record({ Type: difference, Name: text, Fields: listOf(fieldDiff), Objects: listOf(objectDiff) })(wire, what);
}

const inside = { Type: difference, Fields: listOf(fieldDiff), Objects: listOf(objectDiff) } as const;

/** What differs between two versions of a job. */
const jobDiff = record({
  ...inside,
  ID: text,
  TaskGroups: listOf(
    record({
      ...inside,
      Name: text,
      Tasks: listOf(record({ ...inside, Name: text, Annotations: texts })),
      Updates: mapOf(number),
    }),
  ),
});
export type JobDifference = WireOf<typeof jobDiff>;

const desiredUpdates = record({
  Ignore: number,
  Place: number,
  Migrate: number,
  Stop: number,
  InPlaceUpdate: number,
  DestructiveUpdate: number,
  Canary: number,
  Preemptions: number,
});

/** What the scheduler's dry run says. */
export const jobPlanResponse = record({
  Annotations: nullable(
    record({
      DesiredTGUpdates: mapOf(desiredUpdates),
      PreemptedAllocs: listOf(record({ ID: text, JobID: text, TaskGroup: text, JobType: text, Namespace: text })),
    }),
  ),
  CreatedEvals: listOf(evaluation),
  Diff: nullable(jobDiff),
  FailedTGAllocs: mapOf(allocationMetric),
  JobModifyIndex: number,
  NextPeriodicLaunch: text,
  Warnings: text,
});
export type JobPlanResponse = WireOf<typeof jobPlanResponse>;

/** What a write of a job led to; an empty `EvalID` where nothing is evaluated now. */
export const jobRegisterResponse = record({
  EvalID: text,
  EvalCreateIndex: number,
  JobModifyIndex: number,
  Warnings: text,
});
export type JobRegisterResponse = WireOf<typeof jobRegisterResponse>;

export const jobValidateResponse = record({
  DriverConfigValidated: flag,
  ValidationErrors: texts,
  Error: text,
  Warnings: text,
});
export type JobValidateResponse = WireOf<typeof jobValidateResponse>;

/** The versions of a job that are kept, the newest first, and what each changed. */
export const jobVersions = record({ Versions: listOf(jobRecord), Diffs: listOf(jobDiff) });
export type JobVersions = WireOf<typeof jobVersions>;

export const jobDispatchResponse = record({ DispatchedJobID: text, EvalID: text, JobCreateIndex: number });
export type JobDispatchResponse = WireOf<typeof jobDispatchResponse>;

/** What a change of a deployment led to. */
export const deploymentUpdate = record({
  EvalID: text,
  EvalCreateIndex: number,
  DeploymentModifyIndex: number,
  RevertedJobVersion: nullable(number),
});
export type DeploymentUpdate = WireOf<typeof deploymentUpdate>;

/** What a change of a node led to. */
export const nodeUpdate = record({ NodeModifyIndex: number, EvalIDs: texts, EvalCreateIndex: number });
export type NodeUpdate = WireOf<typeof nodeUpdate>;

/** A file or folder of an allocation. */
export const fileInfo = record({
  Name: text,
  IsDir: flag,
  Size: number,
  FileMode: text,
  ModTime: text,
  ContentType: text,
});
export type FileInfo = WireOf<typeof fileInfo>;

const resourceUsage = record({
  CpuStats: record({ Percent: number, TotalTicks: number, SystemMode: number, UserMode: number, Measured: texts }),
  MemoryStats: record({ RSS: number, Usage: number, MaxUsage: number, Cache: number, Swap: number, Measured: texts }),
});

/** What an allocation uses now, and each of its tasks: bytes, MHz, and percent of a core. */
export const allocationUsage = record({
  ResourceUsage: nullable(resourceUsage),
  Tasks: mapOf(record({ ResourceUsage: nullable(resourceUsage), Timestamp: nanoseconds })),
  Timestamp: nanoseconds,
});
export type AllocationUsage = WireOf<typeof allocationUsage>;

/** What a node as a whole uses now: bytes, and MHz. */
export const nodeUsage = record({
  /** Seconds. */
  Uptime: number,
  CPUTicksConsumed: number,
  Memory: nullable(record({ Total: number, Used: number, Available: number, Free: number })),
  AllocDirStats: nullable(record({ Size: number, Used: number, Available: number, UsedPercent: number })),
});
export type NodeUsage = WireOf<typeof nodeUsage>;

/** A server, as another knows it. */
export const agentMember = record({
  Name: text,
  Addr: text,
  Port: number,
  Tags: mapOf(text),
  Status: text,
  ProtocolCur: number,
});
export type AgentMember = WireOf<typeof agentMember>;
