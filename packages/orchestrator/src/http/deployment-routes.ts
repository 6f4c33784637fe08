import type { AllocationUpdate } from "@millwright/clients/nomad-node-protocol";
import type { HttpReply } from "@millwright/core/http";
import { topicOf } from "@millwright/records/table";
import { isActive } from "@millwright/scheduler/deployment";
import { type DeploymentId, deploymentId } from "@millwright/scheduler/ids";
import type { OperatorEvent } from "../commands.ts";
import { lists } from "../keys.ts";
import type { AllocationView } from "../world.ts";
import { allocationListing } from "./allocation-routes.ts";
import type { HttpContext } from "./context.ts";
import { deploymentJson } from "./deployment-json.ts";
import { badRequest, notFound, readFields, readJsonBody } from "./json-body.ts";
import { capability } from "./needs.ts";
import { answerList, answerOne, answerWrite, positionOf } from "./reading.ts";
import type { Call, Route } from "./route.ts";
import { uuidOf, uuidPrefixOf } from "./uuid.ts";

/** `/v1/deployments` and `/v1/deployment/…`. */
export function deploymentRoutes(context: HttpContext): Route[] {
  const reads = (pattern: string, handle: Route["handle"]): Route => {
    return { method: "GET", pattern, permission: capability("read-job"), blocking: true, handle };
  };
  const writes = (name: string, handle: Route["handle"]): Route[] =>
    ["PUT", "POST"].map((method) => {
      const pattern = `/v1/deployment/${name}/:id`;
      return { method, pattern, permission: capability("submit-job"), blocking: false, handle };
    });
  return [
    reads("/v1/deployments", (call) => listDeployments(context, call)),
    reads("/v1/deployment/:id", (call) => showDeployment(context, call)),
    reads("/v1/deployment/allocations/:id", (call) => listAllocations(context, call)),
    ...writes("fail", (call) => change(context, call, { kind: "fail" })),
    ...writes("pause", async (call) => {
      const isPause = await readNamed(call, (fields) => fields.flag("Pause"));
      return change(context, call, { kind: isPause ? "pause" : "resume" });
    }),
    ...writes("promote", async (call) => change(context, call, await promotion(call))),
    ...writes("allocation-health", (call) => setHealth(context, call)),
  ];
}

function listDeployments(context: HttpContext, call: Call): Promise<HttpReply> {
  return answerList(context, call, {
    topics: [topicOf("deployment")],
    items: (state, prefix) => [...state.rows("deployment", uuidPrefixOf(prefix, "deployment"))],
    namespaceOf: ({ deployment }) => deployment.namespace,
    positionOf: (row, state, { prefix }) => positionOf(row, state, prefix),
    show: (row, state) => deploymentJson(row, state),
  });
}

function showDeployment(context: HttpContext, call: Call): Promise<HttpReply> {
  const id = uuidOf(call.params.id, "deployment");
  return answerOne(context, call, {
    absent: "deployment not found",
    topics: (state) => {
      const row = state.row("deployment", id);
      return [topicOf("deployment", row && lists.ofJob(row.deployment.namespace, row.deployment.job))];
    },
    changed: (state) => state.row("deployment", id)?.modified ?? state.changedTopics([topicOf("deployment")]),
    value: (state) => {
      const row = state.row("deployment", id);
      return row && deploymentJson(row, state);
    },
  });
}

function listAllocations(context: HttpContext, call: Call): Promise<HttpReply> {
  const id = deploymentId(uuidOf(call.params.id, "deployment"));
  return answerList(context, call, {
    ...allocationListing(call),
    topics: [topicOf("alloc", lists.ofDeployment(id)), topicOf("client")],
    items: (state) => state.derived.allocationsOfDeployment(id),
  });
}

async function change(context: HttpContext, call: Call, event: OperatorEvent): Promise<HttpReply> {
  const id = await activeDeployment(context, call, event.kind);
  if (event.kind === "promote" && event.groups?.length === 0)
    throw badRequest("Say which groups are promoted: All, or their names in Groups.");
  const { evaluation, index } = await context.commands.deploymentEvent(id, event);
  return answerWrite(context, call, index, changedJson(evaluation ?? "", index));
}

/** The deployment of a path. Throws where there is none, and in Nomad's words where it has ended. */
async function activeDeployment(
  { projection }: HttpContext,
  call: Call,
  what: keyof typeof refused,
): Promise<DeploymentId> {
  const id = deploymentId(uuidOf(call.params.id, "deployment"));
  await projection.fresh();
  const row = projection.state.row("deployment", id);
  if (!row) throw notFound("deployment not found");
  if (!isActive(row.deployment)) throw badRequest(`can't ${refused[what]} terminal deployment`);
  return id;
}

const refused = {
  promote: "promote",
  pause: "pause",
  resume: "resume",
  fail: "fail",
  health: "set health of allocations for a",
} as const;

function changedJson(evaluation: string, index: number): object {
  return {
    EvalID: evaluation,
    EvalCreateIndex: evaluation === "" ? 0 : index,
    DeploymentModifyIndex: index,
    RevertedJobVersion: null,
    Index: index,
  };
}

type Fields = Parameters<Parameters<typeof readFields>[2]>[0];

/** Reads a body that names the deployment of its path. */
async function readNamed<T>(call: Call, read: (fields: Fields) => T): Promise<T> {
  return readFields(await readJsonBody(call.request), "the request", (fields) => {
    const named = fields.text("DeploymentID");
    if (named === "") throw badRequest("DeploymentID must be specified");
    if (named !== call.params.id) throw badRequest("Deployment ID does not match");
    return read(fields);
  });
}

function promotion(call: Call): Promise<OperatorEvent> {
  return readNamed(call, (fields) => {
    const groups = fields.texts("Groups");
    return { kind: "promote", groups: fields.flag("All") ? null : groups };
  });
}

/** A user's word on allocations whose health is decided by hand: it is written as their nodes would have said it. */
async function setHealth(context: HttpContext, call: Call): Promise<HttpReply> {
  const { healthy, unhealthy } = await readNamed(call, (fields) => {
    return { healthy: fields.texts("HealthyAllocationIDs"), unhealthy: fields.texts("UnhealthyAllocationIDs") };
  });
  if (healthy.length + unhealthy.length === 0)
    throw badRequest("must specify at least one healthy/unhealthy allocation ID");
  const { projection, clock, commands } = context;
  const id = await activeDeployment(context, call, "health");
  const { derived } = projection.state;
  const views = [...healthy, ...unhealthy].map((one) => {
    const view = derived.allocation(one);
    if (view?.allocation.deployment?.id === id) return view;
    throw badRequest(`unknown allocation "${one}" in deployment "${id}"`);
  });
  let index = projection.state.indexOf(projection.applied);
  const wanted = new Set(healthy);
  for (const [node, some] of Map.groupBy(views, ({ allocation }) => allocation.node)) {
    const updates = some.map((view) => withHealth(view, wanted.has(view.allocation.id), clock.now()));
    index = Math.max(index, await commands.updateAllocations(node, updates));
  }
  return answerWrite(context, call, index, changedJson("", index));
}

function withHealth({ allocation, client }: AllocationView, isHealthy: boolean, at: number): AllocationUpdate {
  return {
    ID: allocation.id,
    ClientStatus: allocation.client,
    ClientDescription: client?.description ?? "",
    TaskStates: client?.tasks ?? {},
    Health: { Healthy: isHealthy, At: at, Why: "Said by a user" },
  };
}
