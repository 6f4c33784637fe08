import type { AllocationUpdate } from "@millwright/clients/nomad-node-protocol";
import type { Chance, Clock, Log } from "@millwright/core/ports";
import type { Job } from "@millwright/jobs/job";
import type { ConsulPort, VaultPort } from "@millwright/render/servers";
import type { ArtifactLimits } from "../artifact/limits.ts";
import type { TaskDriver } from "../driver/driver.ts";
import type { Logs } from "../logs/logs.ts";

/** What tells a version of a job from all others. */
export interface JobVersion {
  readonly namespace: string;
  readonly id: string;
  readonly version: number;
  /** When it was registered, which tells it from one of the same number of a job that was purged. */
  readonly submitted: number;
}

/** What allocations need of the agent that they are on: ports that it implements. */
export interface AllocationHost {
  readonly node: NodeFacts;
  /** The agent's own; allocations are in `alloc/` below it. */
  readonly dataFolder: string;
  /** By name. */
  readonly drivers: ReadonlyMap<string, TaskDriver>;
  /** The node's log process. */
  readonly logs: Pick<Logs, "attach" | "detach">;
  /** The operator's stand-ins for what cannot be reached: an address that begins with a name is asked for with the value in its place. */
  readonly artifactMirrors?: Readonly<Record<string, string>>;
  /** Of what artifacts may be; Nomad's defaults where not given. */
  readonly artifactLimits?: Partial<ArtifactLimits>;
  /** A version of a job; it never changes. Rejects with an operational error. */
  job(version: JobVersion): Promise<Job>;
  /** A signed token that says who a task is. `name` is `vault_default`, `default`, or that of an `identity` block. */
  identity(allocation: string, task: string, name: string): Promise<TaskIdentity>;
  readonly services: ServicePort;
  readonly consul: ConsulPort;
  /** Undefined where no secrets server is known. */
  readonly vault: VaultHost | undefined;
  /** Variables of the agent's own environment that no task sees, beside those that hold credentials. */
  readonly deniedEnvironment?: readonly string[];
  /** The agent's own, which tasks of drivers without an image of their own start from. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Whether checks may run scripts on the node. */
  readonly allowsScriptChecks: boolean;
  /** How many ended allocations are kept for their logs, and for how long; milliseconds. */
  readonly garbage?: GarbageLimits;
  /** Told of each change of an allocation; the last one of an allocation says all there is to say of it. */
  report(update: AllocationUpdate): void;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly log: Log;
}

/** A node as its tasks see it: `${node.unique.id}`, `${attr.kernel.name}`, `${meta.rack}`, `NOMAD_DC`. */
export interface NodeFacts {
  readonly id: string;
  readonly name: string;
  readonly region: string;
  readonly datacenter: string;
  readonly pool: string;
  readonly nodeClass: string;
  /** Under which its tasks are reached. */
  readonly address: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly meta: Readonly<Record<string, string>>;
}

export interface TaskIdentity {
  /** Secret: a signed JWT. */
  readonly token: string;
  /** Milliseconds since 1970. */
  readonly expires: number;
}

/** The node's own services and checks, in the same process. */
export interface ServicePort {
  /**
   * Registers a service with its checks, in the JSON of Consul's `PUT /v1/agent/service/register`. One of that id is replaced; the
   * same again leaves it and the state of its checks as they are.
   */
  register(definition: ServiceRegistration): Promise<void>;
  /** Of one that is not there: nothing. */
  deregister(id: string): Promise<void>;
  /** Tells how the checks of these services are: at once, and whenever that has changed. Returns what ends it. */
  follow(ids: readonly string[], heard: (checks: readonly CheckState[]) => void): () => void;
}

/** Names are Consul's. */
export interface ServiceRegistration {
  readonly ID: string;
  readonly Name: string;
  readonly Tags: readonly string[];
  readonly Address: string;
  readonly Port: number;
  readonly Meta: Readonly<Record<string, string>>;
  readonly EnableTagOverride: boolean;
  readonly TaggedAddresses?: Readonly<Record<string, { readonly Address: string; readonly Port: number }>>;
  readonly Weights?: { readonly Passing: number; readonly Warning: number };
  readonly Checks: readonly Readonly<Record<string, unknown>>[];
}

export interface CheckState {
  readonly serviceId: string;
  readonly checkId: string;
  readonly name: string;
  readonly status: "passing" | "warning" | "critical";
  readonly output: string;
}

/** The secrets server, as tasks use it. */
export interface VaultHost {
  /** As tasks see it: `VAULT_ADDR`. */
  readonly address: string;
  /** Where workload identities are traded for tokens: `jwt-nomad`. */
  readonly mount: string;
  /** The role of tasks that name none. */
  readonly defaultRole: string;
  /** Trades a workload identity for a token. Rejects with an operational error. */
  login(role: string, identity: string, signal: AbortSignal): Promise<VaultLogin>;
  /** What a token may do: templates read with the task's own. The token is asked for before each request. */
  as(token: () => string): VaultPort;
  /** Ends a token, and all that was leased with it; of one that has ended already: nothing. Rejects with an operational error. */
  revoke(token: string, signal: AbortSignal): Promise<void>;
}

export interface VaultLogin {
  /** Secret. */
  readonly token: string;
  readonly policies: readonly string[];
  /** Seconds; 0 for ever. */
  readonly leaseDuration: number;
  readonly renewable: boolean;
}

export interface GarbageLimits {
  readonly mostAllocations: number;
  readonly age: number;
}
