import type { Term } from "@millwright/store/leadership";
import type { OrchestratorContext } from "../context.ts";
import type { Membership } from "../membership.ts";
import { keepUnblocking } from "./blocked.ts";
import { keepEvaluating } from "./broker.ts";
import { keepDeployments } from "./deployments.ts";
import { keepDraining } from "./drains.ts";
import { keepCollecting } from "./garbage.ts";
import { keepGates } from "./gates.ts";
import type { Leader } from "./leading.ts";
import { followMembers, Members } from "./members.ts";
import { keepNodes } from "./nodes.ts";

export interface LeaderContext extends OrchestratorContext {
  /** Says which nodes are alive. */
  readonly membership: Membership;
}

/**
 * All that one server alone does, for as long as its term lasts: evaluations are carried out, rollouts followed and their gates asked, nodes that come and
 * go seen to, drained ones emptied, and what is over forgotten. Each loop compares what is with what should be, so that a leader that
 * ends at any point leaves nothing undone that the next does not find.
 */
export async function runLeader(context: LeaderContext, term: Term): Promise<void> {
  const over = new AbortController();
  const leader: Leader = { context, term: { ...term, signal: AbortSignal.any([term.signal, over.signal]) } };
  const members = new Members(context.clock);
  const loops = [
    keepEvaluating(leader),
    keepUnblocking(leader),
    keepDeployments(leader),
    keepGates(leader),
    followMembers(leader, context.membership, members),
    keepNodes(leader, members),
    keepDraining(leader),
    keepCollecting(leader),
  ];
  try {
    await Promise.all(loops);
  } finally {
    over.abort();
    await Promise.allSettled(loops);
  }
}
