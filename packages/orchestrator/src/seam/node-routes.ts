import type { NodeAllocation, NodeAllocations, Registered } from "@millwright/clients/nomad-node-protocol";
import type { HttpReply } from "@millwright/core/http";
import { jsonReply } from "@millwright/core/http-reply";
import { toApi } from "@millwright/jobs/api";
import { jobId } from "@millwright/jobs/job";
import { blockingRead } from "@millwright/records/blocking";
import { parseReadOptions } from "@millwright/records/read-options";
import { topicOf } from "@millwright/records/table";
import { nodeId } from "@millwright/scheduler/ids";
import { WireFields } from "@millwright/text/wire-fields";
import { refusal } from "../errors.ts";
import type { Commands } from "../commands.ts";
import type { OrchestratorContext } from "../context.ts";
import { readJsonBody } from "../http/json-body.ts";
import type { Call, Route } from "../http/route.ts";
import type { Signer } from "../identity/signer.ts";
import { jobVersionKey, lists } from "../keys.ts";
import type { AllocRecord } from "../records.ts";
import type { OrchestratorState } from "../state.ts";
import { issueIdentity } from "./issue-identity.ts";
import { checkNodeAddress } from "./node-address.ts";
import { readRegistration } from "./read-registration.ts";
import { readUpdates } from "./read-updates.ts";

export interface SeamContext extends OrchestratorContext {
  readonly commands: Commands;
  readonly signer: Signer;
}

/** `/v1/millwright/node`: the seam between our nodes and our jobs server (docs/node-protocol.md). */
export function nodeRoutes(context: SeamContext): Route[] {
  const at = (method: string, name: string, what: string, handle: Route["handle"], blocking = false): Route => {
    return { method, pattern: `/v1/millwright/node/${name}`, permission: { kind: "node", what }, blocking, handle };
  };
  return [
    at("PUT", "register", "the node itself", (call) => register(context, call)),
    at("GET", "allocations", "the node itself", (call) => allocations(context, call), true),
    at("GET", "job", "a node that has an allocation of it", (call) => jobVersion(context, call)),
    at("PUT", "updates", "the node that has the allocations", (call) => updates(context, call)),
    at("PUT", "identity", "the node that has the allocation", (call) => identity(context, call)),
  ];
}

async function register({ commands, identity: { region, datacenter } }: SeamContext, call: Call): Promise<HttpReply> {
  const registration = readRegistration(await readJsonBody(call.request));
  checkOwn(call, registration.ID);
  checkName(call, registration.Name);
  checkNodeAddress(registration.HTTPAddress, call.request.remote);
  if (registration.Region !== "" && registration.Region !== region)
    throw refusal(
      "badRequest",
      `This server is of region "${region}", and the node of "${registration.Region}". Start the agent with -region=${region}.`,
    );
  const index = await commands.registerNode(registration);
  const answer: Registered = { Region: region, Datacenter: datacenter };
  return jsonReply(answer, false, 200, { "x-nomad-index": String(index) });
}

async function allocations(context: SeamContext, call: Call): Promise<HttpReply> {
  const node = nodeId(checkOwn(call, call.query.get("node") ?? ""));
  const list = lists.onNode(node);
  await context.projection.fresh();
  if (!context.projection.state.row("node", node))
    throw refusal("unknownNode", `The node ${node} is not registered: it registers, and asks again.`);
  const topics = [topicOf("alloc", list)];
  const { index, value } = await blockingRead(
    context,
    parseReadOptions(call.query),
    { kind: "topics", topics },
    call.request,
    {
      index: (state) => state.indexOf(state.changedTopics(topics)),
      value: (state): NodeAllocations => {
        return { Allocations: [...state.list("alloc", list)].map((row) => forNode(row, state)) };
      },
    },
  );
  return jsonReply(value, false, 200, { "x-nomad-index": String(index) });
}

function forNode(row: AllocRecord & { readonly modified: number }, state: OrchestratorState): NodeAllocation {
  const { allocation } = row;
  const { holding, job, group, index, deployment } = allocation;
  return {
    ID: allocation.id,
    Namespace: allocation.namespace,
    JobID: job,
    JobVersion: allocation.version,
    JobSubmitTime:
      state.row("jobversion", jobVersionKey(allocation.namespace, job, allocation.version))?.submittedAt ?? 0,
    TaskGroup: group,
    Name: `${job}.${group}[${index}]`,
    Index: index,
    DesiredStatus: allocation.desired,
    DesiredDescription: row.description,
    AllocModifyIndex: state.indexOf(row.modified),
    ClientStatus: state.row("client", allocation.id)?.status ?? "pending",
    Ports: holding.ports.map(({ task, label, value, to }) => ({ Task: task, Label: label, Value: value, To: to })),
    Holding: { CPU: holding.cpu, Cores: holding.cores, MemoryMB: holding.memory, DiskMB: holding.disk },
    Deployment: deployment && { ID: deployment.id, Canary: deployment.canary },
    PreviousAllocation: row.waitsFor,
    CreateTime: allocation.created,
  };
}

// A job may hold what is not everybody's to read: a node sees those that it runs.
async function jobVersion({ projection }: SeamContext, call: Call): Promise<HttpReply> {
  const node = nodeId(checkOwn(call, call.query.get("node") ?? ""));
  const [namespace, job] = [call.query.get("namespace") ?? "default", jobId(call.query.get("job") ?? "")];
  const version = Number(call.query.get("version") ?? "");
  await projection.fresh();
  const { state } = projection;
  const isIts = [...state.list("alloc", lists.onNode(node))].some(
    ({ allocation: one }) => one.namespace === namespace && one.job === job && one.version === version,
  );
  if (!isIts)
    throw refusal("denied", `Permission denied: the node ${node} runs nothing of version ${version} of job "${job}"`);
  const row = state.row("jobversion", jobVersionKey(namespace, job, version));
  if (!row) throw refusal("notFound", `The job "${job}" has no version ${version}: it was purged.`);
  // Nodes have no use for its gates, which may hold tokens.
  return jsonReply(toApi({ ...row.job, gates: null }), false);
}

async function updates({ commands }: SeamContext, call: Call): Promise<HttpReply> {
  const fields = new WireFields(await readJsonBody(call.request), "the updates");
  const node = checkOwn(call, fields.text("NodeID"));
  const index = await commands.updateAllocations(nodeId(node), readUpdates(fields));
  return jsonReply({}, false, 200, { "x-nomad-index": String(index) });
}

async function identity(context: SeamContext, call: Call): Promise<HttpReply> {
  const fields = new WireFields(await readJsonBody(call.request), "the request for an identity");
  const node = nodeId(checkOwn(call, fields.text("NodeID")));
  const [allocation, task, name] = [fields.text("AllocationID"), fields.text("Task"), fields.text("Name")];
  return jsonReply(await issueIdentity(context, node, { allocation, task, name }), false);
}

/** Jobs are kept to nodes by their names: a node has the one by which it joined. */
function checkName({ node }: Call, name: string): void {
  if (node && node.name.toLowerCase() === name.toLowerCase()) return;
  throw refusal("denied", `Permission denied: the node "${node?.name}" registers as "${name}"`);
}

/** A node speaks for itself alone. Gives its id. */
function checkOwn({ node }: Call, asked: string): string {
  if (node && node.id === asked.toLowerCase()) return node.id;
  const who = node ? `the identity of node "${node.name}" (${node.id})` : "somebody without an identity";
  throw refusal("denied", `Permission denied: ${who} asked for what is the node's with the ID "${asked}"`);
}
