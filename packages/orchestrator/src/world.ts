import { assertNever } from "@millwright/core/errors";
import { type Job, type JobId, jobId } from "@millwright/jobs/job";
import type { RecordView } from "@millwright/records/record-view";
import type { Derived, Row, RowChange } from "@millwright/records/row";
import type { Rows } from "@millwright/records/rows";
import type { Allocation } from "@millwright/scheduler/allocation";
import type { Deployment } from "@millwright/scheduler/deployment";
import { type DeploymentId, type EvalId, type NodeId, nodeId } from "@millwright/scheduler/ids";
import { jobKey, type JobKey, type JobRecord, type Node, type Snapshot } from "@millwright/scheduler/snapshot";
import { Groups } from "./groups.ts";
import { jobKeyOf, jobVersionKey, lists } from "./keys.ts";
import { allocationOf, nodeOf } from "./merge.ts";
import type { OrchestratorRecords } from "./tables.ts";

type RowOf<N extends keyof OrchestratorRecords> = Row<OrchestratorRecords, N>;

/** Both halves of an allocation. Never changed in place. */
export interface AllocationView {
  readonly alloc: RowOf<"alloc">;
  /** Undefined as long as its node has said nothing of it. */
  readonly client: RowOf<"client"> | undefined;
  readonly allocation: Allocation;
  /** Revisions: when it was made, when either half was last written, and when the servers' half was. */
  readonly created: number;
  readonly modified: number;
  readonly allocModified: number;
}

/** A node, with what the servers know of it. Never changed in place. */
export interface NodeView {
  readonly row: RowOf<"node">;
  readonly state: RowOf<"nodestate"> | undefined;
  readonly node: Node;
  /** Revisions: when it registered first, and when either record was last written. */
  readonly created: number;
  readonly modified: number;
}

/** A job, its current version, and all versions that are kept, oldest first. */
export interface JobView {
  readonly row: RowOf<"job">;
  readonly current: RowOf<"jobversion">;
  readonly versions: RecordView<RowOf<"jobversion">>;
  /** Revisions: when it was first registered, and when its current version came or anything that holds of all of them changed. */
  readonly created: number;
  readonly modified: number;
  /** Of the current version. */
  readonly jobModified: number;
}

/**
 * The records as the scheduler and everybody else wants to look at them: halves put together, allocations by job and node. Kept up
 * with the rows, change by change. It lives and changes: read it at once, without waiting for anything between two looks.
 */
export class World implements Derived<OrchestratorRecords> {
  /** What `schedule` works on, as it is now. */
  readonly snapshot: Snapshot;
  readonly #rows: Rows<OrchestratorRecords>;
  readonly #allocations = new Map<string, AllocationView>();
  readonly #nodes = new Map<NodeId, Node>();
  readonly #jobs = new Map<JobKey, JobRecord>();
  readonly #versions = new Map<JobKey, Map<number, Job>>();
  readonly #deployments = new Map<DeploymentId, Deployment>();
  readonly #byJob = new Groups<JobKey, Allocation>((key) => this.#inList(lists.ofJob(...partsOf(key))));
  readonly #byNode = new Groups<NodeId, Allocation>((node) => this.#inList(lists.onNode(node)));
  readonly #rollouts = new Groups<JobKey, Deployment>((key) =>
    this.deploymentsOfJob(...partsOf(key)).map(({ deployment }) => deployment),
  );

  constructor(rows: Rows<OrchestratorRecords>) {
    this.#rows = rows;
    this.snapshot = {
      nodes: this.#nodes,
      jobs: this.#jobs,
      deployments: this.#deployments,
      deploymentsByJob: this.#rollouts,
      allocationsByJob: this.#byJob,
      allocationsByNode: this.#byNode,
    };
  }

  allocation(id: string): AllocationView | undefined {
    return this.#allocations.get(id);
  }

  /** In the order of their ids, as the other lists of allocations are. */
  allocationsOfJob(namespace: string, job: JobId): readonly AllocationView[] {
    return this.#viewsIn(lists.ofJob(namespace, job));
  }

  allocationsOnNode(node: NodeId): readonly AllocationView[] {
    return this.#viewsIn(lists.onNode(node));
  }

  allocationsOfEvaluation(evaluation: EvalId): readonly AllocationView[] {
    return this.#viewsIn(lists.ofEvaluation(evaluation));
  }

  allocationsOfDeployment(deployment: DeploymentId): readonly AllocationView[] {
    return this.#viewsIn(lists.ofDeployment(deployment));
  }

  node(id: string): NodeView | undefined {
    const row = this.#rows.get("node", id);
    const node = this.#nodes.get(nodeId(id));
    if (!row || !node) return undefined;
    const state = this.#rows.get("nodestate", id);
    const modified = Math.max(row.modified, state?.modified ?? 0);
    return { row, state, node, created: row.created, modified };
  }

  job(namespace: string, id: JobId): JobView | undefined {
    const row = this.#rows.get("job", jobKeyOf(namespace, id));
    const current = row && this.#currentVersion(row);
    if (!current) return undefined;
    const versions = this.#rows.list("jobversion", lists.ofJob(namespace, id));
    const modified = Math.max(row.modified, current.modified);
    return { row, current, versions, created: row.created, modified, jobModified: current.modified };
  }

  /** In the order of their ids. */
  evaluationsOfJob(namespace: string, job: JobId): RecordView<RowOf<"eval">> {
    return this.#rows.list("eval", lists.ofJob(namespace, job));
  }

  /** Oldest first. */
  deploymentsOfJob(namespace: string, job: JobId): readonly RowOf<"deployment">[] {
    const rows = [...this.#rows.list("deployment", lists.ofJob(namespace, job))];
    return rows.sort((a, b) => a.created - b.created);
  }

  /** Takes in what became of a row. */
  changed(change: RowChange<OrchestratorRecords>): void {
    switch (change.table) {
      case "alloc":
      case "client":
        return this.#mergeAllocation(keyOf(change));
      case "node":
      case "nodestate":
        return this.#mergeNode(nodeId(keyOf(change)));
      case "job":
        return this.#mergeJob(change.after ?? change.before!);
      case "jobversion":
        return this.#changeVersion(change.after ?? change.before!, change.after !== undefined);
      case "deployment":
        return this.#changeDeployment((change.after ?? change.before!).deployment, change.after !== undefined);
      case "nodeversion":
      case "eval":
      case "signer":
        return;
      default:
        return assertNever(change);
    }
  }

  #mergeAllocation(id: string): void {
    const before = this.#allocations.get(id);
    const alloc = this.#rows.get("alloc", id);
    const after = alloc && viewOf(alloc, this.#rows.get("client", id));
    if (after) this.#allocations.set(id, after);
    else this.#allocations.delete(id);
    for (const view of [before, after]) {
      if (!view) continue;
      const { namespace, job, node } = view.allocation;
      this.#byJob.changed(jobKey(namespace, job));
      this.#byNode.changed(node);
    }
  }

  #mergeNode(id: NodeId): void {
    const row = this.#rows.get("node", id);
    if (row) this.#nodes.set(id, nodeOf(row, this.#rows.get("nodestate", id)));
    else this.#nodes.delete(id);
  }

  #mergeJob({ namespace, id }: Pick<RowOf<"job">, "namespace" | "id">): void {
    const key = jobKey(namespace, id);
    const row = this.#rows.get("job", jobKeyOf(namespace, id));
    const version = row && this.#currentVersion(row);
    const versions = this.#versions.get(key);
    if (version && versions) this.#jobs.set(key, { current: row.current, versions, isStopped: version.isStopped });
    else this.#jobs.delete(key);
  }

  #changeVersion({ namespace, id, version, job }: RowOf<"jobversion">, isThere: boolean): void {
    const key = jobKey(namespace, id);
    const versions = this.#versions.get(key) ?? new Map<number, Job>();
    if (isThere) versions.set(version, job);
    else versions.delete(version);
    if (versions.size > 0) this.#versions.set(key, versions);
    else this.#versions.delete(key);
    this.#mergeJob({ namespace, id });
  }

  #changeDeployment(deployment: Deployment, isThere: boolean): void {
    if (isThere) this.#deployments.set(deployment.id, deployment);
    else this.#deployments.delete(deployment.id);
    this.#rollouts.changed(jobKey(deployment.namespace, deployment.job));
  }

  #currentVersion({ namespace, id, current }: RowOf<"job">): RowOf<"jobversion"> | undefined {
    return this.#rows.get("jobversion", jobVersionKey(namespace, id, current));
  }

  #viewsIn(list: string): readonly AllocationView[] {
    return [...this.#rows.list("alloc", list)].map(({ key }) => this.#allocations.get(key)!);
  }

  #inList(list: string): readonly Allocation[] {
    return this.#viewsIn(list).map(({ allocation }) => allocation);
  }
}

function viewOf(alloc: RowOf<"alloc">, client: RowOf<"client"> | undefined): AllocationView {
  return {
    alloc,
    client,
    allocation: allocationOf(alloc, client),
    created: alloc.created,
    modified: Math.max(alloc.modified, client?.modified ?? 0),
    allocModified: alloc.modified,
  };
}

function keyOf({ before, after }: RowChange<OrchestratorRecords>): string {
  return (after ?? before)!.key;
}

// No namespace has a slash in its name.
function partsOf(key: JobKey): readonly [string, JobId] {
  const slash = key.indexOf("/");
  return [key.slice(0, slash), jobId(key.slice(slash + 1))];
}
