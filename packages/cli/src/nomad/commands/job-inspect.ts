import { formatJson } from "@millwright/clients/json";
import { nomadCommand, Refusal } from "../command.ts";
import { findJob } from "../find.ts";
import { machineFlags, printForMachines } from "../machine.ts";

const flags = {
  version: { kind: "int", value: "N", help: "That version of the job; the newest by default." },
  ...machineFlags,
} as const;

/** `job inspect`. */
export const inspectJob = nomadCommand({
  usage: "[flags] JOB",
  about: "Prints a job as JSON of the API, in a form that job run takes.",
  examples: ["job inspect web", "job inspect -t '{{.Status}}' web"],
  flags,
  args: { least: 1, most: 1 },
  failure: "Error inspecting job",
  run: async ({ values, args, io, client }) => {
    const found = await findJob(client, args[0]!, { signal: io.signal });
    const place = { namespace: found.Namespace, signal: io.signal };
    const { version } = values;
    const wire =
      version === undefined
        ? (await client.jobs.get(found.ID, place)).value?.Wire
        : (await client.jobs.versions(found.ID, place)).value?.Versions.find(({ Version }) => Version === version)
            ?.Wire;
    if (!wire)
      throw new Refusal(
        `Version ${version} of job ${JSON.stringify(found.ID)} is not kept. See: job history ${found.ID}`,
      );
    if (values.t !== undefined) return printForMachines(wire, values, io);
    await io.stdout(`${formatJson({ Job: wire }, 4)}\n`);
    return 0;
  },
});
