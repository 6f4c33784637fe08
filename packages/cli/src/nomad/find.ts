import type { NomadClient } from "@millwright/clients/nomad";
import type { NomadReadOptions } from "@millwright/clients/nomad-api";
import type {
  Allocation,
  AllocationListStub,
  Deployment,
  Evaluation,
  JobListStub,
  NodeListStub,
} from "@millwright/clients/nomad-records";
import { Refusal } from "./command.ts";
import { id, newestFirst, table } from "./format.ts";

/** A call's options, and whether ids are shown whole where several are meant. */
export interface Search extends NomadReadOptions {
  readonly verbose?: boolean;
}

/** The job of this id, or the only one whose id begins so. Throws a refusal that says which ones do. */
export async function findJob(
  client: NomadClient,
  prefix: string,
  { verbose: _, ...options }: Search,
): Promise<JobListStub> {
  const { value } = await client.jobs.list({ ...options, prefix });
  const exact = value.filter(({ ID }) => ID === prefix);
  if (exact.length === 1) return exact[0]!;
  return onlyOne(value, { what: "job", prefix, by: "prefix or ID" }, () =>
    table(
      ["ID", "Type", "Status", "Namespace"],
      value.map((job) => [job.ID, job.Type, job.Status, job.Namespace]),
    ),
  );
}

export async function findAllocation(client: NomadClient, prefix: string, search: Search): Promise<Allocation> {
  const { verbose = false, ...options } = search;
  if (isWholeId(prefix)) {
    const { value } = await client.allocations.get(prefix, options);
    if (value) return value;
  }
  const { value } = await client.allocations.list({ ...options, prefix: checked(prefix, "allocation") });
  const found = onlyOne(value, { what: "allocation", prefix, by: "prefix or id" }, () =>
    allocationLines(value, verbose),
  );
  const { value: whole } = await client.allocations.get(found.ID, { ...options, namespace: found.Namespace });
  if (!whole) throw new Refusal(`The allocation ${found.ID} has just been removed.`);
  return whole;
}

function allocationLines(allocations: readonly AllocationListStub[], verbose: boolean): string {
  return table(
    ["ID", "Job ID", "Task Group", "Node ID", "Desired", "Status"],
    allocations.map(({ ID, JobID, TaskGroup, NodeID, DesiredStatus, ClientStatus }) => [
      ...[id(ID, { verbose }), JobID, TaskGroup, id(NodeID, { verbose })],
      ...[DesiredStatus, ClientStatus],
    ]),
  );
}

/** An allocation of a job: the newest that runs, else the newest. */
export async function findAllocationOfJob(client: NomadClient, prefix: string, options: Search): Promise<Allocation> {
  const job = await findJob(client, prefix, options);
  const place = { ...options, namespace: job.Namespace };
  const { value } = await client.jobs.allocations(job.ID, place);
  const newest = newestFirst(value);
  const chosen = newest.find(({ ClientStatus }) => ClientStatus === "running") ?? newest[0];
  if (!chosen) throw new Refusal(`No allocations for job ${JSON.stringify(job.ID)} found`);
  return findAllocation(client, chosen.ID, place);
}

export async function findNode(client: NomadClient, prefix: string, search: Search): Promise<NodeListStub> {
  const { verbose = false, ...options } = search;
  const { value } = await client.nodes.list({ ...options, prefix: checked(prefix, "node") });
  return onlyOne(value, { what: "node", prefix, by: "prefix" }, () =>
    table(
      ["ID", "DC", "Name", "Eligibility", "Status"],
      value.map((node) => [
        ...[id(node.ID, { verbose }), node.Datacenter, node.Name],
        ...[node.SchedulingEligibility, node.Status],
      ]),
    ),
  );
}

/** The node that the asked server runs beside, where it runs work itself. */
export async function findOwnNode(client: NomadClient, search: Search): Promise<NodeListStub> {
  const { stats } = await client.agent.self(search);
  const own = stats.client?.node_id;
  if (!own) throw new Refusal("The agent that is asked is no node that runs work. Name the node: nomad node status.");
  return findNode(client, own, search);
}

export async function findEvaluation(client: NomadClient, prefix: string, search: Search): Promise<Evaluation> {
  const { verbose = false, ...options } = search;
  const { value } = await client.evaluations.list({ ...options, prefix: checked(prefix, "evaluation") });
  return onlyOne(value, { what: "evaluation", prefix, by: "prefix or id" }, () =>
    table(
      ["ID", "Priority", "Triggered By", "Status"],
      value.map((one) => [id(one.ID, { verbose }), String(one.Priority), one.TriggeredBy, one.Status]),
    ),
  );
}

export async function findDeployment(client: NomadClient, prefix: string, search: Search): Promise<Deployment> {
  const { verbose = false, ...options } = search;
  const { value } = await client.deployments.list({ ...options, prefix: checked(prefix, "deployment") });
  return onlyOne(value, { what: "deployment", prefix, by: "prefix or id" }, () =>
    table(
      ["ID", "Job ID", "Job Version", "Status", "Description"],
      value.map((one) => [
        ...[id(one.ID, { verbose }), one.JobID, String(one.JobVersion)],
        ...[one.Status, one.StatusDescription],
      ]),
    ),
  );
}

function isWholeId(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text);
}

// The server would call anything else an invalid UUID, in words of its own language.
function checked(prefix: string, what: string): string {
  if (/^[0-9a-f-]{2,36}$/.test(prefix)) return prefix;
  const article = /^[aeiou]/.test(what) ? "an" : "a";
  throw new Refusal(
    `${JSON.stringify(prefix)} is no id of ${article} ${what}: that is written in 0-9, a-f and dashes, at least its first two.`,
  );
}

interface Sought {
  readonly what: string;
  readonly prefix: string;
  /** As the tool words it. */
  readonly by: string;
}

function onlyOne<T>(found: readonly T[], { what, prefix, by }: Sought, lines: () => string): T {
  if (found.length === 1) return found[0]!;
  if (found.length === 0) throw new Refusal(`No ${what}(s) with ${by} ${JSON.stringify(prefix)} found`);
  throw new Refusal(`Prefix matched multiple ${what}s\n\n${lines().trimEnd()}`);
}
