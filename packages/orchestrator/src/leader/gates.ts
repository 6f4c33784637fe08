import { Semaphore } from "@millwright/core/concurrency";
import type { JobGates } from "@millwright/jobs/gates";
import { topicOf } from "@millwright/records/table";
import { questionOf } from "@millwright/scheduler/gating";
import type { DeploymentId } from "@millwright/scheduler/ids";
import { jobKey } from "@millwright/scheduler/snapshot";
import { lists } from "../keys.ts";
import type { DeploymentRecord } from "../records.ts";
import { GateWatch } from "./gate-watch.ts";
import { keepDoing, type Leader } from "./leading.ts";

/** So many looks are under way at a time: gates ask others' servers, which may be slow. */
const mostLooks = 64;

/**
 * Asks the gates of every rollout that wants to know, until the term ends. What they were asked, and what they said, is with the
 * rollout: the next leader asks on where this one ended, with patience anew; what a budget's probe has seen begins anew, too.
 */
export async function keepGates(leader: Leader): Promise<void> {
  const { context } = leader;
  const looks = new Semaphore(mostLooks);
  const watches = new Map<DeploymentId, GateWatch>();
  const ending: Promise<void>[] = [];
  const failure = Promise.withResolvers<never>();
  const fail = (error: unknown) => failure.reject(error);
  const follow = keepDoing(leader, { topics: [topicOf("deployment", lists.open)] }, () => {
    const { state } = context.projection;
    const records = [...state.list("deployment", lists.open)];
    const there = new Set(records.map(({ deployment }) => deployment.id));
    for (const [id, watch] of watches) {
      if (there.has(id)) continue;
      watches.delete(id);
      ending.push(watch.close());
    }
    for (const record of records) {
      const { deployment } = record;
      const gates = deployment.gating && gatesOf(leader, record);
      if (!gates) continue;
      const watch = watches.get(deployment.id) ?? new GateWatch(leader, record, { gates, looks, fail });
      watches.set(deployment.id, watch);
      watch.follow(questionOf(deployment));
    }
    return Promise.resolve({ at: undefined });
  });
  try {
    await Promise.race([follow, failure.promise]);
  } finally {
    for (const watch of watches.values()) ending.push(watch.close());
    await Promise.all(ending);
  }
}

function gatesOf({ context }: Leader, { deployment }: DeploymentRecord): JobGates | null | undefined {
  const { namespace, job, version } = deployment;
  const { jobs } = context.projection.state.derived.snapshot;
  return jobs.get(jobKey(namespace, job))?.versions.get(version)?.gates;
}
