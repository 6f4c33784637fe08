import type { HttpReply } from "@millwright/core/http";
import { topicOf } from "@millwright/records/table";
import { evalId } from "@millwright/scheduler/ids";
import type { OrchestratorRow, OrchestratorState } from "../state.ts";
import { allocationListing } from "./allocation-routes.ts";
import type { HttpContext } from "./context.ts";
import { evaluationJson } from "./evaluation-json.ts";
import { lists } from "../keys.ts";
import { badRequest } from "./json-body.ts";
import { parseListOptions } from "./list-options.ts";
import { capability } from "./needs.ts";
import { answerList, answerOne, type Listing, positionOf } from "./reading.ts";
import type { Call, Route } from "./route.ts";
import { readMeta } from "./job-routes.ts";
import { uuidOf, uuidPrefixOf } from "./uuid.ts";

type Evaluation = OrchestratorRow<"eval">;

/** `/v1/evaluations` and `/v1/evaluation/:id`. */
export function evaluationRoutes(context: HttpContext): Route[] {
  const reads = (pattern: string, handle: Route["handle"]): Route => {
    return { method: "GET", pattern, permission: capability("read-job"), blocking: true, handle };
  };
  return [
    reads("/v1/evaluations", (call) => answerList(context, call, evaluationListing(call))),
    reads("/v1/evaluations/count", (call) => count(context, call)),
    reads("/v1/evaluation/:id", (call) => showEvaluation(context, call)),
    reads("/v1/evaluation/:id/allocations", (call) => listAllocations(context, call)),
  ];
}

function evaluationListing({ query }: Call): Listing<Evaluation> {
  const [job, status] = [query.get("job") ?? "", query.get("status") ?? ""];
  if ((job !== "" || status !== "") && query.get("filter"))
    throw badRequest("Filter expression cannot be used with other filter parameters");
  return {
    topics: [topicOf("eval")],
    items: (state, prefix) =>
      [...state.rows("eval", uuidPrefixOf(prefix, "eval"))].filter(
        (row) => (job === "" || row.job === job) && (status === "" || row.status === status),
      ),
    namespaceOf: ({ namespace }) => namespace,
    positionOf: (row, state, { prefix }) => positionOf(row, state, prefix),
    show: (row, state) => evaluationJson(row, state),
  };
}

function count(context: HttpContext, call: Call): Promise<HttpReply> {
  const listing = evaluationListing(call);
  const options = parseListOptions(call.query);
  return answerOne(context, call, {
    absent: "evaluations not found",
    topics: () => listing.topics,
    value: (state) => {
      const rows = listing.items(state, options.prefix);
      const wanted = rows.filter(({ namespace }) => call.namespace === "*" || namespace === call.namespace);
      const chosen = options.filter?.select(wanted.map((row) => evaluationJson(row, state)));
      if (chosen && !chosen.ok) throw badRequest(chosen.why);
      const index = state.indexOf(state.changedTopics(listing.topics));
      return { Count: chosen ? chosen.items.length : wanted.length, ...readMeta(index) };
    },
  });
}

function showEvaluation(context: HttpContext, call: Call): Promise<HttpReply> {
  const id = uuidOf(call.params.id, "failed to lookup eval: eval");
  const isRelated = call.query.get("related") === "true";
  return answerOne(context, call, {
    absent: "eval not found",
    topics: (state) => {
      const row = state.row("eval", id);
      return [row ? topicOf("eval", lists.ofJob(row.namespace, row.job)) : topicOf("eval")];
    },
    changed: (state) => state.row("eval", id)?.modified ?? state.changedTopics([topicOf("eval")]),
    value: (state) => {
      const row = state.row("eval", id);
      return row && evaluationJson(row, state, isRelated ? relatedTo(row, state) : []);
    },
  });
}

/** Those that led to it, and those that it led to. */
function relatedTo(row: Evaluation, state: OrchestratorState): readonly Evaluation[] {
  const found = new Map<string, Evaluation>();
  const open = [row];
  for (let one = open.pop(); one; one = open.pop()) {
    for (const id of [one.next, one.previous, one.blocked]) {
      const other = id === null || id === row.id || found.has(id) ? undefined : state.row("eval", id);
      if (!other) continue;
      found.set(other.id, other);
      open.push(other);
    }
  }
  return [...found.values()];
}

function listAllocations(context: HttpContext, call: Call): Promise<HttpReply> {
  const id = evalId(uuidOf(call.params.id, "eval"));
  return answerList(context, call, {
    ...allocationListing(call),
    topics: [topicOf("alloc", lists.ofEvaluation(id)), topicOf("client")],
    items: (state) => state.derived.allocationsOfEvaluation(id),
  });
}
