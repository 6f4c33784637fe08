/**
 * The seam between our nodes and our orchestrator (docs/node-protocol.md): HTTP and JSON below `/v1/millwright/node/`, beside
 * Nomad's own API. Each request shows the node's own token as `X-Nomad-Token`; a node may ask for its own allocations alone (403
 * otherwise, 404 where the node has not registered, which it then does again).
 *
 *     PUT /v1/millwright/node/register      NodeRegistration → Registered
 *     GET /v1/millwright/node/allocations   ?node=ID&index=N&wait=60s → NodeAllocations, with X-Nomad-Index; blocks
 *     GET /v1/millwright/node/job           ?node=ID&namespace=…&job=…&version=N → the job in the API's JSON; never changes
 *     PUT /v1/millwright/node/updates       AllocationUpdates → {}
 *     PUT /v1/millwright/node/identity      IdentityRequest → IdentityAnswer
 *
 * What a server asks of a node it asks at the node's `HTTPAddress` (Nomad's `/v1/client/…` routes), with the registration's `Key` as
 * `Authorization: Bearer`.
 */

/** What a node says of itself: at its start, and whenever something of it has changed. */
export interface NodeRegistration {
  /** The node's UUID, the same as in discovery. */
  readonly ID: string;
  readonly Name: string;
  readonly Datacenter: string;
  /** Of the servers it belongs to; empty for any. */
  readonly Region: string;
  readonly NodeClass: string;
  readonly NodePool: string;
  readonly Attributes: Readonly<Record<string, string>>;
  readonly Meta: Readonly<Record<string, string>>;
  readonly Resources: NodeCapacity;
  readonly Reserved: NodeCapacity;
  readonly ReservedPorts: readonly number[];
  readonly DynamicPorts: { readonly From: number; readonly To: number };
  readonly Drivers: Readonly<Record<string, NodeDriver>>;
  /** `host:port` of its client endpoints, as servers reach it. */
  readonly HTTPAddress: string;
  /** Under which its tasks are reached. */
  readonly Address: string;
  /** Secret: what servers show to the node. Made anew at each start of the agent. */
  readonly Key: string;
  /** Of this program. */
  readonly Version: string;
}

/** MHz, whole cores, MiB, megabits per second. */
export interface NodeCapacity {
  readonly CPU: number;
  readonly Cores: number;
  readonly MemoryMB: number;
  readonly DiskMB: number;
  readonly MBits: number;
}

export interface NodeDriver {
  readonly Detected: boolean;
  readonly Healthy: boolean;
  readonly HealthDescription: string;
  readonly Attributes: Readonly<Record<string, string>>;
}

export interface Registered {
  readonly Region: string;
  readonly Datacenter: string;
}

/** All that is to be on a node, and what has ended there and is not yet forgotten. */
export interface NodeAllocations {
  readonly Allocations: readonly NodeAllocation[];
}

/** An allocation as its node needs it. */
export interface NodeAllocation {
  readonly ID: string;
  readonly Namespace: string;
  readonly JobID: string;
  readonly JobVersion: number;
  /** When that version was registered: of a job that was purged and is there again, the numbers begin anew. */
  readonly JobSubmitTime: number;
  readonly TaskGroup: string;
  /** `job.group[0]`. */
  readonly Name: string;
  readonly Index: number;
  /** `run`, or `stop` and `evict` for one that is to end. */
  readonly DesiredStatus: "run" | "stop" | "evict";
  readonly DesiredDescription: string;
  /** Rises with every change that the servers make of it. */
  readonly AllocModifyIndex: number;
  /** How the servers have it; what has ended there is not started again. */
  readonly ClientStatus: ClientStatus;
  readonly Ports: readonly NodePort[];
  /** The whole of what it holds: MHz, cores, MiB. */
  readonly Holding: {
    readonly CPU: number;
    readonly Cores: number;
    readonly MemoryMB: number;
    readonly DiskMB: number;
  };
  /** Of the rollout it is part of; null where its health is nobody's business. */
  readonly Deployment: { readonly ID: string; readonly Canary: boolean } | null;
  /** It starts only when this one, on whichever node, has ended; null for at once. */
  readonly PreviousAllocation: string | null;
  /** Milliseconds since 1970. */
  readonly CreateTime: number;
}

export interface NodePort {
  /** Null for a port of the group. */
  readonly Task: string | null;
  readonly Label: string;
  readonly Value: number;
  readonly To: number;
}

export type ClientStatus = "pending" | "running" | "complete" | "failed" | "lost";

/** What became of allocations: only what has changed since it was last taken. */
export interface AllocationUpdates {
  readonly NodeID: string;
  readonly Updates: readonly AllocationUpdate[];
}

export interface AllocationUpdate {
  readonly ID: string;
  readonly ClientStatus: ClientStatus;
  readonly ClientDescription: string;
  readonly TaskStates: Readonly<Record<string, TaskState>>;
  /** Whether it came up well, once that is decided; for every allocation of a service job. */
  readonly Health: { readonly Healthy: boolean; readonly At: number; readonly Why: string } | null;
}

/** Times are RFC 3339 with nanoseconds where the public API has them so; here milliseconds since 1970, 0 for never. */
export interface TaskState {
  readonly State: "pending" | "running" | "dead";
  readonly Failed: boolean;
  readonly Restarts: number;
  readonly LastRestart: number;
  readonly StartedAt: number;
  readonly FinishedAt: number;
  /** The last ten, oldest first. */
  readonly Events: readonly TaskEvent[];
}

/** One line of a task's story. `Type` is one of Nomad's (`Started`, `Terminated` …); no secret in any of it. */
export interface TaskEvent {
  readonly Type: string;
  /** Milliseconds since 1970. */
  readonly Time: number;
  readonly DisplayMessage: string;
  readonly Details: Readonly<Record<string, string>>;
}

/** Asks for a token that says who a task is. */
export interface IdentityRequest {
  readonly NodeID: string;
  readonly AllocationID: string;
  readonly Task: string;
  /** `default`, `vault_default`, or the name of an `identity` block. */
  readonly Name: string;
}

export interface IdentityAnswer {
  /** Secret: a signed JWT. */
  readonly Token: string;
  /** Milliseconds since 1970. */
  readonly Expires: number;
}
