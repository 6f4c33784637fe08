import type { NomadCallOptions } from "@millwright/clients/nomad-api";
import type { DeploymentUpdate } from "@millwright/clients/nomad-records";
import { type Given, nomadCommand } from "../command.ts";
import { watchDeployment } from "../deployment-monitor.ts";
import { deploymentBlock, deploymentList } from "../deployment-view.ts";
import { findDeployment } from "../find.ts";
import { id } from "../format.ts";
import { isForMachines, machineFlags, printForMachines } from "../machine.ts";
import { monitorEvaluation } from "../monitor.ts";
import { monitorFlags, monitorOf } from "../monitor-flags.ts";

const { verbose } = monitorFlags;

/** `deployment list`. */
export const listDeployments = nomadCommand({
  usage: "[flags]",
  about: "Shows the deployments of all jobs, the newest first.",
  examples: ["deployment list"],
  flags: {
    filter: { kind: "string", value: "EXPRESSION", help: 'Only those for which it holds, as: Status == "running".' },
    verbose,
    ...machineFlags,
  },
  args: { least: 0, most: 0 },
  failure: "Error retrieving deployments",
  run: async ({ values, io, client }) => {
    const options = { signal: io.signal };
    const filter = values.filter === undefined ? {} : { filter: values.filter };
    if (isForMachines(values))
      return printForMachines((await client.read("/v1/deployments", filter, options)).value, values, io);
    const { value } = await client.deployments.list({ ...options, ...filter });
    await io.stdout(value.length === 0 ? "No deployments found\n" : deploymentList(value, values));
    return 0;
  },
});

/** `deployment status`. */
export const deploymentStatus = nomadCommand({
  usage: "[flags] DEPLOYMENT",
  about: "Shows how far a deployment is. The beginning of its id is enough.",
  examples: ["deployment status 5f9b8d9c", "deployment status -monitor 5f9b8d9c"],
  flags: { monitor: { kind: "bool", help: "Tell how it goes until it has ended." }, verbose, ...machineFlags },
  args: { least: 1, most: 1 },
  failure: "Error retrieving deployment",
  run: async (given) => {
    const { values, args, io, client, clock } = given;
    const options = { signal: io.signal };
    const found = await findDeployment(client, args[0]!, { ...options, verbose: values.verbose });
    const place = { namespace: found.Namespace };
    if (isForMachines(values)) {
      const { value } = await client.read(`/v1/deployment/${found.ID}`, {}, { ...options, ...place });
      return printForMachines(value, values, io);
    }
    if (values.monitor) return watchDeployment(found.ID, monitorOf(given, place));
    await io.stdout(deploymentBlock(found, { verbose: values.verbose, now: clock.now() }, io));
    return 0;
  },
});

/** Makes one change of the deployment that is named, says so, and tells what it leads to. Resolves to the exit code. */
async function carryOut(
  given: Given<typeof monitorFlags>,
  did: string,
  change: (id: string, place: NomadCallOptions) => Promise<DeploymentUpdate>,
): Promise<number> {
  const { values, args, io, client } = given;
  const found = await findDeployment(client, args[0]!, { signal: io.signal, verbose: values.verbose });
  const place = { namespace: found.Namespace };
  const { EvalID, RevertedJobVersion } = await change(found.ID, { ...place, signal: io.signal });
  await io.stdout(`Deployment ${JSON.stringify(id(found.ID, values))} ${did}\n`);
  if (RevertedJobVersion !== null) await io.stdout(`Job goes back to version ${RevertedJobVersion}\n`);
  if (EvalID === "") return 0;
  if (values.detach) {
    await io.stdout(`Evaluation ID: ${EvalID}\n`);
    return 0;
  }
  await io.stdout("\n");
  return monitorEvaluation(EvalID, monitorOf(given, place));
}

const changing = { usage: "[flags] DEPLOYMENT", flags: monitorFlags, args: { least: 1, most: 1 } } as const;

/** `deployment promote`. */
export const promoteDeployment = nomadCommand({
  ...changing,
  about: "Lets the canaries of a deployment take the place of what they were tried beside.",
  examples: ["deployment promote 5f9b8d9c"],
  flags: {
    group: { kind: "strings", value: "NAME", help: "Only this group's; may be given several times." },
    ...monitorFlags,
  },
  failure: "Error promoting deployment",
  run: (given) =>
    carryOut(given, "promoted", (id, place) => given.client.deployments.promote(id, given.values.group, place)),
});

/** `deployment fail`. */
export const failDeployment = nomadCommand({
  ...changing,
  about: "Gives a deployment up. Where its job has auto_revert, it goes back to its last stable version.",
  examples: ["deployment fail 5f9b8d9c"],
  failure: "Error failing deployment",
  run: (given) => carryOut(given, "failed", (id, place) => given.client.deployments.fail(id, place)),
});

/** `deployment pause`. */
export const pauseDeployment = nomadCommand({
  ...changing,
  about: "Stops a deployment from going further, until it is resumed.",
  examples: ["deployment pause 5f9b8d9c"],
  failure: "Error pausing deployment",
  run: (given) => carryOut(given, "paused", (id, place) => given.client.deployments.pause(id, place)),
});

/** `deployment resume`. */
export const resumeDeployment = nomadCommand({
  ...changing,
  about: "Lets a deployment that was paused go on.",
  examples: ["deployment resume 5f9b8d9c"],
  failure: "Error resuming deployment",
  run: (given) => carryOut(given, "resumed", (id, place) => given.client.deployments.resume(id, place)),
});
