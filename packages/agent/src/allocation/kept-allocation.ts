import type { NodeAllocation } from "@millwright/clients/nomad-node-protocol";
import { fromApi, toApi } from "@millwright/jobs/api";
import { canonical } from "@millwright/jobs/canonical";
import type { Job } from "@millwright/jobs/job";
import type { HealthState } from "@millwright/scheduler/health";
import type { KeptTask } from "./task-runner.ts";

/** An allocation as an agent that is started anew finds it. No secret in it. */
export interface KeptAllocation {
  readonly wanted: NodeAllocation;
  readonly job: Job;
  /** By name. */
  readonly tasks: Readonly<Record<string, KeptTask>>;
  readonly health: KeptHealth | null;
  /** Milliseconds since 1970; 0 while it goes on. */
  readonly endedAt: number;
}

/** How an allocation came up, in the rollout that it is part of; the empty text for none. */
export interface KeptHealth {
  readonly rollout: string;
  readonly state: HealthState;
  /** When that was decided; 0 before. */
  readonly at: number;
}

const version = 1;

export function encodeAllocation(kept: KeptAllocation): unknown {
  return { version, ...kept, job: toApi(kept.job) };
}

/** Undefined for what this version did not write. */
export function decodeAllocation(value: unknown): KeptAllocation | undefined {
  if (typeof value !== "object" || value === null || Reflect.get(value, "version") !== version) return undefined;
  // The agent alone writes there, each file whole.
  const { job, ...kept } = value as Omit<KeptAllocation, "job"> & { readonly job: unknown };
  return { ...kept, job: canonical(fromApi(job).value) };
}
