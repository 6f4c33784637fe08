import type { Job, TaskGroup } from "@millwright/jobs/job";
import type { Allocation } from "./allocation.ts";
import { hasEnded } from "./allocation.ts";
import type { Deployment } from "./deployment.ts";
import { rescheduleDecision } from "./reschedule.ts";
import type { JobKey, Snapshot } from "./snapshot.ts";
import type { Moment } from "./time.ts";

/**
 * Why less of a job runs than shall, where nothing but a new version will start it: the deployment of the version that holds failed, or
 * allocations did and are not placed anew any more; or gates stopped that deployment at its end. Undefined where nothing is missing, or what is missing comes by itself. Batch work
 * of which some is done is never stuck: a new version would do all of it again.
 */
export function whyStuck(snapshot: Snapshot, key: JobKey, now: Moment): string | undefined {
  const record = snapshot.jobs.get(key);
  const job = record?.versions.get(record.current);
  if (!record || !job || record.isStopped) return undefined;
  const own = (snapshot.allocationsByJob.get(key) ?? []).filter(
    ({ version, desired }) => version === record.current && desired === "run",
  );
  if (isBatch(job) && own.some(({ client }) => client === "complete")) return undefined;
  const byGroup = Map.groupBy(own, ({ group }) => group);
  const last = (snapshot.deploymentsByJob.get(key) ?? []).findLast(({ version }) => version === record.current);
  const hasFailed = last?.status === "failed";
  const groups = job.groups.map((group) => ({ group, members: byGroup.get(group.name) ?? [] }));
  const isMissing = groups.some(({ group, members }) => members.filter(runs).length < group.count);
  if (hasFailed && (isMissing || wasStopped(last))) return "its last deployment failed";
  const isLost = groups.some(({ group, members }) => members.some((one) => hasFailedForGood(one, group, now)));
  return isLost ? "it has failed, and is not placed anew by itself" : undefined;
}

/** Gates may be against what runs as a whole: they are asked again when it is tried again. */
function wasStopped({ gating }: Deployment): boolean {
  return gating?.decisions.at(-1)?.kind === "stop";
}

function isBatch({ type }: Job): boolean {
  return type === "batch" || type === "sysbatch";
}

function runs(allocation: Allocation): boolean {
  return !hasEnded(allocation) && allocation.healthy !== false;
}

function hasFailedForGood(allocation: Allocation, { reschedule, count }: TaskGroup, now: Moment): boolean {
  if (count === 0 || allocation.client !== "failed" || allocation.replacedBy !== null) return false;
  return rescheduleDecision(reschedule, allocation, now).kind === "never";
}
