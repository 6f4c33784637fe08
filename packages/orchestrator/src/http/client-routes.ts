import type { HttpReply, HttpRequest } from "@millwright/core/http";
import { OperationalError } from "@millwright/core/errors";
import { orchestratorErrors } from "../errors.ts";
import type { AllocationView } from "../world.ts";
import type { HttpContext } from "./context.ts";
import { badRequest, notFound } from "./json-body.ts";
import { access, capability } from "./needs.ts";
import { checkPermission } from "./permissions.ts";
import type { Capability } from "./permissions.ts";
import type { Call, Route, RoutePermission } from "./route.ts";

/** `/v1/client/…`: what only the node of an allocation can answer. The server passes it on, and the answer back as it comes. */
export function clientRoutes(context: HttpContext): Route[] {
  const ofAllocation = (method: string, pattern: string, needed: Capability): Route => ({
    method,
    pattern,
    permission: capability(needed),
    blocking: false,
    handle: (call) => toItsNode(context, call, needed),
  });
  const ofNode = (method: string, pattern: string, permission: RoutePermission): Route => ({
    method,
    pattern,
    permission,
    blocking: false,
    handle: (call) => toNamedNode(context, call),
  });
  return [
    ...["ls", "stat", "cat", "readat", "stream"].map((what) =>
      ofAllocation("GET", `/v1/client/fs/${what}/:id`, "read-fs"),
    ),
    ofAllocation("GET", "/v1/client/fs/logs/:id", "read-logs"),
    ofAllocation("GET", "/v1/client/allocation/:id/stats", "read-job"),
    ofAllocation("GET", "/v1/client/allocation/:id/checks", "read-job"),
    {
      ...ofAllocation("GET", "/v1/allocation/:id/checks", "read-job"),
      handle: (call) => {
        const request = atPath(call.request, `/v1/client/allocation/${call.params.id}/checks`);
        return toItsNode(context, { ...call, request }, "read-job");
      },
    },
    ...["PUT", "POST"].flatMap((method) => [
      ofAllocation(method, "/v1/client/allocation/:id/restart", "alloc-lifecycle"),
      ofAllocation(method, "/v1/client/allocation/:id/signal", "alloc-lifecycle"),
    ]),
    ...["GET", "PUT", "POST"].map((method) =>
      ofNoPage(ofAllocation(method, "/v1/client/allocation/:id/gc", "alloc-lifecycle")),
    ),
    {
      method: "GET",
      pattern: "/v1/client/allocation/:id/exec",
      permission: capability("alloc-exec"),
      blocking: false,
      handle: async (call) => {
        await knownAllocation(context, call);
        const text =
          "Running a command in an allocation is not there yet. Read its logs and files: alloc logs, alloc fs.";
        throw new OperationalError(orchestratorErrors.notThereYet, text);
      },
    },
    ofNode("GET", "/v1/client/stats", access("node", "read")),
    ...["GET", "PUT", "POST"].map((method) => ofNoPage(ofNode(method, "/v1/client/gc", access("node", "write")))),
  ];
}

// Reading methods are answered to any page of a browser; collecting garbage is one by its method alone.
function ofNoPage(route: Route): Route {
  return {
    ...route,
    handle: (call) => {
      const { request } = call;
      const from = request.header("sec-fetch-site") ?? "none";
      if (from === "same-origin" || from === "none") return route.handle(call);
      const text = `Permission denied: a page of elsewhere asks for ${request.path}`;
      throw new OperationalError(orchestratorErrors.denied, text);
    },
  };
}

function atPath(request: HttpRequest, path: string): HttpRequest {
  const { method, query, remote, signal } = request;
  return { method, path, query, header: (name) => request.header(name), body: () => request.body(), remote, signal };
}

async function toItsNode(context: HttpContext, call: Call, needed: Capability): Promise<HttpReply> {
  const { namespace, node } = (await knownAllocation(context, call)).allocation;
  checkPermission(call.grants, { resource: "namespace", capability: needed, namespace });
  return toNode(context, call, node);
}

async function knownAllocation({ projection }: HttpContext, call: Call): Promise<AllocationView> {
  await projection.fresh();
  const view = projection.state.derived.allocation((call.params.id ?? "").toLowerCase());
  if (!view) throw notFound(`Unknown allocation "${call.params.id}"`);
  return view;
}

async function toNamedNode(context: HttpContext, call: Call): Promise<HttpReply> {
  const id = (call.query.get("node_id") ?? "").toLowerCase();
  if (id === "") throw badRequest("No local Node and node_id not provided");
  await context.projection.fresh();
  return toNode(context, call, id);
}

async function toNode({ projection, nodes }: HttpContext, call: Call, id: string): Promise<HttpReply> {
  const view = projection.state.derived.node(id);
  if (!view) throw notFound(`Unknown node "${id}"`);
  const { registration } = view.row;
  if (view.node.status === "down") {
    const text = `No path to node "${registration.Name}" (${id}): it is down. What is there can be read when it is back.`;
    throw new OperationalError(orchestratorErrors.nodeUnreachable, text);
  }
  return nodes.send(registration, call.request);
}
