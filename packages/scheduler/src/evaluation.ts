import type { JobId } from "@millwright/jobs/job";
import type { AllocId, DeploymentId, EvalId } from "./ids.ts";
import type { Sample } from "./select.ts";
import type { Moment } from "./time.ts";

/** The question: what shall become of this job? Why it is asked makes no difference to the answer. */
export interface Evaluation {
  readonly id: EvalId;
  readonly namespace: string;
  readonly job: JobId;
}

/** What the answer depends on besides the snapshot. */
export interface ScheduleOptions {
  readonly now: Moment;
  /** Decides between equally good nodes, and ports: the same seed gives the same answer. */
  readonly seed: string;
  readonly newAllocId: () => AllocId;
  readonly newDeploymentId: () => DeploymentId;
  /** By default a sample. */
  readonly sample?: Sample;
  /**
   * How much at most is written (see `Budget`): by default all. Asked again with the same `now` once this is applied, it goes on
   * where it left off.
   */
  readonly most?: number;
}
