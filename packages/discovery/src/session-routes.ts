import { OperationalError } from "@millwright/core/errors";
import type { HttpReply } from "@millwright/core/http";
import { readBody } from "@millwright/core/http-body";
import { jsonReply, textReply } from "@millwright/core/http-reply";
import type { Chance } from "@millwright/core/ports";
import { blockingRead } from "@millwright/records/blocking";
import { commitDraft } from "@millwright/records/commit";
import { parseReadOptions } from "@millwright/records/read-options";
import { topicOf } from "@millwright/records/table";
import type { LeaseId } from "@millwright/store/contract";
import { checkKey, nodeKey } from "./catalog-records.ts";
import { discoveryErrors } from "./errors.ts";
import type { NodeIdentity } from "./identity.ts";
import { checkPermission, type Permission } from "./permissions.ts";
import { readHeaders } from "./reply.ts";
import type { Call, Route, RoutePermission } from "./route.ts";
import { endSession, whyOver } from "./session-end.ts";
import { sessionJson } from "./session-json.ts";
import { sessionLists } from "./session-records.ts";
import { parseSession, type SessionRequest } from "./session-wire.ts";
import type { DiscoveryCommits, DiscoveryDraft, DiscoveryReads, DiscoveryState } from "./state.ts";
import type { Row } from "./tables.ts";

export interface SessionRoutesContext extends DiscoveryReads, DiscoveryCommits {
  readonly chance: Chance;
  readonly identity: NodeIdentity;
  readonly pretty: boolean;
}

const largestBody = 64 * 1024;
/** A session ends between its time to live and twice that after its last renewal, as clocks and networks are what they are. */
const ttlMultiplier = 2;
const longestLeaseSeconds = 86_400;

/** `/v1/session`. */
export function sessionRoutes(context: SessionRoutesContext): Route[] {
  const writing: RoutePermission = { kind: "needs", what: "session:write on the session's node", of: () => [] };
  const reading: RoutePermission = {
    kind: "needs",
    what: "session:read on the session's node; others are left out",
    of: () => [],
  };
  const write = (pattern: string, handle: Handler): Route => ({
    method: "PUT",
    pattern,
    permission: writing,
    blocking: false,
    handle: (call) => handle(context, call),
  });
  const read = (pattern: string, choose: Chooser): Route => ({
    method: "GET",
    pattern,
    permission: reading,
    blocking: true,
    handle: (call) => list(context, call, choose),
  });
  return [
    write("/v1/session/create", create),
    write("/v1/session/destroy/:id", destroy),
    write("/v1/session/renew/:id", renew),
    read("/v1/session/info/:id", ({ params }) => sessionLists.id(params.id ?? "")),
    read("/v1/session/node/:node", ({ params }) => sessionLists.on(params.node ?? "")),
    read("/v1/session/list", () => undefined),
  ];
}

type Handler = (context: SessionRoutesContext, call: Call) => Promise<HttpReply>;
/** The list that a read is about; undefined for all sessions. */
type Chooser = (call: Call) => string | undefined;

async function create(context: SessionRoutesContext, call: Call): Promise<HttpReply> {
  const asked = parseSession(await readBody(call.request, largestBody, discoveryErrors.tooLarge));
  // A node that passes a request on says which it is: its own sessions are meant.
  const node = asked.node || call.request.header("x-millwright-node") || context.identity.nodeName;
  const request = { ...asked, node };
  checkPermission(call.grants, sessionPermission("write", node));
  const seconds = Math.min(Math.ceil((request.ttlMilliseconds * ttlMultiplier) / 1000), longestLeaseSeconds);
  const lease = seconds > 0 ? await context.store.grantLease(seconds) : undefined;
  const id = context.chance.uuid();
  try {
    const { value: refusal } = await commitDraft(context, (draft) => addSession(draft, { id, request, lease }));
    if (refusal !== undefined) throw new OperationalError(discoveryErrors.refusedSession, refusal);
    return jsonReply({ ID: id }, isPretty(context, call));
  } catch (error) {
    // What was not made leaves no lease behind.
    if (lease) await context.store.revokeLease(lease).catch(ignoreOperational);
    throw error;
  }
}

interface NewSession {
  readonly id: string;
  readonly request: SessionRequest;
  readonly lease: LeaseId | undefined;
}

// Gives why it cannot be.
function addSession(draft: DiscoveryDraft, { id, request, lease }: NewSession): string | undefined {
  const { name, lockDelay, behavior, ttl, nodeChecks, serviceChecks } = request;
  const row = draft.row("node", nodeKey(request.node));
  if (!row) return `Missing node registration: there is no node ${JSON.stringify(request.node)} in the catalog`;
  for (const checkId of [...nodeChecks, ...serviceChecks.map((check) => check.id)]) {
    const check = draft.row("check", checkKey(row.name, checkId));
    if (!check) return `Missing check '${checkId}' registration`;
    if (check.status === "critical") return `Check '${checkId}' is in critical state`;
  }
  draft.put("session", id, {
    id,
    name,
    node: row.name,
    lockDelay,
    behavior,
    ttl,
    nodeChecks,
    serviceChecks,
    lease: lease ?? "",
    ending: false,
  });
  if (lease) draft.put("life", id, { session: id }, lease);
  return undefined;
}

async function destroy(context: SessionRoutesContext, call: Call): Promise<HttpReply> {
  const id = call.params.id ?? "";
  await context.projection.fresh();
  const session = context.projection.state.row("session", id);
  if (session) {
    checkPermission(call.grants, sessionPermission("write", session.node));
    await endSession(context, id);
  }
  return jsonReply(true, isPretty(context, call));
}

async function renew(context: SessionRoutesContext, call: Call): Promise<HttpReply> {
  const id = call.params.id ?? "";
  const { projection, store } = context;
  await projection.fresh();
  const session = projection.state.row("session", id);
  if (session) checkPermission(call.grants, sessionPermission("write", session.node));
  const alive = session && !whyOver(projection.state, session);
  const renewed = alive && (session.lease === "" || (await store.renewLease(session.lease as LeaseId)) !== undefined);
  if (!renewed) return textReply(404, `Session id '${id}' not found`);
  return jsonReply([sessionJson(session, projection.state)], isPretty(context, call));
}

async function list(context: SessionRoutesContext, call: Call, choose: Chooser): Promise<HttpReply> {
  const options = parseReadOptions(call.query);
  const name = choose(call);
  const topics = [topicOf("session", name)];
  const { index, value } = await blockingRead(context, options, { kind: "topics", topics }, call.request, {
    index: (state) => state.indexOf(state.changedTopics(topics)),
    value: (state) => sessionsOf(state, name).map((session) => ({ session, shown: sessionJson(session, state) })),
  });
  const mayRead = ({ session }: { readonly session: Row<"session"> }) =>
    call.grants.decide(sessionPermission("read", session.node)).kind === "allow";
  const seen = call.grants.unrestricted ? value : value.filter(mayRead);
  const stale = options.consistency === "stale";
  const headers = readHeaders({
    index,
    filtered: seen.length < value.length && call.token !== "",
    knownLeader: context.projection.knowsLeader,
    lastContact: stale ? context.projection.lastContact : 0,
    consistency: options.consistency,
  });
  return jsonReply(
    seen.map(({ shown }) => shown),
    isPretty(context, call),
    200,
    headers,
  );
}

function sessionsOf(state: DiscoveryState, list: string | undefined): Row<"session">[] {
  return [...(list === undefined ? state.rows("session") : state.list("session", list))];
}

function sessionPermission(access: "read" | "write", node: string): Permission {
  return { resource: "session", access, name: node };
}

function isPretty(context: SessionRoutesContext, call: Call): boolean {
  return context.pretty || call.query.has("pretty");
}

// The lease ends by itself where it cannot be revoked.
function ignoreOperational(error: unknown): void {
  if (!(error instanceof OperationalError)) throw error;
}
