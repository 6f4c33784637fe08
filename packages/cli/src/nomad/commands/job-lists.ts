import { nomadCommand } from "../command.ts";
import { deploymentBlock, deploymentList } from "../deployment-view.ts";
import { findJob } from "../find.ts";
import { allocationTable } from "../job-view.ts";
import { isForMachines, machineFlags, printForMachines } from "../machine.ts";

const verbose = { kind: "bool", help: "Show whole ids, and moments in place of ages." } as const;

/** `job deployments`. */
export const jobDeployments = nomadCommand({
  usage: "[flags] JOB",
  about: "Shows the deployments of a job, the newest first.",
  examples: ["job deployments web", "job deployments -latest web"],
  flags: { latest: { kind: "bool", help: "Show the latest one as a whole." }, verbose, ...machineFlags },
  args: { least: 1, most: 1 },
  failure: "Error retrieving deployments",
  run: async ({ values, args, io, client, clock }) => {
    const found = await findJob(client, args[0]!, { signal: io.signal });
    const place = { namespace: found.Namespace, signal: io.signal };
    const path = `/v1/job/${encodeURIComponent(found.ID)}/deployment${values.latest ? "" : "s"}`;
    if (isForMachines(values)) return printForMachines((await client.read(path, {}, place)).value, values, io);
    const { value: latest } = values.latest ? await client.jobs.latestDeployment(found.ID, place) : { value: null };
    const { value: all } = values.latest ? { value: [] } : await client.jobs.deployments(found.ID, place);
    if (latest) await io.stdout(deploymentBlock(latest, { verbose: values.verbose, now: clock.now() }, io));
    else await io.stdout(all.length === 0 ? "No deployments found\n" : deploymentList(all, values));
    return 0;
  },
});

/** `job allocs`. */
export const jobAllocations = nomadCommand({
  usage: "[flags] JOB",
  about: "Shows the allocations of a job, the newest first.",
  examples: ["job allocs web", "job allocs -all web"],
  flags: {
    all: { kind: "bool", help: "Show allocations of an earlier job of this id, too." },
    verbose,
    ...machineFlags,
  },
  args: { least: 1, most: 1 },
  failure: "Error retrieving allocations",
  run: async ({ values, args, io, client, clock }) => {
    const found = await findJob(client, args[0]!, { signal: io.signal });
    const place = { namespace: found.Namespace, signal: io.signal };
    const path = `/v1/job/${encodeURIComponent(found.ID)}/allocations`;
    const query = { all: values.all };
    if (isForMachines(values)) return printForMachines((await client.read(path, query, place)).value, values, io);
    const { value } = await client.jobs.allocations(found.ID, { ...place, all: values.all });
    await io.stdout(allocationTable(value, { verbose: values.verbose, now: clock.now() }));
    return 0;
  },
});
