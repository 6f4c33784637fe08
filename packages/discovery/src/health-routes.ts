import type { HttpReply } from "@millwright/core/http";
import { topicOf } from "@millwright/records/table";
import { answerList, type CatalogContext, type View } from "./catalog-context.ts";
import { checkJson, healthJson, type Instance } from "./catalog-json.ts";
import { type CheckStatus, checkLists, nodeKey, serviceLists } from "./catalog-records.ts";
import { listNothing, nameOf, needs, nodeRead, serviceRead } from "./catalog-routes.ts";
import { catalogTopics } from "./catalog-topics.ts";
import { filtered, hasMeta, hasTags } from "./list-query.ts";
import { type Grants, mayRead } from "./permissions.ts";
import type { Call, Route } from "./route.ts";
import type { Row } from "./tables.ts";

/** `/v1/health`. */
export function healthRoutes(context: CatalogContext): Route[] {
  const permission = needs("node:read and service:read; what may not be read is left out");
  const read = (pattern: string, handle: Route["handle"]): Route => {
    return { method: "GET", pattern, permission, blocking: true, handle };
  };
  return [
    read("/v1/health/node/*node", (call) => checksOnNode(context, call)),
    read("/v1/health/checks/*service", (call) => checksOfService(context, call)),
    read("/v1/health/state/*state", (call) => checksInState(context, call)),
    read("/v1/health/service/*service", (call) => healthOfService(context, call)),
    ...["connect/*service", "ingress/*service"].map((rest) =>
      read(`/v1/health/${rest}`, (call) => listNothing(context, call)),
    ),
  ];
}

function checksOnNode(context: CatalogContext, call: Call): Promise<HttpReply> {
  const list = checkLists.on(nameOf(call, "node", "node name"));
  return answerChecks(context, call, { topic: topicOf("check", list), of: ({ state }) => state.list("check", list) });
}

function checksOfService(context: CatalogContext, call: Call): Promise<HttpReply> {
  const list = checkLists.of(nameOf(call, "service", "service name"));
  return answerChecks(context, call, { topic: topicOf("check", list), of: ({ state }) => state.list("check", list) });
}

function checksInState(context: CatalogContext, call: Call): Promise<HttpReply> {
  const name = nameOf(call, "state", "check state");
  if (name === "any")
    return answerChecks(context, call, { topic: topicOf("check"), of: ({ state }) => state.rows("check") });
  // One that is in no state is in no list.
  const list = checkLists.state(name as CheckStatus);
  return answerChecks(context, call, { topic: topicOf("check", list), of: ({ state }) => state.list("check", list) });
}

function answerChecks(
  context: CatalogContext,
  call: Call,
  asked: { readonly topic: string; of(view: View): Iterable<Row<"check">> },
): Promise<HttpReply> {
  return answerList(context, call, {
    topics: [asked.topic, ...(call.query.has("node-meta") ? [topicOf("node")] : [])],
    answer: (view) => {
      const all = [...asked.of(view)];
      const readable = all.filter((check) => mayReadCheck(call.grants, check));
      const wanted = readable.filter((check) => hasMeta(view.query, view.state.row("node", nodeKey(check.node))));
      const value = filtered(view.query, wanted, (check) => checkJson(check, view));
      return { value, hidden: readable.length < all.length };
    },
    item: checkJson,
  });
}

interface InstanceHealth extends Instance {
  readonly checks: readonly Row<"check">[];
}

function healthOfService(context: CatalogContext, call: Call): Promise<HttpReply> {
  const service = nameOf(call, "service", "service name");
  return answerList(context, call, {
    topics: [catalogTopics.health(service)],
    answer: (view) => {
      const { state, query } = view;
      let hidden = false;
      const found: InstanceHealth[] = [];
      for (const instance of state.list("service", serviceLists.of(service))) {
        const node = state.row("node", nodeKey(instance.node));
        if (!node) continue;
        const readable = mayRead(call.grants, serviceRead(instance)) && mayRead(call.grants, nodeRead(node));
        hidden ||= !readable;
        if (!readable || !hasTags(query, instance) || !hasMeta(query, node)) continue;
        const checks = checksAbout(view, instance);
        if (!query.passing || checks.every(({ status }) => status === "passing"))
          found.push({ node, service: instance, checks });
      }
      const whole = { ...view, whole: true };
      return { value: filtered(query, found, (item) => healthJson(item, whole)), hidden };
    },
    item: healthJson,
  });
}

// Those of the node first: where it is not well nothing on it is.
function checksAbout({ state }: View, { node, id }: Row<"service">): Row<"check">[] {
  return [...state.list("check", checkLists.general(node)), ...state.list("check", checkLists.instance(node, id))];
}

function mayReadCheck(grants: Grants, check: Row<"check">): boolean {
  if (!mayRead(grants, nodeRead({ name: check.node }))) return false;
  return check.serviceName === "" || mayRead(grants, serviceRead({ name: check.serviceName }));
}
