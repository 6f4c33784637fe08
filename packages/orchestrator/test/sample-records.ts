import type { NodeCapacity, NodeRegistration } from "@millwright/clients/nomad-node-protocol";
import { canonical } from "@millwright/jobs/canonical";
import { type JobDraft, jobId } from "@millwright/jobs/job";
import type { Deployment } from "@millwright/scheduler/deployment";
import { allocId, type DeploymentId, deploymentId, evalId, nodeId } from "@millwright/scheduler/ids";
import type {
  AllocRecord,
  ClientRecord,
  JobVersionRecord,
  NodeRecord,
  NodeStateRecord,
  ServerHalf,
} from "../src/records.ts";

/* Records as there may be, but for what is said. */

const capacity: NodeCapacity = { CPU: 4_000, Cores: 4, MemoryMB: 8_192, DiskMB: 100_000, MBits: 0 };

export function sampleRegistration(id: string, rest: Partial<NodeRegistration> = {}): NodeRegistration {
  return {
    ...{ ID: id, Name: `name-of-${id}`, Datacenter: "dc1", Region: "", NodeClass: "", NodePool: "default" },
    ...{ Attributes: { "kernel.name": "linux" }, Meta: {}, Resources: capacity, ReservedPorts: [] },
    Reserved: { CPU: 0, Cores: 0, MemoryMB: 0, DiskMB: 0, MBits: 0 },
    DynamicPorts: { From: 20_000, To: 32_000 },
    Drivers: {
      raw_exec: { Detected: true, Healthy: true, HealthDescription: "", Attributes: {} },
      docker: { Detected: true, Healthy: false, HealthDescription: "no daemon", Attributes: {} },
    },
    ...{ HTTPAddress: "127.0.0.1:4646", Address: "127.0.0.1", Key: "k", Version: "0.1.0" },
    ...rest,
  };
}

export function sampleNode(id: string, rest: Partial<NodeRegistration> = {}): NodeRecord {
  return { registration: sampleRegistration(id, rest), registeredAt: 1_000 };
}

export function sampleNodeState(rest: Partial<NodeStateRecord> = {}): NodeStateRecord {
  return { status: "ready", description: "", statusAt: 1_000, isEligible: true, drain: null, events: [], ...rest };
}

export function sampleVersion(id: string, version: number, draft: JobDraft = {}): JobVersionRecord {
  const tasks = [{ name: "web", driver: "raw_exec", env: { V: `${version}` } }];
  const job = canonical({ id, groups: [{ name: "web", tasks }], ...draft });
  return { namespace: job.namespace, id: job.id, version, job, isStopped: false, submittedAt: 1_000 };
}

/** Names in `rest` are texts, so that tests say them as they are. */
export function sampleAlloc(
  id: string,
  rest: { readonly job?: string; readonly node?: string; readonly evaluation?: string } & Partial<
    Pick<ServerHalf, "version" | "index" | "desired" | "deployment">
  > = {},
): AllocRecord {
  const { job = "app", node = "n1", evaluation = "e1", ...half } = rest;
  return {
    allocation: {
      ...{ id: allocId(id), namespace: "default", job: jobId(job), version: 0, group: "web", index: 0 },
      ...{ node: nodeId(node), desired: "run", deployment: null, shouldMigrate: false, created: 1_000 },
      holding: { cpu: 100, cores: 0, memory: 128, memoryMax: 0, disk: 300, mbits: 0, ports: [] },
      ...{ replaces: null, replacedBy: null, reschedules: [] },
      ...half,
    },
    ...{ description: "", evaluation: evalId(evaluation), nodeName: `name-of-${node}`, waitsFor: null, at: 1_000 },
    choiceTime: 54_111,
    metrics: {
      ...{ nodesEvaluated: 1, nodesInPool: 1, nodesAvailable: { dc1: 1 }, nodesFiltered: 0, classFiltered: {} },
      ...{ constraintFiltered: {}, nodesExhausted: 0, classExhausted: {}, dimensionExhausted: {} },
      ...{ scores: [], coalescedFailures: 0 },
    },
  };
}

/** What the node says of the allocation. */
export function sampleClient({ allocation }: AllocRecord, rest: Partial<ClientRecord> = {}): ClientRecord {
  const { node, namespace, job } = allocation;
  const times = { started: 2_000, finished: null, at: 2_000 };
  return { node, namespace, job, status: "running", description: "", tasks: {}, health: null, ...times, ...rest };
}

export function sampleDeployment(id: string, rest: Partial<Deployment> = {}): Deployment {
  const known: DeploymentId = deploymentId(id);
  const groups = {};
  return {
    ...{ id: known, namespace: "default", job: jobId("app"), version: 0, status: "running", description: "", groups },
    ...rest,
  };
}
