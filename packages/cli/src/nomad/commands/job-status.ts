import type { NomadClient } from "@millwright/clients/nomad";
import type { NomadCallOptions } from "@millwright/clients/nomad-api";
import type { JobRecord } from "@millwright/clients/nomad-records";
import { nomadCommand } from "../command.ts";
import { findJob } from "../find.ts";
import { type JobAround, jobBody, jobHead, jobList } from "../job-view.ts";
import { isForMachines, machineFlags, printForMachines } from "../machine.ts";

const flags = {
  short: { kind: "bool", help: "Show only what the job is." },
  evals: { kind: "bool", help: "Show the job's evaluations, too." },
  "all-allocs": { kind: "bool", help: "Show allocations of an earlier job of this id, too." },
  verbose: { kind: "bool", help: "Show whole ids, and moments in place of ages." },
  ...machineFlags,
} as const;

/** `job status`: all jobs, or one. */
export const jobStatus = nomadCommand({
  usage: "[flags] [JOB]",
  about:
    "Shows the jobs, a line each, or one of them: what it is, how many of its allocations are in which state, how its latest deployment goes, and its allocations. The beginning of a job's id is enough.",
  examples: ["job status", "job status -evals web"],
  flags,
  args: { least: 0, most: 1 },
  failure: "Error querying job",
  run: async ({ values, args, io, client, clock }) => {
    const options = { signal: io.signal };
    const [prefix] = args;
    if (prefix === undefined) {
      if (isForMachines(values))
        return printForMachines((await client.read("/v1/jobs", {}, options)).value, values, io);
      const { value: jobs } = await client.jobs.list(options);
      const namespaces = new Set(jobs.map(({ Namespace }) => Namespace)).size > 1;
      await io.stdout(jobs.length === 0 ? "No running jobs\n" : jobList(jobs, { namespaces }));
      return 0;
    }
    const found = await findJob(client, prefix, options);
    const place = { ...options, namespace: found.Namespace };
    if (isForMachines(values)) {
      const { value } = await client.read(`/v1/job/${encodeURIComponent(found.ID)}`, {}, place);
      return printForMachines(value, values, io);
    }
    const { value: job } = await client.jobs.get(found.ID, place);
    if (!job) return 1;
    const detail = { verbose: values.verbose, evaluations: values.evals || values.verbose, now: clock.now() };
    const rest = values.short ? "" : jobBody(await around(client, job, place, values["all-allocs"]), detail, io);
    await io.stdout(jobHead(job) + rest);
    return 0;
  },
});

async function around(client: NomadClient, job: JobRecord, place: NomadCallOptions, all: boolean): Promise<JobAround> {
  const { ID: id, Periodic, ParameterizedJob, Dispatched } = job;
  const makesJobs = Periodic !== null || (ParameterizedJob !== null && !Dispatched);
  const [summary, evaluations, deployment, allocations, children] = await Promise.all([
    client.jobs.summary(id, place),
    client.jobs.evaluations(id, place),
    client.jobs.latestDeployment(id, place),
    client.jobs.allocations(id, { ...place, all }),
    makesJobs ? client.jobs.list({ ...place, prefix: `${id}/` }) : undefined,
  ]);
  return {
    children: children?.value.filter(({ ParentID }) => ParentID === id),
    summary: summary.value,
    evaluations: evaluations.value,
    deployment: deployment.value,
    allocations: allocations.value,
  };
}
