import { clientErrors } from "@millwright/clients/errors";
import { NomadRefusal } from "@millwright/clients/nomad-api";
import { isKind } from "@millwright/core/errors";
import { formatJson } from "@millwright/clients/json";
import { styleOf } from "../../views/style.ts";
import { nomadCommand, Refusal } from "../command.ts";
import { checkGatesTaken } from "../job-gates.ts";
import { jobFileFlags, readJobFile } from "../job-file.ts";
import { monitorEvaluation } from "../monitor.ts";
import { monitorFlags, monitorOf } from "../monitor-flags.ts";

const flags = {
  "check-index": {
    kind: "int",
    value: "N",
    help: "Run the job only if its job modify index is still N, as plan shows it; 0 for a job that must not be there yet.",
  },
  detach: { kind: "bool", help: "Return as soon as the server has the job, and print the evaluation's id." },
  output: { kind: "bool", help: "Print the job as JSON of the API, and run nothing." },
  "preserve-counts": { kind: "bool", help: "Leave the counts of the job's groups as they are now." },
  "eval-priority": { kind: "int", value: "N", help: "The priority of the evaluation, 1 to 100; the job's by default." },
  verbose: monitorFlags.verbose,
  "vault-token": {
    kind: "string",
    value: "TOKEN",
    help: "Not used: a job's tasks get their tokens by their own identity.",
  },
  "consul-token": { kind: "string", value: "TOKEN", help: "Not used, likewise." },
  ...jobFileFlags,
} as const;

/** `job run`: exit code 0 where all went well, 2 where something could not be placed, 1 for any other failure. */
export const runJob = nomadCommand({
  usage: "[flags] FILE",
  about:
    "Gives the server a job, or a job's next version, and tells how placing it and its deployment go. ^C ends only the telling. The exit code is 2 where not all could be placed.",
  examples: ["job run web.nomad", "job run -check-index 42 web.nomad"],
  flags,
  args: { least: 1, most: 1 },
  failure: "Error submitting job",
  run: async (given) => {
    const { values, args, io, client, occurrences } = given;
    const [path = ""] = args;
    const file = await readJobFile({ path, gates: values.gates, occurrences, io });
    if (!file) return 1;
    if (values.output) {
      await io.stdout(`${formatJson({ Job: file.json }, 4)}\n`);
      return 0;
    }
    const index = values["check-index"];
    if (index !== undefined && index < 0) throw new Refusal("-check-index takes the number that plan shows, or 0.");
    const priority = values["eval-priority"];
    if (priority !== undefined && (priority < 1 || priority > 100))
      throw new Refusal("-eval-priority takes a number from 1 to 100.");
    for (const flag of ["vault-token", "consul-token"] as const)
      if (values[flag] !== undefined)
        await io.stderr(`-${flag} is not used: a job's tasks get their tokens by their own identity.\n`);
    const place = { ...file.place, signal: io.signal };
    const registered = await client.jobs
      .register(file.json, {
        ...place,
        ...(index === undefined ? {} : { jobModifyIndex: index }),
        preserveCounts: values["preserve-counts"],
        ...(priority === undefined ? {} : { evaluationPriority: priority }),
        submission: { source: file.source, format: /^\s*\{/.test(file.source) ? "json" : "hcl2" },
      })
      .catch((error: unknown) => {
        throw enforcedBy(error) ?? error;
      });
    if (registered.Warnings.trim() !== "")
      await io.stdout(`${styleOf(io.view).yellow(`Job Warnings:\n${registered.Warnings.trim()}`)}\n\n`);
    if (file.job.gates) await checkGatesTaken(client, file.job.id, place);
    if (registered.EvalID === "") {
      // Periodic and parameterized jobs are not placed themselves.
      await io.stdout("Job registration successful\n");
      return 0;
    }
    if (!values.detach) {
      return monitorEvaluation(registered.EvalID, monitorOf(given, file.place));
    }
    await io.stdout(`Job registration successful\nEvaluation ID: ${registered.EvalID}\n`);
    return 0;
  },
});

// The server's own words, which say at which index the job is.
function enforcedBy(error: unknown): Refusal | undefined {
  if (!isKind(error, clientErrors.refused) && !isKind(error, clientErrors.badRequest)) return undefined;
  const { cause } = error;
  if (!(cause instanceof NomadRefusal)) return undefined;
  const said = /Enforcing job modify index.*$/m.exec(cause.message)?.[0];
  return said === undefined ? undefined : new Refusal(`${said}\nJob not updated`);
}
