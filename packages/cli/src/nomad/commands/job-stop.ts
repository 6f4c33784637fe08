import { nomadCommand, Refusal } from "../command.ts";
import { confirm } from "../confirm.ts";
import { findJob } from "../find.ts";
import { monitorEvaluation } from "../monitor.ts";
import { monitorFlags, monitorOf } from "../monitor-flags.ts";

const flags = {
  purge: { kind: "bool", help: "Forget the job, too: its versions are gone, and its id is free." },
  yes: { kind: "bool", help: "Do not ask where the given id is only the beginning of the job's." },
  ...monitorFlags,
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
  run: async (given) => {
    const { values, args, io, client } = given;
    let code = 0;
    for (const prefix of args) {
      const found = await findJob(client, prefix, { signal: io.signal });
      const place = { namespace: found.Namespace };
      const isMeant = found.ID === prefix || values.yes;
      if (!isMeant && !(await confirm(io, `Are you sure you want to stop job ${JSON.stringify(found.ID)}? [y/N]`)))
        throw new Refusal("Cancelling job stop");
      const evaluation = await client.jobs.deregister(found.ID, { ...place, signal: io.signal, purge: values.purge });
      if (values.detach) await io.stdout(`${evaluation}\n`);
      else if (evaluation !== "")
        code = Math.max(code, await monitorEvaluation(evaluation, monitorOf(given, place, "evaluated")));
    }
    return code;
  },
});
