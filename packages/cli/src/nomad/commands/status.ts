import type { NomadClient } from "@millwright/clients/nomad";
import type { NomadCallOptions } from "@millwright/clients/nomad-api";
import { type Given, nomadCommand, type NomadCommand, Refusal } from "../command.ts";
import { jobStatus } from "./job-status.ts";

/** `status`: as `job status`, and with an id of something else that thing's status. */
export const status = nomadCommand({
  ...jobStatus,
  usage: "[flags] [ID]",
  about:
    "Shows the jobs, a line each, or what has this id: a job, an allocation, a node, an evaluation or a deployment. The beginning of an id is enough.",
  examples: ["status", "status web", "status 0af996ed"],
  failure: "Error querying status",
  run: async (given) => {
    const [prefix] = given.args;
    if (prefix === undefined) return jobStatus.run(given);
    const options = { signal: given.io.signal };
    if ((await given.client.jobs.list({ ...options, prefix })).value.length > 0) return jobStatus.run(given);
    const found = await kindOf(prefix, given.client, options);
    if (found === undefined) throw new Refusal(`Unable to resolve ID: ${JSON.stringify(prefix)}`);
    return (await found()).run(withFlags(given));
  },
});

type Load = () => Promise<NomadCommand>;

async function kindOf(prefix: string, client: NomadClient, options: NomadCallOptions): Promise<Load | undefined> {
  if (!/^[0-9a-f-]{2,36}$/.test(prefix)) return undefined;
  const kinds: readonly (readonly [Promise<{ readonly value: readonly unknown[] }>, Load])[] = [
    [client.allocations.list({ ...options, prefix }), async () => (await import("./alloc-status.ts")).allocationStatus],
    [client.nodes.list({ ...options, prefix }), async () => (await import("./node-status.ts")).nodeStatus],
    [client.evaluations.list({ ...options, prefix }), async () => (await import("./evaluation.ts")).evaluationStatus],
    [client.deployments.list({ ...options, prefix }), async () => (await import("./deployment.ts")).deploymentStatus],
  ];
  const answers = await Promise.all(kinds.map(([answer]) => answer));
  const found = kinds.filter((_, i) => answers[i]!.value.length > 0);
  if (found.length > 1) throw new Refusal(`${JSON.stringify(prefix)} begins ids of different kinds: give more of it.`);
  return found[0]?.[1];
}

// Each has flags of its own beside those that are given here; those are not given.
function withFlags(given: Given): Given {
  return { ...given, values: { stats: false, monitor: false, self: false, ...given.values } as Given["values"] };
}
