import { nomadCommand, Refusal } from "../command.ts";
import { confirm } from "../confirm.ts";
import { findJob } from "../find.ts";
import { monitorEvaluation } from "../monitor.ts";
import type { Monitor } from "../monitor-lines.ts";

const flags = {
  purge: { kind: "bool", help: "Forget the job, too: its versions are gone, and its id is free." },
  yes: { kind: "bool", help: "Do not ask where the given id is only the beginning of the job's." },
  detach: { kind: "bool", help: "Return as soon as the server knows, and print the evaluation's id." },
  verbose: { kind: "bool", help: "Show whole ids." },
} as const;

/** `job stop`. */
export const stopJob = nomadCommand({
  usage: "[flags] JOB...",
  about:
    "Stops jobs: their allocations are ended. A stopped job can be run again, and can go back to any of its versions, unless it was purged.",
  examples: ["job stop web", "job stop -purge -yes web"],
  flags,
  args: { least: 1, most: Number.POSITIVE_INFINITY },
  failure: "Error deregistering job",
  run: async ({ values, args, io, client, clock, program }) => {
    let code = 0;
    for (const prefix of args) {
      const found = await findJob(client, prefix, { signal: io.signal });
      const place = { namespace: found.Namespace };
      const isMeant = found.ID === prefix || values.yes;
      if (!isMeant && !(await confirm(io, `Are you sure you want to stop job ${JSON.stringify(found.ID)}? [y/N]`)))
        throw new Refusal("Cancelling job stop");
      const evaluation = await client.jobs.deregister(found.ID, { ...place, signal: io.signal, purge: values.purge });
      if (values.detach) await io.stdout(`${evaluation}\n`);
      else if (evaluation !== "") {
        const monitor: Monitor = { client, io, clock, program, verbose: values.verbose, until: "evaluated", place };
        code = Math.max(code, await monitorEvaluation(evaluation, monitor));
      }
    }
    return code;
  },
});
