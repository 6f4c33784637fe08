import type { KvRecord } from "./kv-record.ts";
import type { DiscoveryDraft } from "./state.ts";

/** A write of a key that takes or gives back its lock. */
export interface LockRequest {
  readonly key: string;
  readonly record: KvRecord;
  readonly session: string;
}

export type LockOutcome =
  | { readonly kind: "done" }
  /** Another session has it, or, for a release, this one has not. */
  | { readonly kind: "refused" }
  /** A session that held it has ended a short while ago. */
  | { readonly kind: "delayed" }
  /** There is no such session, or it is over. */
  | { readonly kind: "invalid-session" };

/**
 * Takes a key for a session, and writes it. Whoever has it already may take it again, which writes the value and leaves the
 * lock as it is.
 */
export function acquireLock(draft: DiscoveryDraft, { key, record, session }: LockRequest): LockOutcome {
  if (!isSessionAlive(draft, session)) return { kind: "invalid-session" };
  const lock = draft.row("lock", key);
  if (lock?.session === session) {
    draft.put("kv", key, record);
    return { kind: "done" };
  }
  if (lock && lock.session !== "") return { kind: "refused" };
  // Read as absent, it is compared as absent when this is committed: on every server, whatever it has heard of so far.
  if (draft.row("delay", key)) return { kind: "delayed" };
  draft.rewrite("kv", key, record);
  draft.put("lock", key, { session, lockIndex: (lock?.lockIndex ?? 0) + 1 });
  return { kind: "done" };
}

/** Gives a key back, and writes it. Nobody has to wait then, as its holder has let go by itself. */
export function releaseLock(draft: DiscoveryDraft, { key, record, session }: LockRequest): LockOutcome {
  const lock = draft.row("lock", key);
  if (!lock || lock.session !== session) return { kind: "refused" };
  draft.rewrite("kv", key, record);
  draft.put("lock", key, { ...lock, session: "" });
  return { kind: "done" };
}

/** Whether a session may hold keys: also one that is not marked yet is over when it was not renewed in time. */
function isSessionAlive(draft: DiscoveryDraft, id: string): boolean {
  const session = draft.row("session", id);
  if (!session || session.ending) return false;
  return session.lease === "" || draft.row("life", id) !== undefined;
}
