import { OperationalError } from "@millwright/core/errors";
import type { HttpReply, HttpRequest, HttpService } from "@millwright/core/http";
import { textReply, wrongMethodReply } from "@millwright/core/http-reply";
import { type Chance, type Clock, type Log, silentLog, systemChance, systemClock } from "@millwright/core/ports";
import { compileRoutes, type RouteFinder } from "@millwright/core/routes";
import { recordsErrors } from "@millwright/records/errors";
import { cleanGenerations } from "@millwright/records/generations";
import { Projection } from "@millwright/records/projection";
import { keepSweeping, sweepTombstones } from "@millwright/records/sweep";
import { type Store, storeErrors } from "@millwright/store/contract";
import { agentRoutes } from "./agent-routes.ts";
import { authorizeRoutes } from "./authorize-routes.ts";
import { catalogRoutes } from "./catalog-routes.ts";
import { discoveryErrors } from "./errors.ts";
import { eventRoutes } from "./event-routes.ts";
import { healthRoutes } from "./health-routes.ts";
import type { NodeIdentity } from "./identity.ts";
import { kvRoutes } from "./kv-routes.ts";
import { KvWriter } from "./kv-write.ts";
import { membershipRoutes } from "./membership-routes.ts";
import { joinNode } from "./membership.ts";
import { nodeAuthorizer } from "./node-authorizer.ts";
import { keepNodes } from "./node-keeper.ts";
import { operatorRoutes } from "./operator-routes.ts";
import { badRequest } from "./parameters.ts";
import { allowAll, type Authorizer, checkPermission, type Grants, isKnown } from "./permissions.ts";
import type { Call, Route } from "./route.ts";
import { schema } from "./schema.ts";
import { keepSessions } from "./session-keeper.ts";
import { sessionRoutes } from "./session-routes.ts";
import { snapshotRoutes } from "./snapshot-routes.ts";
import type { DiscoveryProjection } from "./state.ts";
import { statusRoutes } from "./status-routes.ts";
import { tokenOf } from "./token.ts";
import { txnRoutes } from "./txn-routes.ts";

export interface DiscoveryOptions {
  readonly store: Store;
  readonly identity: NodeIdentity;
  /** Without one everybody may do everything. */
  readonly authorizer?: Authorizer;
  /** What a node has to know to join; without one none may. */
  readonly joinToken?: string;
  /** Take in every node that asks, whatever it knows: where everybody may do everything anyway. */
  readonly openJoin?: boolean;
  /** How long a node is held for alive after it was last heard of; 10 s by default. */
  readonly livenessSeconds?: number;
  /** Indent all JSON, as a development server does. */
  readonly pretty?: boolean;
  readonly clock?: Clock;
  readonly chance?: Chance;
  readonly log?: Log;
}

/** The discovery server over one store; several may work over the same one. */
export interface Discovery {
  readonly handle: HttpService;
  /** What it answers, for documentation and tests. */
  readonly routes: readonly Route[];
  /** Takes in the node of this process, which needs no join token: gives the token it speaks with from now on. */
  join(node: JoiningNode): Promise<string>;
  /** Removes tombstones that are old enough; it does so by itself every minute. */
  sweep(): Promise<void>;
  /** Ends blocked queries with what there is, and its work in the background. The store stays open. */
  close(): Promise<void>;
}

/** A node as it joins. */
export interface JoiningNode {
  readonly name: string;
  /** A UUID. */
  readonly id: string;
  readonly address: string;
  readonly meta?: Readonly<Record<string, string>>;
  readonly taggedAddresses?: Readonly<Record<string, string>>;
}

/** Opens the discovery server: reads the state from the store, and follows it. */
export async function openDiscovery(options: DiscoveryOptions): Promise<Discovery> {
  const { store, identity, pretty = false, joinToken, openJoin = false, livenessSeconds = 10 } = options;
  const { clock = systemClock, chance = systemChance, log = silentLog } = options;
  const projection = await Projection.open(schema, { store, clock, log });
  const joining = { joinToken, openJoin, livenessSeconds };
  const context = { store, projection, clock, chance, log, identity, pretty, ...joining };
  const authorizer = nodeAuthorizer(options.authorizer ?? allowAll, () => projection.state);
  const routes = [
    ...kvRoutes({ ...context, writer: new KvWriter(context) }),
    ...txnRoutes(context),
    ...catalogRoutes(context),
    ...healthRoutes(context),
    ...sessionRoutes(context),
    ...eventRoutes(context),
    ...membershipRoutes(context),
    ...statusRoutes(context),
    ...operatorRoutes(context),
    ...authorizeRoutes(context),
    ...agentRoutes(context),
    ...snapshotRoutes(context),
  ];
  const closing = new AbortController();
  const background = Promise.all([
    cleanGenerations(context).then(() => keepSweeping(context, closing.signal)),
    keepSessions(context, closing.signal),
    keepNodes(context, closing.signal),
  ]);
  const find = compileRoutes(routes);
  return {
    routes,
    handle: (request) => answer(request, { find, authorizer, datacenter: identity.datacenter, projection }),
    join: ({ meta = null, taggedAddresses = null, ...node }) => joinNode(context, { ...node, meta, taggedAddresses }),
    sweep: () => sweepTombstones(context),
    close: async () => {
      closing.abort();
      await Promise.all([projection.close(), background]);
    },
  };
}

interface Dispatch {
  readonly find: RouteFinder<Route>;
  readonly authorizer: Authorizer;
  readonly datacenter: string;
  readonly projection: DiscoveryProjection;
}

async function answer(request: HttpRequest, dispatch: Dispatch): Promise<HttpReply> {
  const policy = { "x-consul-default-acl-policy": dispatch.authorizer.defaultPolicy };
  try {
    const reply = await dispatchToRoute(request, dispatch);
    return { ...reply, headers: { ...policy, ...reply.headers } };
  } catch (error) {
    if (!(error instanceof OperationalError)) throw error;
    // Clients know a server that has lost what it keeps its data in by these words and this header.
    const lost = [recordsErrors.noLeader.code, storeErrors.unavailable.code] as readonly string[];
    if (lost.includes(error.code))
      return textReply(500, "No cluster leader", { ...policy, "x-consul-knownleader": "false" });
    return textReply(error.kind.status, error.message, policy);
  }
}

async function dispatchToRoute(request: HttpRequest, dispatch: Dispatch): Promise<HttpReply> {
  const { find, datacenter } = dispatch;
  const match = find(request.method, request.path);
  switch (match.kind) {
    case "unknown":
      return unknownPath(request.path);
    case "bad-encoding":
      throw badRequest("The path is not UTF-8: keys are text.");
    case "wrong-method":
      return wrongMethodReply(request, match.methods, `method ${request.method} not allowed`);
    case "found": {
      const { query } = request;
      const token = tokenOf(request);
      const call: Call = { request, params: match.params, query, token, grants: await grantsOf(token, dispatch) };
      refuseUnprintable(match.params);
      refuseOtherPlaces(request, datacenter);
      const { permission } = match.route;
      if (permission.kind === "needs") for (const needed of permission.of(call)) checkPermission(call.grants, needed);
      return match.route.handle(call);
    }
  }
}

async function grantsOf(token: string, { authorizer, projection }: Dispatch): Promise<Grants> {
  const grants = authorizer.grantsOf(token);
  if (isKnown(grants)) return grants;
  // A node may have got its token at another server a moment ago.
  await projection.fresh();
  return authorizer.grantsOf(token);
}

function unknownPath(path: string): HttpReply {
  if (path === "/") return textReply(200, "Millwright: this is a server of Consul's HTTP API, under /v1/.\n");
  if (path.includes("/v1/")) return textReply(404, "Invalid URL path: not a recognized HTTP API endpoint\n");
  return textReply(404, "Invalid URL path: if attempting to use the HTTP API, ensure the path starts with '/v1/'\n");
}

// A key that cannot be seen cannot be found again: control characters in a path are a mistake of the client.
function refuseUnprintable(params: Readonly<Record<string, string>>): void {
  for (const value of Object.values(params)) {
    // Nearly all are plain ASCII, which is seen much faster.
    if (/^[ -~]*$/.test(value)) continue;
    if (/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.test(value))
      throw badRequest("The path has a character that cannot be printed.");
  }
}

function refuseOtherPlaces(request: HttpRequest, datacenter: string): void {
  const { query } = request;
  refuseOtherParts("namespace", (query.size > 0 && query.get("ns")) || request.header("x-consul-namespace"));
  refuseOtherParts("partition", (query.size > 0 && query.get("partition")) || request.header("x-consul-partition"));
  if (query.size === 0) return;
  const wanted = query.get("datacenter") || query.get("dc") || datacenter;
  if (wanted !== datacenter) throw new OperationalError(discoveryErrors.unknownDatacenter, "No path to datacenter");
  for (const name of ["peer", "sg"]) {
    if (query.get(name))
      throw badRequest(`Invalid query parameter: ${JSON.stringify(name)} - there are no peers here.`);
  }
}

function refuseOtherParts(what: "namespace" | "partition", name: string | false | undefined): void {
  if (name && name !== "default") throw badRequest(`Invalid ${what} ${JSON.stringify(name)}: there is only "default".`);
}
