import { OperationalError } from "@millwright/core/errors";
import type { Chance } from "@millwright/core/ports";
import { commitDraft } from "@millwright/records/commit";
import { folded } from "@millwright/records/table";
import type { LeaseId } from "@millwright/store/contract";
import { type CheckRecord, checkKey, type NodeRecord, nodeKey } from "./catalog-records.ts";
import { nodeHealthCheck, putCheck, putNode } from "./catalog-write.ts";
import { discoveryErrors } from "./errors.ts";
import { tokensOf } from "./membership-records.ts";
import { identityOf, tokenKey } from "./node-authorizer.ts";
import type { DiscoveryCommits, DiscoveryDraft } from "./state.ts";
import type { Row } from "./tables.ts";

export interface MembershipContext extends DiscoveryCommits {
  readonly chance: Chance;
  /** How long a node is held for alive after it was last heard of. */
  readonly livenessSeconds: number;
}

/**
 * Takes a node in: writes it to the catalog as alive, and gives the token it speaks with from now on; the tokens it had
 * before end. Rejects with `nameTaken` where another node of that name is alive.
 */
export async function joinNode(context: MembershipContext, node: NodeRecord): Promise<string> {
  const token = context.chance.uuid();
  await withLease(context, (lease) =>
    commitDraft(context, (draft) => {
      putNode(draft, node);
      for (const { key } of draft.state.list("nodetoken", tokensOf(node.name))) draft.delete("nodetoken", key);
      draft.put("nodetoken", tokenKey(token), { node: node.name, nodeId: node.id });
      bringAlive(draft, node, lease);
    }),
  );
  return token;
}

/** What a renewal tells the node. */
export interface Renewed {
  /** Whether the catalog has the node; where not, it registers itself again. */
  readonly known: boolean;
}

/**
 * Renews a node's liveness; nothing is committed while it is alive. After a lapse its check passes again. Rejects with
 * `unknownToken` where the token is no node's, and with `denied` where it is another's.
 */
export async function renewNode(
  context: MembershipContext,
  token: string,
  node: { readonly name: string; readonly id: string },
): Promise<Renewed> {
  const identity = await identify(context, token);
  if (folded(identity.node) !== folded(node.name) || folded(identity.nodeId) !== folded(node.id)) {
    const text = `the identity of node "${identity.node}" (${identity.nodeId}) asked for the liveness of`;
    throw new OperationalError(discoveryErrors.denied, `Permission denied: ${text} "${node.name}" (${node.id})`);
  }
  const { state } = context.projection;
  const live = state.row("live", nodeKey(node.name));
  if (live && (await context.store.renewLease(live.lease as LeaseId)) !== undefined) {
    const check = state.row("check", checkKey(node.name, nodeHealthCheck));
    const known = state.row("node", nodeKey(node.name)) !== undefined;
    // A restored archive, or somebody's request, may say something else of a node that is there.
    if (known && check?.status !== "passing") await commitDraft(context, (draft) => passAgain(draft, node.name));
    return { known };
  }
  const { value: known } = await withLease(context, (lease) =>
    commitDraft(context, (draft) => {
      bringAlive(draft, node, lease);
      return draft.row("node", nodeKey(node.name)) !== undefined;
    }),
  );
  return { known };
}

/** Writes that a node is alive no longer, unless it is. True where that is news. */
export function takeDown(draft: DiscoveryDraft, node: string, now: number): boolean {
  const check = draft.row("check", checkKey(node, nodeHealthCheck));
  if (draft.row("live", nodeKey(node)) || !draft.row("node", nodeKey(node))) return false;
  const isNews = check?.status !== "critical";
  if (isNews || !draft.row("down", nodeKey(node))) draft.put("down", nodeKey(node), { since: now });
  if (isNews) putCheck(draft, healthOf(node, "critical", "Agent not live or unreachable"));
  return isNews;
}

/** Which node a token is of. Rejects with `unknownToken`. */
export async function identify({ projection }: MembershipContext, token: string): Promise<Row<"nodetoken">> {
  const known = identityOf(projection.state, token);
  if (known) return known;
  // It may have joined at another server a moment ago.
  await projection.fresh();
  const identity = identityOf(projection.state, token);
  if (identity) return identity;
  throw new OperationalError(discoveryErrors.unknownToken, "ACL not found");
}

function bringAlive(
  draft: DiscoveryDraft,
  { name, id }: { readonly name: string; readonly id: string },
  lease: LeaseId,
): void {
  draft.put("live", nodeKey(name), { node: name, nodeId: id, lease }, lease);
  passAgain(draft, name);
}

function passAgain(draft: DiscoveryDraft, node: string): void {
  draft.delete("down", nodeKey(node));
  const known = draft.row("node", nodeKey(node));
  if (known) putCheck(draft, healthOf(known.name, "passing", "Agent alive and reachable"));
}

function healthOf(node: string, status: CheckRecord["status"], output: string): CheckRecord {
  return {
    node,
    checkId: nodeHealthCheck,
    name: "Serf Health Status",
    status,
    notes: "",
    output,
    serviceId: "",
    serviceName: "",
    serviceTags: [],
    type: "",
    interval: "",
    timeout: "",
    exposedPort: 0,
    definition: {},
  };
}

// A lease that nothing hangs on is ended, so that a refused join leaves nothing behind.
async function withLease<T>(
  { store, livenessSeconds }: MembershipContext,
  work: (lease: LeaseId) => Promise<T>,
): Promise<T> {
  const lease = await store.grantLease(livenessSeconds);
  try {
    return await work(lease);
  } catch (error) {
    await store.revokeLease(lease).catch(() => undefined);
    throw error;
  }
}
