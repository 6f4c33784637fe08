/* What a server would say of one small cluster: a job with a deployment that is done, and one that finds no room. */

/** When the tests run, in milliseconds since 1970. */
export const now = Date.parse("2016-11-17T12:10:00Z");

const nanoseconds = (text: string) => Date.parse(text) * 1_000_000;
const placedAt = nanoseconds("2016-11-17T12:00:00Z");
const changedAt = nanoseconds("2016-11-17T12:00:42Z");

export const ids = {
  node: "43c0b14e-0f95-4a6a-b6a7-6f5e5f7d0a01",
  allocation: "0af996ed-aff0-8ddb-a566-e55ebf8969c9",
  other: "0bf996ed-aff0-8ddb-a566-e55ebf8969c9",
  evaluation: "9a3ad0b3-1b5a-4b8f-9d44-52f8ac3f6a10",
  blocked: "5744eb15-3b5a-4b8f-9d44-52f8ac3f6a11",
  deployment: "5f9b8d9c-2b5a-4b8f-9d44-52f8ac3f6a12",
} as const;

export const exhausted = {
  NodesEvaluated: 2,
  NodesFiltered: 1,
  NodesExhausted: 1,
  NodesAvailable: { "asia-east1": 2 },
  ConstraintFiltered: { "missing drivers": 1 },
  DimensionExhausted: { memory: 1 },
  CoalescedFailures: 1,
} as const;

export const job = {
  ID: "myapp",
  Name: "myapp",
  Namespace: "default",
  Region: "apac",
  Datacenters: ["asia-east1", "asia-northeast1"],
  NodePool: "default",
  Type: "service",
  Priority: 50,
  Status: "running",
  Version: 1,
  Stable: true,
  SubmitTime: placedAt,
  CreateIndex: 10,
  ModifyIndex: 31,
  JobModifyIndex: 31,
  Periodic: null,
  ParameterizedJob: null,
  TaskGroups: [
    {
      Name: "myapp",
      Count: 2,
      Tasks: [
        { Name: "api", Driver: "raw_exec" },
        { Name: "web", Driver: "raw_exec" },
      ],
    },
  ],
} as const;

export const bigJob = {
  ...job,
  ID: "myapp-big",
  Name: "myapp-big",
  Status: "pending",
  Version: 0,
  SubmitTime: changedAt,
};

/** A job as it stands in a list. */
const stubOf = (one: typeof job | typeof bigJob) => ({
  ...one,
  Periodic: false,
  ParameterizedJob: false,
  JobSummary: { JobID: one.ID, Namespace: one.Namespace, Summary: {}, Children: null },
});

export const jobStubs = [stubOf(job), stubOf(bigJob)];

/** A job that makes another every night. */
export const report = {
  ...job,
  ID: "report",
  Name: "report",
  Type: "batch",
  Periodic: { Enabled: true, Spec: "0 3 * * *" },
};

const launched = { ...stubOf(job), Type: "batch", ParentID: "report" };
export const reports = [
  { ...launched, ID: "report", ParentID: "", Periodic: true },
  { ...launched, ID: "report/1479265200", Status: "dead", CreateIndex: 20 },
  { ...launched, ID: "report/1479351600", Status: "running", CreateIndex: 30 },
];

const counts = { Queued: 0, Starting: 0, Running: 0, Failed: 0, Complete: 0, Lost: 0, Unknown: 0 };
export const summary = { JobID: "myapp", Summary: { myapp: { ...counts, Running: 2, Complete: 1 } }, Children: null };
export const bigSummary = { JobID: "myapp-big", Summary: { myapp: { ...counts, Queued: 2 } }, Children: null };

const event = (Type: string, text: string, DisplayMessage: string) => ({
  Type,
  Time: nanoseconds(text),
  DisplayMessage,
});

const taskStates = {
  api: {
    State: "running",
    Failed: false,
    Restarts: 1,
    LastRestart: "2016-11-17T12:00:20Z",
    StartedAt: "2016-11-17T12:00:21Z",
    FinishedAt: "0001-01-01T00:00:00Z",
    Events: [
      event("Received", "2016-11-17T12:00:00Z", "Task received by client"),
      event("Terminated", "2016-11-17T12:00:19Z", "Exit Code: 1"),
      event("Started", "2016-11-17T12:00:21Z", "Task started by client"),
    ],
  },
  web: {
    State: "running",
    Failed: false,
    Restarts: 0,
    LastRestart: null,
    StartedAt: "2016-11-17T12:00:02Z",
    FinishedAt: null,
    Events: [event("Started", "2016-11-17T12:00:02Z", "Task started by client")],
  },
};

/** Each task has its port in resources of its own, as it was in 2016. */
const taskResources = (Label: string, Value: number) => ({
  Cpu: { CpuShares: 500 },
  Memory: { MemoryMB: 256, MemoryMaxMB: 0 },
  Networks: [{ IP: "10.0.0.5", MBits: 10, ReservedPorts: null, DynamicPorts: [{ Label, Value }] }],
});

function olderResources(label: string, value: number) {
  const { Cpu, Memory, Networks } = taskResources(label, value);
  return { CPU: Cpu.CpuShares, MemoryMB: Memory.MemoryMB, DiskMB: 0, Networks };
}

export const allocation = {
  ID: ids.allocation,
  EvalID: ids.evaluation,
  Name: "myapp.myapp[0]",
  Namespace: "default",
  NodeID: ids.node,
  NodeName: "node-1",
  JobID: "myapp",
  JobVersion: 1,
  Job: job,
  TaskGroup: "myapp",
  DesiredStatus: "run",
  ClientStatus: "running",
  ClientDescription: "Tasks are running",
  DeploymentID: ids.deployment,
  DeploymentStatus: { Healthy: true, Canary: false },
  TaskStates: taskStates,
  AllocatedResources: {
    Tasks: { api: taskResources("api", 21234), web: taskResources("web", 21235) },
    Shared: { DiskMB: 300, Networks: null, Ports: null },
  },
  // The same in the older form, which the real command line reads.
  TaskResources: { api: olderResources("api", 21234), web: olderResources("web", 21235) },
  Resources: { DiskMB: 300 },
  Metrics: {
    NodesEvaluated: 2,
    NodesFiltered: 1,
    NodesExhausted: 0,
    CoalescedFailures: 0,
    AllocationTime: 74941,
    ScoreMetaData: [{ NodeID: ids.node, NormScore: 0.23456, Scores: { binpack: 0.23456, "node-affinity": 0 } }],
  },
  CreateIndex: 33,
  ModifyIndex: 40,
  CreateTime: placedAt,
  ModifyTime: changedAt,
} as const;

/** The one that the first took the place of. */
export const stopped = {
  ...allocation,
  ID: ids.other,
  Name: "myapp.myapp[1]",
  JobVersion: 0,
  DesiredStatus: "stop",
  ClientStatus: "complete",
  CreateIndex: 12,
};

const measured = {
  CpuStats: { TotalTicks: 12.7, Percent: 0.49, SystemMode: 0.2, UserMode: 0.29, Measured: ["Percent", "User Mode"] },
  MemoryStats: { RSS: 25 * 1024 * 1024, Swap: 0, Measured: ["RSS", "Swap"] },
};
export const usage = { Tasks: { api: { ResourceUsage: measured }, web: { ResourceUsage: measured } } };

export const evaluation = {
  ID: ids.evaluation,
  Priority: 50,
  Type: "service",
  TriggeredBy: "job-register",
  Namespace: "default",
  JobID: "myapp",
  Status: "complete",
  DeploymentID: ids.deployment,
  CreateIndex: 32,
  ModifyIndex: 34,
  CreateTime: placedAt,
  ModifyTime: placedAt,
} as const;

export const failedEvaluation = {
  ...evaluation,
  JobID: "myapp-big",
  DeploymentID: "",
  FailedTGAllocs: { myapp: exhausted },
  BlockedEval: ids.blocked,
};

export const blockedEvaluation = {
  ...failedEvaluation,
  ID: ids.blocked,
  Status: "blocked",
  TriggeredBy: "queued-allocs",
  BlockedEval: "",
  CreateIndex: 35,
};

const deploymentGroup = {
  ProgressDeadline: 600_000_000_000,
  AutoRevert: true,
  DesiredTotal: 2,
  PlacedAllocs: 2,
  HealthyAllocs: 2,
  UnhealthyAllocs: 0,
  RequireProgressBy: "2016-11-17T12:10:42Z",
};

export const deployment = {
  ID: ids.deployment,
  Namespace: "default",
  JobID: "myapp",
  JobVersion: 1,
  Status: "successful",
  StatusDescription: "Deployment completed successfully",
  TaskGroups: { myapp: deploymentGroup },
  CreateIndex: 33,
  ModifyIndex: 41,
} as const;

/** The deployment on its way: so many are placed, and of those so many healthy or not. */
export function deploymentAt(status: string, counts: { placed: number; healthy: number; unhealthy?: number }) {
  const { placed, healthy, unhealthy = 0 } = counts;
  const group = { ...deploymentGroup, PlacedAllocs: placed, HealthyAllocs: healthy, UnhealthyAllocs: unhealthy };
  return { ...deployment, Status: status, StatusDescription: `Deployment is ${status}`, TaskGroups: { myapp: group } };
}

export const node = {
  ID: ids.node,
  Name: "node-1",
  Datacenter: "asia-east1",
  NodeClass: "",
  NodePool: "default",
  HTTPAddr: "10.0.0.5:4646",
  Address: "10.0.0.5",
  Version: "1.6.5",
  Drain: false,
  SchedulingEligibility: "eligible",
  Status: "ready",
  Drivers: {
    raw_exec: { Detected: true, Healthy: true, HealthDescription: "Healthy", UpdateTime: "2016-11-17T11:00:00Z" },
    docker: { Detected: false, Healthy: false, HealthDescription: "no engine", UpdateTime: "2016-11-17T11:00:00Z" },
  },
  NodeResources: { Cpu: { CpuShares: 5200 }, Memory: { MemoryMB: 8192 }, Disk: { DiskMB: 20480 } },
  ReservedResources: { Cpu: { CpuShares: 200 }, Memory: { MemoryMB: 0 }, Disk: { DiskMB: 0 } },
  Attributes: { "kernel.name": "linux", "cpu.arch": "amd64" },
  Meta: { rack: "r1" },
  HostVolumes: null,
  Events: [{ Message: "Node registered", Subsystem: "Cluster", Details: null, Timestamp: "2016-11-17T11:00:00Z" }],
  StatusUpdatedAt: 1479380400,
} as const;

export const nodeUsage = {
  Uptime: 3720,
  CPUTicksConsumed: 1640.5,
  Memory: { Total: 8192 * 1024 * 1024, Used: 1024 * 1024 * 1024 },
  AllocDirStats: { Size: 20480 * 1024 * 1024, Used: 2048 * 1024 * 1024 },
};

export const member = {
  Name: "s1.apac",
  Addr: "10.0.0.2",
  Port: 4648,
  Status: "alive",
  Tags: { build: "1.6.5", dc: "asia-east1", region: "apac", port: "4647", rpc_addr: "10.0.0.2" },
};
