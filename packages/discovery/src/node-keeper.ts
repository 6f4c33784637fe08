import { setImmediate } from "node:timers/promises";
import type { Log } from "@millwright/core/ports";
import { commitDraft } from "@millwright/records/commit";
import { topicOf } from "@millwright/records/table";
import { keepLeading, type Term } from "@millwright/store/leadership";
import { checkKey, nodeKey } from "./catalog-records.ts";
import { deleteNode, nodeHealthCheck } from "./catalog-write.ts";
import { layout } from "./layout.ts";
import { tokensOf } from "./membership-records.ts";
import { type MembershipContext, takeDown } from "./membership.ts";

export interface NodeKeeperContext extends MembershipContext {
  readonly log: Log;
  readonly identity: { readonly nodeName: string };
}

const lookEvery = 60_000;
/** A node that was not heard of for so long is taken out of the catalog. */
const forgetAfter = 72 * 3_600_000;
const nodesPerTurn = 500;

/**
 * Says in the catalog which of the nodes that joined are not alive, and forgets those that are gone for days; as long as this
 * server leads in it, until the signal aborts.
 */
export function keepNodes(context: NodeKeeperContext, signal: AbortSignal): Promise<void> {
  const { store, clock, chance, log, identity } = context;
  const options = { store, clock, chance, log, signal, key: layout.leader("nodes"), name: identity.nodeName };
  return keepLeading(options, (term) => watchNodes(context, term));
}

async function watchNodes(context: NodeKeeperContext, term: Term): Promise<void> {
  const { projection, clock } = context;
  while (!term.signal.aborted && !projection.closed) {
    const looked = new AbortController();
    const over = AbortSignal.any([term.signal, looked.signal]);
    // Asked for before looking: what changes meanwhile is not missed.
    const changed = projection.changed({ kind: "topics", topics: [topicOf("live")] }, over);
    for (const node of await nodesOutOfStep(context)) {
      if (term.signal.aborted) break;
      await settleNode(context, term, node);
    }
    await Promise.race([changed, clock.sleep(lookEvery, over).catch(() => undefined)]);
    looked.abort();
    await changed;
  }
}

// Who has joined, is not alive, and is not yet down as such, or is so for too long.
async function nodesOutOfStep({ projection, clock }: NodeKeeperContext): Promise<readonly string[]> {
  await projection.fresh();
  const names = new Set<string>();
  let looked = 0;
  for (const { node } of projection.state.rows("nodetoken")) {
    if (++looked % nodesPerTurn === 0) await setImmediate();
    const { state } = projection;
    const key = nodeKey(node);
    if (state.row("live", key)) continue;
    const down = state.row("down", key);
    const health = state.row("check", checkKey(node, nodeHealthCheck));
    if (!down || health?.status !== "critical" || clock.now() - down.since > forgetAfter) names.add(node);
  }
  return [...names];
}

async function settleNode(context: NodeKeeperContext, { fence }: Term, node: string): Promise<void> {
  const { clock, log } = context;
  const { value } = await commitDraft(context, (draft) => {
    draft.require(fence);
    const down = draft.row("down", nodeKey(node));
    if (takeDown(draft, node, clock.now())) return "down";
    if (!down || draft.row("live", nodeKey(node)) || clock.now() - down.since <= forgetAfter) return "as it was";
    deleteNode(draft, node);
    for (const { key } of draft.state.list("nodetoken", tokensOf(node))) draft.delete("nodetoken", key);
    return "forgotten";
  });
  if (value === "down") log.write("warn", "discovery: a node is not alive", { node });
  if (value === "forgotten") log.write("warn", "discovery: a node was not heard of for 72 hours: forgotten", { node });
}
