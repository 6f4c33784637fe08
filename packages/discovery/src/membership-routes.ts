import { createHash, timingSafeEqual } from "node:crypto";
import { OperationalError } from "@millwright/core/errors";
import type { HttpReply } from "@millwright/core/http";
import { readBody } from "@millwright/core/http-body";
import { jsonReply } from "@millwright/core/http-reply";
import { topicOf } from "@millwright/records/table";
import { WireFields } from "@millwright/text/wire-fields";
import { type NodeRecord, nodeKey } from "./catalog-records.ts";
import { isNodeId, printable } from "./catalog-wire.ts";
import { discoveryErrors } from "./errors.ts";
import type { NodeIdentity } from "./identity.ts";
import { parseJson, readWire } from "./json-body.ts";
import { identify, joinNode, type MembershipContext, renewNode } from "./membership.ts";
import { badRequest } from "./parameters.ts";
import type { Call, Route } from "./route.ts";

export interface MembershipRoutesContext extends MembershipContext {
  readonly identity: NodeIdentity;
  /** What a node has to know to join; without one none may. */
  readonly joinToken: string | undefined;
  /** Whether it may without. */
  readonly openJoin: boolean;
}

const largestBody = 64 * 1024;
const complaint = "Request decode failed";

/** `/v1/millwright`: the seam between our nodes and our servers (docs/discovery.md, "The node seam"). */
export function membershipRoutes(context: MembershipRoutesContext): Route[] {
  return [
    {
      method: "PUT",
      pattern: "/v1/millwright/join",
      permission: { kind: "everyone", why: "the join token in the body is what allows it" },
      blocking: false,
      handle: (call) => join(context, call),
    },
    {
      method: "PUT",
      pattern: "/v1/millwright/liveness",
      permission: { kind: "everyone", why: "the token has to be the node's own, which the handler checks" },
      blocking: false,
      handle: (call) => renew(context, call),
    },
    {
      method: "GET",
      pattern: "/v1/millwright/whoami",
      permission: { kind: "everyone", why: "who has the token is the node" },
      blocking: false,
      handle: (call) => whoAmI(context, call),
    },
    {
      method: "GET",
      pattern: "/v1/millwright/nodes",
      permission: { kind: "needs", what: "node:read", of: () => [{ resource: "node", access: "read", name: "" }] },
      blocking: true,
      handle: (call) => joinedNodes(context, call),
    },
  ];
}

async function whoAmI(context: MembershipRoutesContext, call: Call): Promise<HttpReply> {
  const { node, nodeId } = await identify(context, call.token);
  return jsonReply({ Node: node, ID: nodeId }, false);
}

// Who is alive hangs on leases, which have no public index: whoever waits names the list that it has.
async function joinedNodes(context: MembershipRoutesContext, { request, query }: Call): Promise<HttpReply> {
  const { projection, clock } = context;
  await projection.fresh();
  const settled = new AbortController();
  const over = AbortSignal.any([request.signal, settled.signal]);
  const end = () => settled.abort();
  clock.sleep(longestLook, over).then(end, end);
  try {
    for (;;) {
      const changed = projection.changed({ kind: "topics", topics: [topicOf("live"), topicOf("nodetoken")] }, over);
      const answer = listNodes(context);
      if (answer.Version !== query.get("version") || over.aborted || projection.closed) return jsonReply(answer, false);
      await changed;
    }
  } finally {
    end();
  }
}

function listNodes({ projection: { state } }: MembershipRoutesContext) {
  const nodes = [...state.rows("nodetoken")].map(({ node, nodeId }) => {
    return { Node: node, ID: nodeId, Alive: state.row("live", nodeKey(node)) !== undefined };
  });
  return { Version: createHash("sha256").update(JSON.stringify(nodes)).digest("base64url"), Nodes: nodes };
}

/** A request that waits is answered after this at the latest, in milliseconds. */
const longestLook = 45_000;

async function join(context: MembershipRoutesContext, call: Call): Promise<HttpReply> {
  const body = parseJson(await readBody(call.request, largestBody, discoveryErrors.tooLarge), complaint);
  const fields = readWire(complaint, () => new WireFields(body, "the request to join"));
  const given = readWire(complaint, () => fields.text("JoinToken"));
  if (!context.openJoin) checkJoinToken(context.joinToken, given);
  const node = readWire(complaint, () => joiningNode(fields));
  const datacenter = readWire(complaint, () => fields.text("Datacenter"));
  const { identity, livenessSeconds } = context;
  if (datacenter !== "" && datacenter !== identity.datacenter)
    throw badRequest(`This server is of datacenter "${identity.datacenter}", and the node of "${datacenter}"`);
  const token = await joinNode(context, node);
  const answer = { NodeToken: token, Datacenter: identity.datacenter, LivenessTTL: `${livenessSeconds}s` };
  return jsonReply(answer, false);
}

async function renew(context: MembershipRoutesContext, call: Call): Promise<HttpReply> {
  const body = parseJson(await readBody(call.request, largestBody, discoveryErrors.tooLarge), complaint);
  const node = readWire(complaint, () => {
    const fields = new WireFields(body, "the renewal");
    return { name: fields.text("Node"), id: fields.text("ID") };
  });
  const { known } = await renewNode(context, call.token, node);
  // By how many they are, nodes spread what they ask of the servers.
  const nodes = context.projection.state.count("node");
  return jsonReply({ TTL: `${context.livenessSeconds}s`, Known: known, Nodes: nodes }, false);
}

function joiningNode(fields: WireFields): NodeRecord {
  const [name, id, address] = [printable(fields, "Node"), fields.text("ID"), fields.text("Address")];
  if (name === "" || address === "") throw badRequest("A node joins with its name (Node) and its address (Address)");
  if (!isNodeId(id)) throw badRequest(`Bad node ID: ${JSON.stringify(id)} is no UUID`);
  const taggedAddresses = fields.has("TaggedAddresses") ? fields.map("TaggedAddresses") : null;
  return { name, id, address, taggedAddresses, meta: fields.has("Meta") ? fields.map("Meta") : null };
}

function checkJoinToken(wanted: string | undefined, given: string): void {
  const refuse = (why: string): never => {
    throw new OperationalError(discoveryErrors.joinRefused, `Permission denied: ${why}`);
  };
  if (!wanted) return refuse("this server takes no nodes in: it was started without a join token");
  // Digests have one length, as the comparison in constant time needs.
  const digest = (text: string) => createHash("sha256").update(text).digest();
  if (!timingSafeEqual(digest(given), digest(wanted)))
    refuse(given === "" ? "a node joins with a join token, and none was given" : "the join token is not this server's");
}
