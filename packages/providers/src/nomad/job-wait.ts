import { needsPromotion } from "@millwright/clients/nomad-deployments";
import type { Deployment, Evaluation } from "@millwright/clients/nomad-records";
import { failure } from "@millwright/provider/problem";
import type { NomadConnection } from "./connection.ts";
import { unwellLines, unplacedLines } from "./job-reasons.ts";

/** What to wait for, and for how long. */
export interface Wait {
  readonly jobId: string;
  readonly namespace: string;
  /** Milliseconds. */
  readonly limit: number;
  readonly signal: AbortSignal;
  warn(summary: string, detail: string): void;
}

/**
 * Waits until what an evaluation began has come out well: the deployment that it belongs to is successful, or its canaries
 * wait for somebody's word. Undefined where there is no deployment, as of batch jobs. Throws a failure that says what went
 * wrong, allocation by allocation.
 */
export async function untilHealthy(
  connection: NomadConnection,
  evaluationId: string,
  wait: Wait,
): Promise<Deployment | undefined> {
  const end = connection.clock.monotonic() + wait.limit;
  const evaluation = await untilEvaluated(connection, evaluationId, wait, end);
  if (evaluation.DeploymentID !== "") return untilDeployed(connection, evaluation, wait, end);
  const unplaced = unplacedLines(evaluation.FailedTGAllocs);
  if (unplaced.length > 0) {
    const what = "They wait, and run as soon as there is room.";
    wait.warn(`Not all of ${JSON.stringify(wait.jobId)} has a place`, [...unplaced, what].join("\n"));
  }
  return undefined;
}

const pollMilliseconds = 300;

async function untilEvaluated(
  { client, clock }: NomadConnection,
  evaluationId: string,
  { jobId, namespace, limit, signal }: Wait,
  end: number,
): Promise<Evaluation> {
  let id = evaluationId;
  for (;;) {
    const { value: evaluation } = await client.evaluations.get(id, { namespace, signal });
    if (evaluation?.Status === "complete") {
      if (evaluation.NextEval === "") return evaluation;
      id = evaluation.NextEval;
      continue;
    }
    if (evaluation?.Status === "failed" || evaluation?.Status === "canceled") {
      const why = evaluation.StatusDescription || "The server says no reason.";
      throw failure(`${JSON.stringify(jobId)} could not be scheduled`, `Evaluation ${id} ${evaluation.Status}: ${why}`);
    }
    if (clock.monotonic() > end) {
      const advice = "Ask the servers for their leader, and how they are: nomad server members.";
      throw failure(
        `${JSON.stringify(jobId)} is not scheduled`,
        `Evaluation ${id} is not complete after ${seconds(limit)}. ${advice}`,
      );
    }
    await clock.sleep(pollMilliseconds, signal);
  }
}

async function untilDeployed(
  connection: NomadConnection,
  evaluation: Evaluation,
  wait: Wait,
  end: number,
): Promise<Deployment | undefined> {
  const { client, clock } = connection;
  const { jobId, namespace, signal, limit } = wait;
  for (;;) {
    const { value: deployment } = await client.deployments.get(evaluation.DeploymentID, { namespace, signal });
    if (!deployment || deployment.Status === "successful") return deployment;
    if (deployment.Status === "failed" || deployment.Status === "cancelled") {
      const title = `The deployment of ${JSON.stringify(jobId)} ${deployment.Status === "failed" ? "failed" : "was cancelled"}`;
      throw failure(title, await whyOf(connection, deployment, evaluation, wait));
    }
    if (needsPromotion(deployment)) {
      const how = `The canaries are healthy. Go on with all by "nomad deployment promote ${deployment.ID.slice(0, 8)}".`;
      wait.warn(`${JSON.stringify(jobId)} waits for somebody to decide`, how);
      return deployment;
    }
    if (clock.monotonic() > end) {
      const why = await whyOf(connection, deployment, evaluation, wait);
      const advice = `It goes on without this run. Allow it more time with timeouts { create = "…", update = "…" }.`;
      throw failure(`${JSON.stringify(jobId)} is not healthy after ${seconds(limit)}`, `${why}\n${advice}`);
    }
    await clock.sleep(pollMilliseconds, signal);
  }
}

async function whyOf(
  { client }: NomadConnection,
  { ID, Status, StatusDescription, TaskGroups }: Deployment,
  { FailedTGAllocs }: Evaluation,
  { namespace, signal }: Wait,
): Promise<string> {
  const { value: allocations } = await client.deployments.allocations(ID, { namespace, signal });
  const groups = Object.entries(TaskGroups).map(
    ([name, { HealthyAllocs, DesiredTotal }]) =>
      `Group ${JSON.stringify(name)}: ${HealthyAllocs} of ${DesiredTotal} healthy.`,
  );
  const head = `Deployment ${ID.slice(0, 8)} is ${Status}: ${StatusDescription}`;
  return [head, ...groups, ...unplacedLines(FailedTGAllocs), ...unwellLines(allocations)].join("\n");
}

function seconds(milliseconds: number): string {
  return `${Math.round(milliseconds / 1000)} s`;
}
