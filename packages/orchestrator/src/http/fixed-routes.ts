import type { HttpReply } from "@millwright/core/http";
import { topicOf } from "@millwright/records/table";
import type { HttpContext } from "./context.ts";
import { access, everyone } from "./needs.ts";
import { answerList, answerOne } from "./reading.ts";
import type { Call, Route, RoutePermission } from "./route.ts";

/** `/v1/namespaces` and `/v1/node/pools`: there are always the same. */
export function fixedRoutes(context: HttpContext): Route[] {
  const known = everyone("clients ask it before anything else");
  const get = (pattern: string, permission: RoutePermission, handle: Route["handle"]): Route => {
    return { method: "GET", pattern, permission, blocking: false, handle };
  };
  return [
    get("/v1/namespaces", known, (call) => list(context, call, namespaces)),
    get("/v1/namespace/:name", known, (call) => show(context, call, namespaces, "Namespace not found")),
    get("/v1/node/pools", access("node", "read"), (call) => list(context, call, nodePools)),
    get("/v1/node/pool/:name", access("node", "read"), (call) => show(context, call, nodePools, "node pool not found")),
  ];
}

type Named = Readonly<Record<string, unknown>> & { readonly Name: string };

const always = { Meta: null, Hash: null, CreateIndex: 1, ModifyIndex: 1 } as const;

const namespaces: readonly Named[] = [
  {
    Name: "default",
    Description: "Default shared namespace",
    Quota: "",
    Capabilities: null,
    NodePoolConfiguration: null,
    ...always,
  },
];

const nodePools: readonly Named[] = [
  { Name: "all", Description: "Node pool with all nodes in the cluster.", SchedulerConfiguration: null, ...always },
  { Name: "default", Description: "Default node pool.", SchedulerConfiguration: null, ...always },
];

function list(context: HttpContext, call: Call, items: readonly Named[]): Promise<HttpReply> {
  return answerList(context, call, {
    topics: [topicOf("job")],
    items: (_, prefix) => items.filter(({ Name }) => Name.startsWith(prefix)),
    positionOf: ({ Name }) => ({ name: Name }),
    show: (item) => item,
  });
}

function show(context: HttpContext, call: Call, items: readonly Named[], absent: string): Promise<HttpReply> {
  const item = items.find(({ Name }) => Name === call.params.name);
  return answerOne(context, call, { absent, topics: () => [topicOf("job")], value: () => item });
}
