import { setImmediate } from "node:timers/promises";
import { invariant } from "@millwright/core/errors";
import { commitDraft } from "@millwright/records/commit";
import type { Comparison, LeaseId } from "@millwright/store/contract";
import { checkKey, nodeKey } from "./catalog-records.ts";
import { lockLists, type SessionRecord } from "./session-records.ts";
import type { DiscoveryCommits, DiscoveryDraft, DiscoveryState } from "./state.ts";

/** Nobody is kept waiting for longer, whatever the session says. */
const longestLockDelay = 60_000;

/** Keys given back in one commit: each costs it three operations and as many comparisons. */
const keysPerCommit = 40;
/** Of their values, as all of a commit is a MiB at most. */
const bytesPerCommit = 512 * 1024;

/** Why a session is over; undefined while it is not. Pure. */
export function whyOver(state: DiscoveryState, session: SessionRecord): string | undefined {
  if (session.ending) return "it was ended";
  const { id, node, nodeChecks, serviceChecks } = session;
  if (!state.row("node", nodeKey(node))) return `the node ${node} is gone`;
  for (const checkId of [...nodeChecks, ...serviceChecks.map((check) => check.id)]) {
    const check = state.row("check", checkKey(node, checkId));
    if (!check) return `the check ${checkId} is gone`;
    if (check.status === "critical") return `the check ${checkId} is critical`;
  }
  if (session.lease !== "" && !state.row("life", id)) return "it was not renewed in time";
  return undefined;
}

export interface EndOptions {
  /** End it only where this is so on what the commit is made on. */
  readonly unless?: (draft: DiscoveryDraft, session: SessionRecord) => boolean;
  readonly fence?: Comparison;
}

/**
 * Ends a session: from its first commit on it takes no more keys; then the keys that it holds are released or deleted, each
 * with its delay in the same commit, and the session goes with the last of them. A server that dies in between leaves a
 * session that is marked as ending, and that the next one ends.
 */
export async function endSession(context: DiscoveryCommits, id: string, options: EndOptions = {}): Promise<void> {
  const marked = await commitDraft(context, (draft) => {
    const session = draft.row("session", id);
    if (!session || options.unless?.(draft, session)) return undefined;
    if (options.fence) draft.require(options.fence);
    if (!session.ending) draft.put("session", id, { ...session, ending: true });
    return session;
  });
  if (!marked.value) return;
  // Whatever it took before it was marked is known now, and it takes nothing more.
  await context.projection.reached(marked.revision);
  while (await giveBackSome(context, id)) await setImmediate();
  const { lease } = marked.value;
  if (lease !== "") await context.store.revokeLease(lease as LeaseId);
}

// Whether there is more to give back.
async function giveBackSome(context: DiscoveryCommits, id: string): Promise<boolean> {
  const { store, projection } = context;
  const { state } = projection;
  const session = state.row("session", id);
  if (!session) return false;
  const batch = keysHeld(state, id);
  const delay = Math.min(session.lockDelay, longestLockDelay);
  const lease = delay > 0 && batch.length > 0 ? await store.grantLease(Math.ceil(delay / 1000)) : undefined;
  let used = false;
  try {
    const { value, revision } = await commitDraft(context, (draft) => {
      const outcome = giveBack(draft, { id, keys: batch, lease });
      used = outcome.delayed;
      return outcome;
    });
    await projection.reached(revision);
    return value.more;
  } finally {
    if (lease && !used) await store.revokeLease(lease);
  }
}

// The first keys that a session holds, as many as one commit can give back.
function keysHeld(state: DiscoveryState, id: string): string[] {
  const keys: string[] = [];
  let bytes = 0;
  for (const { key } of state.list("lock", lockLists.held(id))) {
    bytes += (state.row("kv", key)?.value.byteLength ?? 0) + 4 * Buffer.byteLength(key);
    if (keys.length > 0 && (keys.length === keysPerCommit || bytes > bytesPerCommit)) break;
    keys.push(key);
  }
  return keys;
}

interface Batch {
  readonly id: string;
  readonly keys: readonly string[];
  /** For the keys' delay; none where there is no delay. */
  readonly lease: LeaseId | undefined;
}

function giveBack(
  draft: DiscoveryDraft,
  { id, keys, lease }: Batch,
): { readonly more: boolean; readonly delayed: boolean } {
  const session = draft.row("session", id);
  if (!session) return { more: false, delayed: false };
  let delayed = false;
  for (const key of keys) {
    const lock = draft.row("lock", key);
    if (!lock || lock.session !== id) continue;
    const entry = draft.row("kv", key);
    invariant(entry, `the key ${JSON.stringify(key)} has a lock and no value`);
    if (session.behavior === "delete") {
      draft.delete("kv", key);
      draft.delete("lock", key);
    } else {
      draft.rewrite("kv", key, entry);
      draft.put("lock", key, { ...lock, session: "" });
    }
    if (!lease) continue;
    draft.put("delay", key, { session: id }, lease);
    delayed = true;
  }
  const more = [...draft.state.list("lock", lockLists.held(id))].some(({ key }) => !keys.includes(key));
  if (!more) draft.delete("session", id);
  return { more, delayed };
}
