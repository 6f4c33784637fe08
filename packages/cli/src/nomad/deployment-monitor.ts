import { needsPromotion } from "@millwright/clients/nomad-deployments";
import type { AllocationListStub, Deployment } from "@millwright/clients/nomad-records";
import { wrapText } from "../views/style.ts";
import { deploymentBlock, saidText } from "./deployment-view.ts";
import { heading, line, type Monitor, pollMilliseconds, quoted } from "./monitor-lines.ts";
import { byGroup } from "@millwright/clients/nomad-placement";
import { tellingEvent } from "@millwright/clients/nomad-task-events";

/**
 * Tells how a deployment goes until it has ended, each change of a group in a line, and of one that goes back to an earlier
 * version also how that goes. Resolves to the exit code: 1 where it failed.
 */
export async function watchDeployment(deploymentId: string, monitor: Monitor): Promise<number> {
  const { io } = monitor;
  await heading(io, `Monitoring deployment ${quoted(deploymentId, monitor)}`);
  const deployment = await untilEnded(deploymentId, monitor);
  if (!deployment) return 0;
  const { Status, StatusDescription, JobVersion } = deployment;
  await heading(io, `Deployment ${quoted(deploymentId, monitor)} ${wordFor(Status)}`);
  await io.stdout(deploymentBlock(deployment, { verbose: monitor.verbose, now: monitor.clock.now() }, io));
  if (Status !== "failed") return 0;
  const target = /rolling back to job version (\d+)$/.exec(StatusDescription)?.[1];
  if (target === undefined) {
    await tellWhatToDo(deployment, monitor);
    return 1;
  }
  await heading(io, `Version ${JobVersion} goes back to what version ${target} was`);
  const next = await deploymentAfter(deployment, monitor);
  if (next !== undefined) await watchDeployment(next, monitor);
  return 1;
}

const endings: Readonly<Record<string, string>> = {
  successful: "successful",
  failed: "failed",
  cancelled: "cancelled",
  paused: 'paused: go on with it by "deployment resume"',
  blocked: "blocked",
};

function wordFor(status: string): string {
  return endings[status] ?? status;
}

async function untilEnded(deploymentId: string, monitor: Monitor): Promise<Deployment | undefined> {
  const { client, io, clock, place } = monitor;
  const options = { ...place, signal: io.signal };
  const groups = new Map<string, string>();
  const unhealthy = new Set<string>();
  const said = new Set<string>();
  for (;;) {
    const { value: deployment } = await client.deployments.get(deploymentId, options);
    if (!deployment) return undefined;
    for (const [name, group] of byGroup(deployment.TaskGroups)) {
      const text = progressOf(name, group);
      if (groups.get(name) !== text) await line(io, text);
      groups.set(name, text);
    }
    if (byGroup(deployment.TaskGroups).some(([, { UnhealthyAllocs }]) => UnhealthyAllocs > unhealthy.size)) {
      const { value: allocations } = await client.deployments.allocations(deploymentId, options);
      for (const one of allocations) if (isUnhealthy(one)) await tellUnhealthy(one, unhealthy, monitor);
    }
    await tellGates(deployment, said, monitor);
    if (deployment.Status in endings) return deployment;
    if (needsPromotion(deployment)) {
      await tellPromotion(deployment, monitor);
      return undefined;
    }
    await clock.sleep(pollMilliseconds, io.signal);
  }
}

function progressOf(name: string, group: Deployment["TaskGroups"][string]): string {
  const { DesiredTotal, DesiredCanaries, PlacedAllocs, HealthyAllocs, UnhealthyAllocs, Promoted } = group;
  const isCanary = DesiredCanaries > 0 && !Promoted;
  const wanted = isCanary ? DesiredCanaries : DesiredTotal;
  const what = isCanary ? "canaries " : "";
  const bad = UnhealthyAllocs > 0 ? `, ${UnhealthyAllocs} unhealthy` : "";
  return `Group ${JSON.stringify(name)}: ${HealthyAllocs} of ${wanted} ${what}healthy, ${PlacedAllocs} placed${bad}`;
}

function isUnhealthy({ DeploymentStatus }: AllocationListStub): boolean {
  return DeploymentStatus?.Healthy === false;
}

async function tellUnhealthy(one: AllocationListStub, told: Set<string>, monitor: Monitor): Promise<void> {
  if (told.has(one.ID)) return;
  told.add(one.ID);
  await line(
    monitor.io,
    `Allocation ${quoted(one.ID, monitor)} is unhealthy (${monitor.program} alloc status ${one.ID.slice(0, 8)})`,
  );
  for (const [task, { Events }] of byGroup(one.TaskStates)) {
    const reason = tellingEvent(Events);
    if (!reason) continue;
    const text = `Task ${JSON.stringify(task)}: ${reason.Type}: ${reason.DisplayMessage || reason.Message}`;
    for (const [i, part] of wrapText(text, monitor.io.view.width - 8).entries())
      await line(monitor.io, `${i === 0 ? "  " : "    "}${part}`);
  }
}

/** What the gates said since it was told last; what has them wait changes, and is told again with each change. */
async function tellGates({ Gates }: Deployment, told: Set<string>, { io }: Monitor): Promise<void> {
  if (!Gates) return;
  const { Batch, Wait, Decisions } = Gates;
  const waits = Wait ? [{ ...Wait, Batch, Decision: "wait" }] : [];
  for (const said of [...Decisions, ...waits]) {
    const text = `Gates after batch ${said.Batch}: ${saidText(said)}`;
    if (!told.has(text)) await line(io, text);
    told.add(text);
  }
}

async function tellPromotion({ ID, JobID }: Deployment, { io, program }: Monitor): Promise<void> {
  await line(io, "The canaries are healthy, and wait for somebody to decide:");
  await line(io, `  ${program} deployment promote ${ID.slice(0, 8)}    go on with all of ${JSON.stringify(JobID)}`);
  await line(io, `  ${program} deployment fail ${ID.slice(0, 8)}       give it up`);
}

async function tellWhatToDo({ JobID, JobVersion }: Deployment, { io, program }: Monitor): Promise<void> {
  if (JobVersion === 0)
    return line(io, "There is no earlier version to go back to: correct the job, and run it again.");
  await line(io, "Nothing goes back by itself (auto_revert). To do it:");
  await line(io, `  ${program} job history ${JobID}`);
  await line(io, `  ${program} job revert ${JobID} ${JobVersion - 1}`);
}

/** The deployment that goes back; undefined where the server began none within 10 s. */
async function deploymentAfter({ ID, JobID }: Deployment, monitor: Monitor): Promise<string | undefined> {
  const { client, io, clock, place } = monitor;
  const end = clock.monotonic() + 10_000;
  while (clock.monotonic() < end) {
    const { value } = await client.jobs.latestDeployment(JobID, { ...place, signal: io.signal });
    if (value && value.ID !== ID) return value.ID;
    await clock.sleep(pollMilliseconds, io.signal);
  }
  return undefined;
}
