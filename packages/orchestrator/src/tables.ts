import { jsonTable, type Table } from "@millwright/records/table";
import { isActive } from "@millwright/scheduler/deployment";
import { lists } from "./keys.ts";
import type {
  AllocRecord,
  ClientRecord,
  DeploymentRecord,
  EvalRecord,
  JobRecord,
  JobVersionRecord,
  NodeRecord,
  NodeStateRecord,
  NodeVersionRecord,
  SignerRecord,
} from "./records.ts";

/** What the jobs server keeps, table by table: one record is one key of the store. */
export interface OrchestratorRecords {
  readonly node: NodeRecord;
  readonly nodestate: NodeStateRecord;
  readonly nodeversion: NodeVersionRecord;
  readonly job: JobRecord;
  readonly jobversion: JobVersionRecord;
  readonly alloc: AllocRecord;
  readonly client: ClientRecord;
  readonly eval: EvalRecord;
  readonly deployment: DeploymentRecord;
  readonly signer: SignerRecord;
}

/** The records are plain values, a job among them as well: their JSON gives the same value back. */
export const tables: { readonly [N in keyof OrchestratorRecords]: Table<OrchestratorRecords[N]> } = {
  node: jsonTable<NodeRecord>({ fields: { registration: true, registeredAt: true }, lists: () => [] }),
  nodestate: jsonTable<NodeStateRecord>({
    fields: { status: true, description: true, statusAt: true, isEligible: true, drain: true, events: true },
    lists: () => [],
  }),
  // It is compared when something is placed; nobody waits for it.
  nodeversion: jsonTable<NodeVersionRecord>({ fields: { count: true }, watched: false, lists: () => [] }),
  job: jsonTable<JobRecord>({
    fields: { namespace: true, id: true, current: true, stable: true },
    lists: ({ namespace, id }) => [lists.ofJob(namespace, id)],
  }),
  jobversion: jsonTable<JobVersionRecord>({
    fields: { namespace: true, id: true, version: true, job: true, isStopped: true, submittedAt: true },
    lists: ({ namespace, id }) => [lists.ofJob(namespace, id)],
  }),
  alloc: jsonTable<AllocRecord>({
    fields: {
      allocation: true,
      description: true,
      evaluation: true,
      nodeName: true,
      metrics: true,
      choiceTime: true,
      waitsFor: true,
      at: true,
    },
    lists: ({ allocation: { node, namespace, job, deployment }, evaluation }) => [
      lists.onNode(node),
      lists.ofJob(namespace, job),
      lists.ofEvaluation(evaluation),
      ...(deployment ? [lists.ofDeployment(deployment.id)] : []),
    ],
  }),
  client: jsonTable<ClientRecord>({
    fields: {
      node: true,
      namespace: true,
      job: true,
      status: true,
      description: true,
      tasks: true,
      health: true,
      started: true,
      finished: true,
      at: true,
    },
    lists: ({ node, namespace, job }) => [lists.onNode(node), lists.ofJob(namespace, job)],
  }),
  eval: jsonTable<EvalRecord>({
    fields: {
      id: true,
      namespace: true,
      job: true,
      type: true,
      priority: true,
      trigger: true,
      node: true,
      deployment: true,
      status: true,
      description: true,
      waitUntil: true,
      next: true,
      previous: true,
      blocked: true,
      failed: true,
      queued: true,
      snapshotIndex: true,
      createdAt: true,
      modifiedAt: true,
    },
    lists: ({ namespace, job, deployment, status }) => [
      lists.ofJob(namespace, job),
      ...(deployment === null ? [] : [lists.ofDeployment(deployment)]),
      ...(status === "pending" ? [lists.open] : []),
      ...(status === "blocked" ? [lists.blocked] : []),
    ],
  }),
  deployment: jsonTable<DeploymentRecord>({
    fields: { deployment: true, createdAt: true, modifiedAt: true },
    lists: ({ deployment }) => [
      lists.ofJob(deployment.namespace, deployment.job),
      ...(isActive(deployment) ? [lists.open] : []),
    ],
  }),
  signer: jsonTable<SignerRecord>({ fields: { jwk: true, until: true }, lists: () => [] }),
};
