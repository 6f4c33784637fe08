import type { HttpReply } from "@millwright/core/http";
import { topicOf } from "@millwright/records/table";
import type { OrchestratorState } from "../state.ts";
import type { HttpContext } from "./context.ts";
import { readMeta } from "./job-routes.ts";
import { badRequest, readFields, readJsonBody } from "./json-body.ts";
import type { Decision, Permission } from "./permissions.ts";
import { answerOne } from "./reading.ts";
import type { Call, Route } from "./route.ts";

/** `/v1/search`: names that begin alike, of several kinds at once. */
export function searchRoutes(context: HttpContext): Route[] {
  return ["PUT", "POST"].map((method) => ({
    method,
    pattern: "/v1/search",
    permission: { kind: "needs", what: "list-jobs or node:read, for each kind that is searched", of: () => [] },
    blocking: true,
    handle: (call) => search(context, call),
  }));
}

type Context = "allocs" | "jobs" | "nodes" | "evals" | "deployment";

const contexts: {
  readonly [C in Context]: (state: OrchestratorState, prefix: string, namespace: string) => readonly string[];
} = {
  jobs: (state, prefix, namespace) =>
    [...state.rows("job")]
      .filter((row) => isIn(row.namespace, namespace) && row.id.startsWith(prefix))
      .map(({ id }) => id),
  allocs: (state, prefix, namespace) =>
    [...state.rows("alloc", prefix)]
      .filter(({ allocation }) => isIn(allocation.namespace, namespace))
      .map(({ key }) => key),
  evals: (state, prefix, namespace) =>
    [...state.rows("eval", prefix)].filter((row) => isIn(row.namespace, namespace)).map(({ key }) => key),
  deployment: (state, prefix, namespace) =>
    [...state.rows("deployment", prefix)]
      .filter(({ deployment }) => isIn(deployment.namespace, namespace))
      .map(({ key }) => key),
  nodes: (state, prefix) => [...state.rows("node", prefix)].map(({ key }) => key),
};

/** Known to clients, and without anything to find here. */
const others: readonly string[] = ["node_pools", "plugins", "volumes", "scaling_policy", "vars", "namespaces"];

function isIn(namespace: string, wanted: string): boolean {
  return wanted === "*" || namespace === wanted;
}

const mostMatches = 20;

async function search(context: HttpContext, call: Call): Promise<HttpReply> {
  const asked = readFields(await readJsonBody(call.request), "the request", (fields) => {
    return { prefix: fields.text("Prefix"), context: fields.text("Context") || "all" };
  });
  const wanted = contextsOf(asked.context).filter((one) => mayRead(call, one));
  return answerOne(context, call, {
    absent: "nothing found",
    topics: () => ["job", "alloc", "eval", "deployment", "node"].map((table) => topicOf(table)),
    value: (state) => {
      const found = wanted.map(
        (one) => [one, contexts[one](state, prefixFor(one, asked.prefix), call.namespace)] as const,
      );
      return {
        Matches: Object.fromEntries(found.map(([one, names]) => [one, names.slice(0, mostMatches)])),
        Truncations: Object.fromEntries(found.map(([one, names]) => [one, names.length > mostMatches])),
        ...readMeta(state.indexOf(state.floor)),
      };
    },
  });
}

/** Ids are in lower case, however they are typed. */
function prefixFor(context: Context, prefix: string): string {
  return context === "jobs" ? prefix : prefix.toLowerCase();
}

function contextsOf(name: string): readonly Context[] {
  const all = Object.keys(contexts) as Context[];
  if (name === "all") return all;
  if (others.includes(name)) return [];
  const known = all.find((one) => one === name);
  if (known) return [known];
  throw badRequest(`context must be one of ${[...all, ...others].join(" ")} or 'all' for all contexts; got "${name}"`);
}

function mayRead({ grants, namespace }: Call, context: Context): boolean {
  const needed: Permission =
    context === "nodes"
      ? { resource: "node", access: "read" }
      : { resource: "namespace", capability: context === "jobs" ? "list-jobs" : "read-job", namespace };
  const decision: Decision = grants.decide(needed);
  return decision === "allow";
}
