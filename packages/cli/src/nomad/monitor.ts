import type { AllocationListStub, Evaluation } from "@millwright/clients/nomad-records";
import { interruptedCode } from "../commands/interrupted.ts";
import { Refusal } from "./command.ts";
import { watchDeployment } from "./deployment-monitor.ts";
import { heading, line, type Monitor, pollMilliseconds, quoted } from "./monitor-lines.ts";
import { byGroup, failedGroupLines } from "@millwright/clients/nomad-placement";

/**
 * Tells how an evaluation goes, and then the deployment that it began, until that has ended. An interrupt only ends the
 * telling. Resolves to the exit code: 2 where something could not be placed, 1 where the deployment failed.
 */
export async function monitorEvaluation(evaluationId: string, monitor: Monitor): Promise<number> {
  const { io } = monitor;
  try {
    await heading(io, `Monitoring evaluation ${quoted(evaluationId, monitor)}`);
    const evaluation = await watchEvaluation(evaluationId, monitor);
    const code = await tellEnd(evaluation, monitor);
    const { DeploymentID } = evaluation;
    // What waits for room can wait for long: the rest of it is not stood by for.
    if (DeploymentID === "" || code !== 0 || monitor.until === "evaluated") return code;
    return await watchDeployment(DeploymentID, monitor);
  } catch (error) {
    if (!io.signal.aborted) throw error;
    await io.stdout("\nDetached: the job goes on without this command.\n");
    return interruptedCode(io);
  }
}

async function watchEvaluation(evaluationId: string, monitor: Monitor): Promise<Evaluation> {
  const { client, io, clock, place } = monitor;
  const options = { ...place, signal: io.signal };
  let status = "";
  let deployment = "";
  const known = new Map<string, string>();
  for (;;) {
    const { value: evaluation } = await client.evaluations.get(evaluationId, options);
    if (!evaluation) throw new Refusal(`The server knows no evaluation ${JSON.stringify(evaluationId)}.`);
    if (status === "") await line(io, `Evaluation triggered by ${triggerOf(evaluation, monitor)}`);
    if (evaluation.DeploymentID !== deployment) {
      deployment = evaluation.DeploymentID;
      await line(io, `Evaluation within deployment: ${quoted(deployment, monitor)}`);
    }
    const { value: allocations } = await client.evaluations.allocations(evaluationId, options);
    for (const allocation of allocations) await tellAllocation(allocation, evaluation, known, monitor);
    if (evaluation.Status !== (status || "pending")) {
      await line(io, `Evaluation status changed: "${status || "pending"}" -> "${evaluation.Status}"`);
    }
    status = evaluation.Status;
    if (!isOpen(status)) return evaluation;
    await clock.sleep(pollMilliseconds, io.signal);
  }
}

function isOpen(status: string): boolean {
  return status === "pending";
}

function triggerOf({ TriggeredBy, NodeID, JobID }: Evaluation, monitor: Monitor): string {
  return TriggeredBy === "node-update" ? `node ${quoted(NodeID, monitor)}` : `job ${JSON.stringify(JobID)}`;
}

async function tellAllocation(
  one: AllocationListStub,
  { CreateIndex }: Evaluation,
  known: Map<string, string>,
  monitor: Monitor,
): Promise<void> {
  const before = known.get(one.ID);
  known.set(one.ID, one.ClientStatus);
  const allocation = `Allocation ${quoted(one.ID, monitor)}`;
  const where = `node ${quoted(one.NodeID, monitor)}, group ${JSON.stringify(one.TaskGroup)}`;
  if (before === undefined) {
    const what = one.DesiredStatus === "run" && one.CreateIndex >= CreateIndex ? "created" : "modified";
    await line(monitor.io, `${allocation} ${what}: ${where}`);
  } else if (before !== one.ClientStatus) {
    await line(monitor.io, `${allocation} status changed: "${before}" -> "${one.ClientStatus}"`);
  }
}

async function tellEnd(evaluation: Evaluation, monitor: Monitor): Promise<number> {
  const { io, program } = monitor;
  const { ID, Status, StatusDescription, NextEval, BlockedEval, FailedTGAllocs, JobID } = evaluation;
  const ended = `Evaluation ${quoted(ID, monitor)} finished with status "${Status}"`;
  const failed = byGroup(FailedTGAllocs);
  if (failed.length === 0) {
    await heading(io, ended);
    if (Status === "complete") return 0;
    if (StatusDescription !== "") await line(io, StatusDescription);
    if (NextEval !== "") await line(io, `Monitoring next evaluation: ${quoted(NextEval, monitor)}`);
    return 2;
  }
  await heading(io, `${ended} but failed to place all allocations:`);
  for (const [group, metric] of failed) for (const text of failedGroupLines(group, metric)) await line(io, text);
  if (BlockedEval !== "") {
    await line(io, `Evaluation ${quoted(BlockedEval, monitor)} waiting for additional capacity to place remainder`);
    await line(io, `See what became of it: ${program} job status ${JobID}`);
  }
  return 2;
}
