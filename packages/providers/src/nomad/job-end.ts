import type { Job } from "@millwright/jobs/job";
import type { NomadConnection } from "./connection.ts";

/** Which job's end to wait for. */
export interface End {
  readonly jobId: string;
  readonly namespace: string;
  readonly signal: AbortSignal;
  warn(summary: string, detail: string): void;
}

/**
 * Waits until the tasks of a job that was stopped have ended, so that what they used can be destroyed next: at most as long
 * as its tasks may take for it. What is still there then is told in a warning.
 */
export async function untilEnded({ client, clock }: NomadConnection, job: Job, end: End): Promise<void> {
  const { jobId, namespace, signal, warn } = end;
  const limit = clock.monotonic() + longestEnd(job) + slackMilliseconds;
  for (;;) {
    const { value: allocations } = await client.jobs.allocations(jobId, { namespace, signal, all: true });
    const open = allocations.filter(({ ClientStatus }) => ClientStatus === "running" || ClientStatus === "pending");
    if (open.length === 0) return;
    if (clock.monotonic() > limit) {
      const lines = open.map(({ ID, Name, NodeName }) => `Allocation ${ID.slice(0, 8)} (${Name}) on ${NodeName}`);
      const detail = `They were told to stop, and their nodes do not say that they have:\n${lines.join("\n")}`;
      return warn(`Tasks of ${JSON.stringify(jobId)} have not ended yet`, detail);
    }
    await clock.sleep(pollMilliseconds, signal);
  }
}

const pollMilliseconds = 300;
const slackMilliseconds = 10_000;

/** Milliseconds from the word to stop until the last task is killed. */
function longestEnd({ groups }: Job): number {
  const of = ({ shutdownDelay, tasks }: Job["groups"][number]) =>
    (shutdownDelay ?? 0) + Math.max(0, ...tasks.map((task) => (task.shutdownDelay ?? 0) + task.killTimeout)) * 2;
  return Math.max(0, ...groups.map(of)) / 1e6;
}
