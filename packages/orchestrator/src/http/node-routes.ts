import { OperationalError } from "@millwright/core/errors";
import type { HttpReply } from "@millwright/core/http";
import { jsonReply } from "@millwright/core/http-reply";
import { topicOf } from "@millwright/records/table";
import { type NodeId, nodeId } from "@millwright/scheduler/ids";
import { orchestratorErrors } from "../errors.ts";
import { lists } from "../keys.ts";
import type { OrchestratorState } from "../state.ts";
import type { NodeView } from "../world.ts";
import { allocationJson } from "./allocation-json.ts";
import type { HttpContext } from "./context.ts";
import { notFound, readFields, readJsonBody } from "./json-body.ts";
import { access } from "./needs.ts";
import { nodeJson, nodeStubJson } from "./node-json.ts";
import { flagOf } from "./query.ts";
import { answerList, answerOne, answerWrite, isPretty, read, readHeaders } from "./reading.ts";
import type { Call, Route } from "./route.ts";
import { uuidOf, uuidPrefixOf } from "./uuid.ts";

/** `/v1/nodes` and `/v1/node/:id`. */
export function nodeRoutes(context: HttpContext): Route[] {
  const reads = (pattern: string, handle: Route["handle"]): Route => {
    return { method: "GET", pattern, permission: access("node", "read"), blocking: true, handle };
  };
  const writes = (tail: string, handle: Route["handle"]): Route[] =>
    ["PUT", "POST"].map((method) => {
      const pattern = `/v1/node/:id/${tail}`;
      return { method, pattern, permission: access("node", "write"), blocking: false, handle };
    });
  return [
    reads("/v1/nodes", (call) => listNodes(context, call)),
    reads("/v1/node/:id", (call) => showNode(context, call)),
    reads("/v1/node/:id/allocations", (call) => listAllocations(context, call)),
    ...writes("evaluate", (call) => evaluate(context, call)),
    ...writes("eligibility", (call) => setEligibility(context, call)),
    ...writes("drain", (call) => drain(context, call)),
    ...writes("purge", async (call) => {
      await knownNode(context, call);
      const text =
        "A node is not purged by hand: one that is away for good is forgotten by `system gc` once nothing of it is left.";
      throw new OperationalError(orchestratorErrors.notThereYet, text);
    }),
  ];
}

function listNodes(context: HttpContext, call: Call): Promise<HttpReply> {
  const fields = { resources: flagOf(call.query, "resources", false), os: flagOf(call.query, "os", false) };
  return answerList<NodeView>(context, call, {
    topics: [topicOf("node"), topicOf("nodestate")],
    items: (state, prefix) =>
      [...state.rows("node", uuidPrefixOf(prefix, "node"))].flatMap(({ key }) => state.derived.node(key) ?? []),
    positionOf: ({ node }) => ({ name: node.id }),
    whole: (view, state) => nodeJson(view, state, context.identity),
    show: (view, state) => nodeStubJson(view, state, fields),
  });
}

function showNode(context: HttpContext, call: Call): Promise<HttpReply> {
  const id = uuidOf(call.params.id, "node");
  const topics = [topicOf("node"), topicOf("nodestate")];
  return answerOne(context, call, {
    absent: "node not found",
    topics: () => topics,
    changed: (state) => state.derived.node(id)?.modified ?? state.changedTopics(topics),
    value: (state) => {
      const view = state.derived.node(id);
      return view && nodeJson(view, state, context.identity);
    },
  });
}

async function listAllocations(context: HttpContext, call: Call): Promise<HttpReply> {
  const id = nodeId((call.params.id ?? "").toLowerCase());
  const { index, value } = await read(context, call, {
    topics: () => [topicOf("alloc", lists.onNode(id)), topicOf("client", lists.onNode(id))],
    value: (state) => state.derived.allocationsOnNode(id).map((view) => allocationJson(view, state)),
  });
  return jsonReply(value, isPretty(context, call), 200, readHeaders(context, index));
}

/** Has all jobs looked at that have something on the node. */
async function evaluate(context: HttpContext, call: Call): Promise<HttpReply> {
  const { state, id } = await knownNode(context, call);
  const jobs = Map.groupBy(
    state.derived.allocationsOnNode(id).map(({ allocation }) => allocation),
    ({ namespace, job }) => JSON.stringify([namespace, job]),
  );
  let index = state.indexOf(context.projection.applied);
  const evaluations: string[] = [];
  for (const [first] of jobs.values()) {
    if (!first || !state.derived.job(first.namespace, first.job)) continue;
    const changed = await context.commands.evaluateJob(first.namespace, first.job);
    index = Math.max(index, changed.index);
    if (changed.evaluation !== null) evaluations.push(changed.evaluation);
  }
  return answerWrite(context, call, index, changedJson(index, evaluations));
}

async function setEligibility(context: HttpContext, call: Call): Promise<HttpReply> {
  const eligibility = readFields(await readJsonBody(call.request), "the request", (fields) =>
    fields.text("Eligibility"),
  );
  if (eligibility !== "eligible" && eligibility !== "ineligible")
    throw new OperationalError(orchestratorErrors.refused, `invalid scheduling eligibility "${eligibility}"`);
  const { id } = await knownNode(context, call);
  const index = await context.commands.setEligibility(id, eligibility === "eligible");
  return answerWrite(context, call, index, changedJson(index));
}

async function drain(context: HttpContext, call: Call): Promise<HttpReply> {
  const now = context.clock.now();
  const asked = readFields(await readJsonBody(call.request), "the request", (fields) => ({
    marksEligible: fields.flag("MarkEligible"),
    drain: fields.has("DrainSpec")
      ? readFields(fields.raw("DrainSpec"), "DrainSpec", (spec) => ({
          deadline: deadlineOf(spec.milliseconds("Deadline"), now),
          ignoresSystemJobs: spec.flag("IgnoreSystemJobs"),
        }))
      : null,
  }));
  const { id } = await knownNode(context, call);
  const index = await context.commands.drainNode(id, asked.drain, asked.marksEligible);
  return answerWrite(context, call, index, changedJson(index));
}

/** 0 waits for as long as it takes; below 0 all goes at once. */
function deadlineOf(milliseconds: number, now: number): number | null {
  return milliseconds === 0 ? null : now + Math.max(0, milliseconds);
}

async function knownNode({ projection }: HttpContext, call: Call): Promise<{ state: OrchestratorState; id: NodeId }> {
  const id = nodeId(uuidOf(call.params.id, "node"));
  await projection.fresh();
  if (!projection.state.row("node", id)) throw notFound("node not found");
  return { state: projection.state, id };
}

function changedJson(index: number, evaluations: readonly string[] = []): object {
  const hasAny = evaluations.length > 0;
  return {
    NodeModifyIndex: index,
    EvalIDs: hasAny ? evaluations : null,
    EvalCreateIndex: hasAny ? index : 0,
    Index: index,
  };
}
