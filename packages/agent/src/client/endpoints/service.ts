import { createHash, timingSafeEqual } from "node:crypto";
import { forwardedHeader } from "@millwright/clients/forward";
import { bearerOf } from "@millwright/core/bearer";
import { OperationalError } from "@millwright/core/errors";
import type { HttpReply, HttpRequest, HttpService } from "@millwright/core/http";
import { emptyReply, jsonReply, textReply, wrongMethodReply } from "@millwright/core/http-reply";
import { compileRoutes, type RouteFinder } from "@millwright/core/routes";
import { allocationRoutes, collecting } from "./allocation-routes.ts";
import type { EndpointContext } from "./context.ts";
import { endpointErrors } from "./errors.ts";
import { fileRoutes } from "./file-routes.ts";
import { HostStatsReader } from "./host-stats.ts";
import { forwardAsNode } from "./own-node.ts";
import type { EndpointRoute } from "./route.ts";

export interface EndpointOptions extends EndpointContext {
  /** What servers show: see `NodeRegistration.Key`. Secret. */
  readonly key: string;
  /** Passes a request on to a server. */
  readonly forward: (request: HttpRequest) => Promise<HttpReply>;
}

/**
 * Nomad's HTTP API on a node. A server that shows the node's key is answered from what is here: it has checked who may ask. All else
 * goes to a server, which sends it back with the key where it is about this node, so that clients may ask any agent.
 */
export function nodeEndpoints(options: EndpointOptions): HttpService {
  const find = compileRoutes(endpointRoutes(options));
  return async (request) => {
    try {
      if (request.method === "GET" && request.path === "/v1/agent/health") return health();
      if (isKey(bearerOf(request), options.key)) return await answer(find, request);
      // A server's own request with an old key: sent back to it, it would come here again.
      if (request.header(forwardedHeader) !== undefined) throw wrongKey();
      return await forwardAsNode(request, options, options.forward);
    } catch (error) {
      if (error instanceof OperationalError) return textReply(error.kind.status, error.message);
      throw error;
    }
  };
}

/** The routes that are answered here, for documentation and tests. */
export function endpointRoutes(context: EndpointContext): readonly EndpointRoute[] {
  const host = new HostStatsReader(context.dataFolder, context.compute);
  return [
    ...fileRoutes(context),
    ...allocationRoutes(context),
    {
      method: "GET",
      pattern: "/v1/client/stats",
      handle: async ({ request }) => jsonReply(await host.read(context.clock.now()), request.query.has("pretty")),
    },
    ...collecting("/v1/client/gc", async () => {
      await context.allocations.collectGarbage();
      return emptyReply(200);
    }),
  ];
}

function health(): HttpReply {
  return jsonReply({ client: { ok: true, message: "ok" } }, false);
}

async function answer(find: RouteFinder<EndpointRoute>, request: HttpRequest): Promise<HttpReply> {
  const match = find(request.method, request.path);
  switch (match.kind) {
    case "unknown":
      return textReply(404, `This node does not answer ${request.path} itself.`);
    case "bad-encoding":
      return textReply(400, "The path is not UTF-8: names are text.");
    case "wrong-method":
      return wrongMethodReply(request, match.methods, "Invalid method");
    case "found":
      return match.route.handle({ request, params: match.params });
  }
}

function isKey(shown: string, key: string): boolean {
  return timingSafeEqual(digest(shown), digest(key));
}

function digest(text: string): Uint8Array {
  return createHash("sha256").update(text).digest();
}

function wrongKey(): OperationalError {
  const text = "This node has another key than the server shows: it was started anew. Try again in a moment.";
  return new OperationalError(endpointErrors.wrongKey, text);
}
