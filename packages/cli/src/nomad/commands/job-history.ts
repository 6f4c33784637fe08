import { plainText, renderDiff } from "@millwright/jobs/render-diff";
import type { JobDifference, JobRecord } from "@millwright/clients/nomad-records";
import { nomadCommand, Refusal } from "../command.ts";
import { findJob } from "../find.ts";
import { keyValues } from "../format.ts";
import { submitted } from "../job-view.ts";
import { isForMachines, machineFlags, printForMachines } from "../machine.ts";

const flags = {
  p: { kind: "bool", help: "Show what each version changed." },
  full: { kind: "bool", help: "Show also what is inside of added and removed groups and tasks; with -p." },
  version: { kind: "int", value: "N", help: "Show only that version." },
  ...machineFlags,
} as const;

/** `job history`. */
export const jobHistory = nomadCommand({
  usage: "[flags] JOB",
  about: "Shows the versions of a job that are kept, the newest first.",
  examples: ["job history -p web"],
  flags,
  args: { least: 1, most: 1 },
  failure: "Error retrieving job versions",
  run: async ({ values, args, io, client }) => {
    const found = await findJob(client, args[0]!, { signal: io.signal });
    const place = { namespace: found.Namespace, signal: io.signal };
    const { value } = await client.jobs.versions(found.ID, { ...place, diffs: values.p });
    const { Versions = [], Diffs = [] } = value ?? {};
    // Each difference is to the version below it: the oldest has none.
    const all = Versions.map((version, i) => ({ version, diff: Diffs[i] }));
    const shown = values.version === undefined ? all : all.filter(({ version }) => version.Version === values.version);
    if (shown.length === 0)
      throw new Refusal(`Version ${values.version} of job ${JSON.stringify(found.ID)} is not kept`);
    if (isForMachines(values)) {
      const wires = shown.map(({ version }) => version.Wire);
      return printForMachines(values.version === undefined ? wires : wires[0], values, io);
    }
    await io.stdout(shown.map(({ version, diff }) => versionBlock(version, diff, values.full)).join("\n"));
    return 0;
  },
});

function versionBlock(version: JobRecord, diff: JobDifference | undefined, verbose: boolean): string {
  const head = keyValues([
    ["Version", String(version.Version)],
    ["Stable", String(version.Stable)],
    ["Submit Date", submitted(version.SubmitTime)],
  ]);
  return diff ? `${head}Diff        =\n${plainText(renderDiff(diff, { verbose })).trimEnd()}\n` : head;
}
