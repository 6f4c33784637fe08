import type { Job } from "@millwright/jobs/job";
import type { Identity } from "@millwright/jobs/service";
import type { Task } from "@millwright/jobs/task";
import type { Allocation } from "@millwright/scheduler/allocation";
import type { JWTPayload } from "jose";

/** The names of the identities that a task has without asking. */
const ownIdentities = { api: "default", vault: "vault_default" } as const;

/** For whom the token is that a task trades at the secrets server. */
const vaultAudience = "vault.io";

/** How long a token holds whose block says nothing, in seconds. */
const usualSeconds = 3_600;

/** A task as one that has an identity. */
export interface Workload {
  readonly region: string;
  readonly allocation: Pick<Allocation, "id" | "namespace" | "job" | "group">;
  readonly job: Job;
  readonly task: Task;
}

/** What an identity of a task is for, and how long it holds; undefined for one that the task does not have. */
export function identityOf(
  { task }: Pick<Workload, "task">,
  name: string,
): { audience: readonly string[]; seconds: number } | undefined {
  const named = [...task.identities, ...(task.identity ? [task.identity] : [])];
  const block = named.find((one) => (one.name || ownIdentities.api) === name);
  if (block) return { audience: block.audience, seconds: secondsOf(block) };
  if (name === ownIdentities.api) return { audience: ["nomadproject.io"], seconds: usualSeconds };
  return name === ownIdentities.vault && task.vault ? { audience: [vaultAudience], seconds: usualSeconds } : undefined;
}

function secondsOf({ ttl }: Identity): number {
  return ttl > 0 ? Math.ceil(ttl / 1e9) : usualSeconds;
}

/** What a token says of a task: the claims that Nomad's workload identities have. Times are seconds since 1970. */
export function claimsOf(
  workload: Workload,
  name: string,
  times: { readonly now: number; readonly seconds: number; readonly audience: readonly string[] },
  id: string,
): JWTPayload {
  const { region, allocation, job, task } = workload;
  const { now, seconds, audience } = times;
  const parts = [region, allocation.namespace, allocation.job, allocation.group, task.name, name];
  return {
    sub: parts.join(":"),
    aud: audience.length === 1 ? audience[0]! : [...audience],
    iat: now,
    nbf: now,
    exp: now + seconds,
    jti: id,
    nomad_namespace: allocation.namespace,
    nomad_job_id: job.id,
    nomad_allocation_id: allocation.id,
    nomad_task: task.name,
  };
}
