import { OperationalError } from "@millwright/core/errors";
import type { HttpReply, HttpRequest, HttpService } from "@millwright/core/http";
import { textReply, wrongMethodReply } from "@millwright/core/http-reply";
import { compileRoutes, type RouteFinder } from "@millwright/core/routes";
import { forward } from "./forward.ts";
import { type Authorizer, checkPermissions } from "./permissions.ts";
import { badRequest } from "./request-body.ts";
import type { Call, Route } from "./route.ts";
import type { Servers } from "./servers.ts";
import { tokenOf } from "./token.ts";
import { WireMistake } from "@millwright/text/wire-fields";

/** Consul's whole HTTP API: `/v1/agent` from the routes, all else from a server. */
export function nodeService(options: {
  readonly routes: readonly Route[];
  readonly authorizer: Authorizer;
  readonly servers: Servers;
  readonly nodeName: string;
  /** Indent all JSON. */
  readonly pretty: boolean;
}): HttpService {
  const { servers, nodeName } = options;
  const dispatch = { ...options, find: compileRoutes(options.routes) };
  return async (request) => {
    if (!request.path.startsWith("/v1/agent/")) return forward(servers, request, nodeName);
    try {
      return await dispatchToRoute(request, dispatch);
    } catch (error) {
      if (error instanceof WireMistake) return textReply(400, error.message);
      if (error instanceof OperationalError) return textReply(error.kind.status, error.message);
      throw error;
    }
  };
}

interface Dispatch {
  readonly find: RouteFinder<Route>;
  readonly authorizer: Authorizer;
  readonly pretty: boolean;
}

async function dispatchToRoute(request: HttpRequest, { find, authorizer, pretty }: Dispatch): Promise<HttpReply> {
  const match = find(request.method, request.path);
  switch (match.kind) {
    case "unknown":
      return textReply(404, "Invalid URL path: not a recognized HTTP API endpoint\n");
    case "bad-encoding":
      return textReply(400, "The path is not UTF-8: names are text.");
    case "wrong-method":
      return wrongMethodReply(request, match.methods, `method ${request.method} not allowed`);
    case "found": {
      const { query } = request;
      refuseOtherPlaces(request);
      const token = tokenOf(request);
      const call: Call = {
        request,
        params: match.params,
        query,
        pretty: pretty || query.has("pretty"),
        token,
        grants: authorizer.grantsOf(token),
      };
      const { permission } = match.route;
      if (permission.kind === "needs") await checkPermissions(call.grants, permission.of(call));
      return match.route.handle(call);
    }
  }
}

function refuseOtherPlaces(request: HttpRequest): void {
  for (const [name, parameter] of [
    ["namespace", "ns"],
    ["partition", "partition"],
  ] as const) {
    const wanted = request.query.get(parameter) || request.header(`x-consul-${name}`) || "default";
    if (wanted !== "default") throw badRequest(`Invalid ${name} ${JSON.stringify(wanted)}: there is only "default".`);
  }
}
