import { bearerOf } from "@millwright/core/bearer";
import { OperationalError } from "@millwright/core/errors";
import type { HttpReply, HttpRequest, HttpService } from "@millwright/core/http";
import { textReply, wrongMethodReply } from "@millwright/core/http-reply";
import { compileRoutes, type RouteFinder } from "@millwright/core/routes";
import { recordsErrors } from "@millwright/records/errors";
import { storeErrors } from "@millwright/store/contract";
import { WireMistake } from "@millwright/text/wire-fields";
import { refusal } from "./errors.ts";
import type { ServerIdentity } from "./context.ts";
import { type Authorizer, checkPermission } from "./http/permissions.ts";
import { jobPathOf } from "./http/job-path.ts";
import type { Call, Route } from "./http/route.ts";
import type { Membership, NodeIdentity } from "./membership.ts";

export interface ServiceOptions {
  readonly routes: readonly Route[];
  readonly authorizer: Authorizer;
  readonly membership: Membership;
  readonly identity: Pick<ServerIdentity, "region">;
}

/** Answers by a table of routes. Here, and nowhere else, is checked whether a request may have what it asks for. */
export function jobsService(options: ServiceOptions): HttpService {
  const dispatch = { ...options, find: compileRoutes(options.routes), pathOf: jobPathOf(options.routes) };
  return async (request) => {
    try {
      return await dispatchToRoute(request, dispatch);
    } catch (error) {
      if (error instanceof WireMistake) return textReply(400, error.message);
      if (error instanceof OperationalError) return refusalOf(error);
      throw error;
    }
  };
}

const lost: readonly string[] = [recordsErrors.noLeader.code, storeErrors.unavailable.code];

// Clients know a server that has lost what it keeps its data in by these words and this header.
function refusalOf(error: OperationalError): HttpReply {
  if (lost.includes(error.code)) return textReply(500, "No cluster leader", { "x-nomad-knownleader": "false" });
  return textReply(error.kind.status, error.message);
}

interface Dispatch extends ServiceOptions {
  readonly find: RouteFinder<Route>;
  readonly pathOf: (path: string) => string;
}

async function dispatchToRoute(request: HttpRequest, dispatch: Dispatch): Promise<HttpReply> {
  const match = dispatch.find(request.method, dispatch.pathOf(request.path));
  switch (match.kind) {
    case "unknown":
      return unknownPath(request.path);
    case "bad-encoding":
      return textReply(400, "The path is not UTF-8: names are text.");
    case "wrong-method":
      return wrongMethodReply(request, match.methods, "Invalid method");
    case "found": {
      refuseOtherRegion(request, dispatch.identity);
      const call = await callOf(request, match.params, match.route, dispatch);
      return match.route.handle(call);
    }
  }
}

async function callOf(
  request: HttpRequest,
  params: Call["params"],
  { permission }: Route,
  { authorizer, membership }: Dispatch,
): Promise<Call> {
  const token = tokenOf(request);
  const { query } = request;
  const namespace = query.get("namespace") || request.header("x-nomad-namespace") || "default";
  const grants = authorizer.grantsOf(token);
  const node = permission.kind === "node" ? await identified(membership, token, request.signal) : undefined;
  const call = { request, params, query, token, namespace, grants, node };
  if (permission.kind === "needs") for (const needed of permission.of(call)) checkPermission(grants, needed);
  return call;
}

async function identified(membership: Membership, token: string, signal: AbortSignal): Promise<NodeIdentity> {
  const node = await membership.identify(token, signal);
  if (node) return node;
  const why = token === "" ? "no token was shown" : "the token is no node's";
  throw refusal("denied", `Permission denied: this is for nodes that have joined, and ${why}`);
}

/** The token that a request shows: Nomad's own header, or a bearer token. Secret. */
function tokenOf(request: HttpRequest): string {
  return request.header("x-nomad-token") || bearerOf(request);
}

function refuseOtherRegion({ query }: HttpRequest, { region }: Pick<ServerIdentity, "region">): void {
  const wanted = query.get("region");
  if (wanted && wanted !== region) throw refusal("otherRegion", "No path to region");
}

function unknownPath(path: string): HttpReply {
  if (path === "/") return textReply(200, "Millwright: this is a server of Nomad's HTTP API, under /v1/.\n");
  return textReply(404, "Invalid URL path: not a recognized HTTP API endpoint\n");
}
