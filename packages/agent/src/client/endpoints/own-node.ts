import type { HttpReply, HttpRequest } from "@millwright/core/http";
import { jsonReply } from "@millwright/core/http-reply";
import type { EndpointContext } from "./context.ts";

type Forward = (request: HttpRequest) => Promise<HttpReply>;

/**
 * Passes a request on to a server, which checks what its caller may. Where the API means the agent that is asked, that is this node:
 * `GET /v1/agent/self` gets its part in the server's answer, `/v1/client/stats` and `/v1/client/gc` its name.
 */
export async function forwardAsNode(
  request: HttpRequest,
  context: EndpointContext,
  forward: Forward,
): Promise<HttpReply> {
  const { path, method, query } = request;
  const isOfNode = path === "/v1/client/stats" || path === "/v1/client/gc";
  if (isOfNode && !query.has("node_id")) return forward(named(request, context.nodeId));
  const reply = await forward(request);
  return method === "GET" && path === "/v1/agent/self" && reply.status === 200 ? withSelf(reply, context) : reply;
}

function named(request: HttpRequest, nodeId: string): HttpRequest {
  const query = new URLSearchParams([...request.query, ["node_id", nodeId]]);
  const { method, path, remote, contentLength, signal } = request;
  return {
    ...{ method, path, query, remote, signal },
    header: (name) => request.header(name),
    body: () => request.body(),
    ...(contentLength === undefined ? {} : { contentLength }),
  };
}

async function withSelf(reply: HttpReply, { nodeId, allocations }: EndpointContext): Promise<HttpReply> {
  const server = objectOf(JSON.parse(await textOf(reply)));
  const client = { node_id: nodeId, num_allocations: String(allocations.ids().length) };
  const config = objectOf(server["config"]);
  return jsonReply(
    {
      ...server,
      config: { ...config, Client: { ...objectOf(config["Client"]), Enabled: true } },
      stats: { ...objectOf(server["stats"]), client },
    },
    false,
  );
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

async function textOf({ body = "" }: HttpReply): Promise<string> {
  if (typeof body === "string") return body;
  if (body instanceof Uint8Array) return new TextDecoder().decode(body);
  const pieces: Uint8Array[] = [];
  for await (const piece of body) pieces.push(typeof piece === "string" ? Buffer.from(piece) : piece);
  return Buffer.concat(pieces).toString();
}
