import { messageOf, OperationalError } from "@millwright/core/errors";
import { type Committed, commitDraft } from "@millwright/records/commit";
import { topicOf } from "@millwright/records/table";
import type { Term } from "@millwright/store/leadership";
import type { OrchestratorContext } from "../context.ts";
import type { OrchestratorDraft } from "../state.ts";

/** What the leader's loops work with. */
export interface Leader {
  readonly context: OrchestratorContext;
  readonly term: Term;
}

/** A commit that only the leader of this term makes. */
export function commitAsLeader<T>(
  { context, term }: Leader,
  work: (draft: OrchestratorDraft) => T,
): Promise<Committed<T>> {
  return commitDraft(context, (draft) => {
    term.signal.throwIfAborted();
    draft.require(term.fence);
    return work(draft);
  });
}

/** One round of a loop: what it did says when it is to be done again, where nothing changes before; undefined for never. */
export type Round = () => Promise<{ readonly at: number | undefined }>;

export interface Occasions {
  /** Names of tables, and of lists as `TABLE/LIST`. */
  readonly topics: readonly string[];
  /** Something else that may change: resolves when it does. */
  readonly also?: (signal: AbortSignal) => Promise<void>;
}

/**
 * Does a round, and another whenever something has changed or its time has come, until the term ends. What the store refuses is tried
 * again: whether this server still leads is for its lease to say.
 */
export async function keepDoing({ context, term }: Leader, occasions: Occasions, round: Round): Promise<void> {
  const { projection, clock, log } = context;
  while (!term.signal.aborted && !projection.closed) {
    const looked = new AbortController();
    const over = AbortSignal.any([term.signal, looked.signal]);
    // Asked for before looking: what changes meanwhile is not missed.
    const waits = [projection.changed({ kind: "topics", topics: occasions.topics }, over)];
    if (occasions.also) waits.push(occasions.also(over));
    try {
      const { at } = await round();
      if (at !== undefined) waits.push(sleepUntil(at, context, over));
      await Promise.race(waits);
    } catch (error) {
      if (term.signal.aborted || !(error instanceof OperationalError)) throw error;
      log.write("warn", "orchestrator: the leader's work is held up", { error: messageOf(error) });
      await clock.sleep(retryAfter, term.signal);
    } finally {
      looked.abort(endOfRound);
      await Promise.all(waits);
    }
  }
}

/** How long after the store has refused it is tried again, in milliseconds. */
export const retryAfter = 500;

/** A reason that is there already: making an error for it each time takes longer than the rest. */
const endOfRound = "the round has ended";

/** Longer than this no timer can wait. */
const longest = 24 * 3_600_000;

function sleepUntil(at: number, { clock }: OrchestratorContext, signal: AbortSignal): Promise<void> {
  return clock.sleep(Math.min(longest, Math.max(0, at - clock.now())), signal).catch(() => undefined);
}

/** The earlier of two moments, of which there may be none. */
export function earlier(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined ? b : b === undefined ? a : Math.min(a, b);
}

export const topics = {
  nodes: topicOf("node"),
  nodeStates: topicOf("nodestate"),
  clients: topicOf("client"),
  allocations: topicOf("alloc"),
} as const;
