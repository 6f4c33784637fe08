import type { OrchestratorState } from "../state.ts";
import { jobKeyOf, lists } from "../keys.ts";
import type { EvalRecord } from "../records.ts";
import type { Moment } from "@millwright/scheduler/time";
import { topicOf } from "@millwright/records/table";
import { evaluateJob, type Subject } from "./evaluate.ts";
import { waitsItsTurn } from "./evaluation-end.ts";
import { earlier, keepDoing, type Leader } from "./leading.ts";

/** So many are carried out before it is looked for more urgent ones. */
const perRound = 64;

/** Carries out evaluations, one after another, as long as this server leads. */
export function keepEvaluating(leader: Leader): Promise<void> {
  const { context } = leader;
  return keepDoing(leader, { topics: [topicOf("eval", lists.open)] }, async () => {
    for (;;) {
      const { due, nextAt } = agenda(context.projection.state, context.clock.now());
      if (due.length === 0) return { at: nextAt };
      let revision = 0;
      for (const subject of due.slice(0, perRound)) revision = await evaluateJob(leader, subject);
      await context.projection.reached(revision);
    }
  });
}

/** The jobs that are to be looked at now, each once: by priority, then the one that waits longest first; and when the next is due. */
export function agenda(
  state: OrchestratorState,
  now: Moment,
): { readonly due: readonly Subject[]; readonly nextAt: Moment | undefined } {
  const urgent = new Map<string, EvalRecord>();
  let nextAt: Moment | undefined;
  for (const one of state.list("eval", lists.open)) {
    if (waitsItsTurn(one, now)) {
      nextAt = earlier(nextAt, one.waitUntil ?? undefined);
      continue;
    }
    const key = jobKeyOf(one.namespace, one.job);
    const known = urgent.get(key);
    if (!known || comesBefore(one, known) < 0) urgent.set(key, one);
  }
  const due = [...urgent.values()]
    .sort(comesBefore)
    .map(({ namespace, job }): Subject => ({ namespace, job, because: "pending" }));
  return { due, nextAt };
}

function comesBefore(a: EvalRecord, b: EvalRecord): number {
  return b.priority - a.priority || a.createdAt - b.createdAt;
}
