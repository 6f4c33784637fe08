import type { DeploymentUpdate } from "@millwright/clients/nomad-records";
import { type Given, nomadCommand } from "../command.ts";
import { watchDeployment } from "../deployment-monitor.ts";
import { deploymentBlock, deploymentList } from "../deployment-view.ts";
import { findDeployment } from "../find.ts";
import { isForMachines, machineFlags, printForMachines } from "../machine.ts";
import { monitorEvaluation } from "../monitor.ts";

const verbose = { kind: "bool", help: "Show whole ids." } as const;

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
  run: async ({ values, args, io, client, clock, program }) => {
    const options = { signal: io.signal };
    const found = await findDeployment(client, args[0]!, { ...options, verbose: values.verbose });
    const place = { namespace: found.Namespace };
    if (isForMachines(values)) {
      const { value } = await client.read(`/v1/deployment/${found.ID}`, {}, { ...options, ...place });
      return printForMachines(value, values, io);
    }
    if (values.monitor)
      return watchDeployment(found.ID, {
        client,
        io,
        clock,
        program,
        verbose: values.verbose,
        until: "deployed",
        place,
      });
    await io.stdout(deploymentBlock(found, { verbose: values.verbose, now: clock.now() }, io));
    return 0;
  },
});

const changeFlags = {
  detach: { kind: "bool", help: "Return as soon as the server knows, and print the evaluation's id." },
  verbose,
} as const;

interface Change {
  readonly about: string;
  readonly example: string;
  readonly failure: string;
  /** What is said when it is done, with the id. */
  done(id: string): string;
  change(
    given: Given<typeof changeFlags>,
    id: string,
    place: { readonly namespace: string },
  ): Promise<DeploymentUpdate>;
}

function changing({ about, example, failure, done, change }: Change) {
  return nomadCommand({
    usage: "[flags] DEPLOYMENT",
    about,
    examples: [example],
    flags: changeFlags,
    args: { least: 1, most: 1 },
    failure,
    run: async (given) => {
      const { values, args, io, client, clock, program } = given;
      const found = await findDeployment(client, args[0]!, { signal: io.signal, verbose: values.verbose });
      const place = { namespace: found.Namespace };
      const { EvalID, RevertedJobVersion } = await change(given, found.ID, place);
      await io.stdout(`${done(values.verbose ? found.ID : found.ID.slice(0, 8))}\n`);
      if (RevertedJobVersion !== null) await io.stdout(`Job goes back to version ${RevertedJobVersion}\n`);
      if (EvalID === "") return 0;
      if (values.detach) await io.stdout(`Evaluation ID: ${EvalID}\n`);
      if (values.detach) return 0;
      await io.stdout("\n");
      return monitorEvaluation(EvalID, {
        client,
        io,
        clock,
        program,
        verbose: values.verbose,
        until: "deployed",
        place,
      });
    },
  });
}

/** `deployment promote`. */
export const promoteDeployment = changing({
  about: "Lets the canaries of a deployment take the place of what they were tried beside.",
  example: "deployment promote 5f9b8d9c",
  failure: "Error promoting deployment",
  done: (id) => `Deployment "${id}" promoted`,
  change: ({ client, io }, id, place) => client.deployments.promote(id, [], { ...place, signal: io.signal }),
});

/** `deployment fail`. */
export const failDeployment = changing({
  about: "Gives a deployment up. Where its job has auto_revert, it goes back to its last stable version.",
  example: "deployment fail 5f9b8d9c",
  failure: "Error failing deployment",
  done: (id) => `Deployment "${id}" failed`,
  change: ({ client, io }, id, place) => client.deployments.fail(id, { ...place, signal: io.signal }),
});

/** `deployment pause`. */
export const pauseDeployment = changing({
  about: "Stops a deployment from going further, until it is resumed.",
  example: "deployment pause 5f9b8d9c",
  failure: "Error pausing deployment",
  done: (id) => `Deployment "${id}" paused`,
  change: ({ client, io }, id, place) => client.deployments.pause(id, { ...place, signal: io.signal }),
});

/** `deployment resume`. */
export const resumeDeployment = changing({
  about: "Lets a deployment that was paused go on.",
  example: "deployment resume 5f9b8d9c",
  failure: "Error resuming deployment",
  done: (id) => `Deployment "${id}" resumed`,
  change: ({ client, io }, id, place) => client.deployments.resume(id, { ...place, signal: io.signal }),
});
