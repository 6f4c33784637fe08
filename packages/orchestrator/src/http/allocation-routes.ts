import type { HttpReply } from "@millwright/core/http";
import { topicOf } from "@millwright/records/table";
import { allocId } from "@millwright/scheduler/ids";
import type { OrchestratorState } from "../state.ts";
import type { AllocationView } from "../world.ts";
import { lists } from "../keys.ts";
import { allocationJson, allocationStubJson } from "./allocation-json.ts";
import type { HttpContext } from "./context.ts";
import { notFound } from "./json-body.ts";
import { capability } from "./needs.ts";
import { flagOf } from "./query.ts";
import { answerList, answerOne, answerWrite, type Listing, positionOf } from "./reading.ts";
import type { Call, Route } from "./route.ts";
import { uuidOf, uuidPrefixOf } from "./uuid.ts";

/** `/v1/allocations` and `/v1/allocation/:id`. */
export function allocationRoutes(context: HttpContext): Route[] {
  return [
    {
      method: "GET",
      pattern: "/v1/allocations",
      permission: capability("read-job"),
      blocking: true,
      handle: (call) => listAllocations(context, call),
    },
    {
      method: "GET",
      pattern: "/v1/allocation/:id",
      permission: capability("read-job"),
      blocking: true,
      handle: (call) => showAllocation(context, call),
    },
    ...["PUT", "POST"].map((method): Route => {
      return {
        method,
        pattern: "/v1/allocation/:id/stop",
        permission: capability("alloc-lifecycle"),
        blocking: false,
        handle: (call) => stop(context, call),
      };
    }),
  ];
}

/** How allocations are listed; which ones, and what they depend on, its user says. */
export function allocationListing(call: Call): Omit<Listing<AllocationView>, "topics" | "items"> {
  const fields = {
    resources: flagOf(call.query, "resources", false),
    taskStates: flagOf(call.query, "task_states", true),
  };
  return {
    namespaceOf: ({ allocation }) => allocation.namespace,
    positionOf: ({ alloc }, state, { prefix }) => positionOf(alloc, state, prefix),
    whole: allocationJson,
    show: (view, state) => allocationStubJson(view, state, fields),
  };
}

function listAllocations(context: HttpContext, call: Call): Promise<HttpReply> {
  return answerList(context, call, {
    ...allocationListing(call),
    topics: [topicOf("alloc"), topicOf("client")],
    items: (state, prefix) =>
      [...state.rows("alloc", uuidPrefixOf(prefix, "alloc"))].flatMap(({ key }) => state.derived.allocation(key) ?? []),
  });
}

function showAllocation(context: HttpContext, call: Call): Promise<HttpReply> {
  const id = uuidOf(call.params.id, "alloc");
  const shown = (state: OrchestratorState) => {
    const view = state.derived.allocation(id);
    return view && isIn(view, call) ? view : undefined;
  };
  return answerOne(context, call, {
    absent: "alloc not found",
    topics: (state) => {
      const view = shown(state);
      if (!view) return [topicOf("alloc")];
      const list = lists.ofJob(view.allocation.namespace, view.allocation.job);
      return [topicOf("alloc", list), topicOf("client", list)];
    },
    changed: (state) => shown(state)?.modified ?? state.changedTopics([topicOf("alloc")]),
    value: (state) => {
      const view = shown(state);
      return view && allocationJson(view, state);
    },
  });
}

/** An allocation that is asked for by its id is found whichever namespace is named, as clients name none. */
function isIn({ allocation }: AllocationView, { query }: Call): boolean {
  const named = query.get("namespace") ?? "";
  return named === "" || named === "*" || named === allocation.namespace;
}

async function stop(context: HttpContext, call: Call): Promise<HttpReply> {
  const id = uuidOf(call.params.id, "alloc");
  await context.projection.fresh();
  if (!context.projection.state.derived.allocation(id)) throw notFound("allocation not found");
  const { evaluation, index } = await context.commands.stopAllocation(allocId(id));
  return answerWrite(context, call, index, { EvalID: evaluation, Index: index });
}
