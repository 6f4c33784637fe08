import { nomadCommand } from "../command.ts";
import { evaluationBlock, evaluationList } from "../evaluation-view.ts";
import { newestFirst } from "../format.ts";
import { findEvaluation } from "../find.ts";
import { isForMachines, machineFlags, printForMachines } from "../machine.ts";
import { monitorEvaluation } from "../monitor.ts";
import { monitorOf } from "../monitor-flags.ts";

const verbose = { kind: "bool", help: "Show whole ids, and moments in place of ages." } as const;

/** `eval list`. */
export const listEvaluations = nomadCommand({
  usage: "[flags]",
  about: "Shows what the scheduler was asked to look at, the newest first.",
  examples: ["eval list", "eval list -job=web -status=blocked"],
  flags: {
    job: { kind: "string", value: "JOB", help: "Only those of this job." },
    status: { kind: "string", value: "STATUS", help: "Only those of this status: pending, blocked, complete ...." },
    filter: {
      kind: "string",
      value: "EXPRESSION",
      help: 'Only those for which it holds, as: TriggeredBy == "job-register".',
    },
    "per-page": { kind: "int", value: "N", help: "So many at most." },
    "page-token": { kind: "string", value: "TOKEN", help: "Begin where an earlier page ended." },
    verbose,
    ...machineFlags,
  },
  args: { least: 0, most: 0 },
  failure: "Error querying evaluations",
  run: async ({ values, io, client }) => {
    const { job, status, filter } = values;
    const [perPage, nextToken] = [values["per-page"], values["page-token"]];
    const options = { signal: io.signal };
    if (isForMachines(values)) {
      const query = { job, status, filter, per_page: perPage, next_token: nextToken };
      return printForMachines((await client.read("/v1/evaluations", query, options)).value, values, io);
    }
    const answer = await client.evaluations.list({
      ...options,
      ...(job === undefined ? {} : { job }),
      ...(status === undefined ? {} : { status }),
      ...(filter === undefined ? {} : { filter }),
      ...(perPage === undefined ? {} : { perPage }),
      ...(nextToken === undefined ? {} : { nextToken }),
    });
    const { value } = answer;
    const shown = perPage === undefined ? newestFirst(value) : value;
    await io.stdout(shown.length === 0 ? "No evals found\n" : evaluationList(shown, values));
    if (answer.nextToken !== "") await io.stdout(`\nMore follow: give -page-token=${answer.nextToken} as well.\n`);
    return 0;
  },
});

/** `eval status`. */
export const evaluationStatus = nomadCommand({
  usage: "[flags] EVALUATION",
  about: "Shows what came of an evaluation, and why something could not be placed. The beginning of its id is enough.",
  examples: ["eval status 9a3ad0b3", "eval status -monitor 9a3ad0b3"],
  flags: { monitor: { kind: "bool", help: "Tell how it goes until it has ended." }, verbose, ...machineFlags },
  args: { least: 1, most: 1 },
  failure: "Error querying evaluation",
  run: async (given) => {
    const { values, args, io, client, clock } = given;
    const options = { signal: io.signal };
    const found = await findEvaluation(client, args[0]!, { ...options, verbose: values.verbose });
    const place = { namespace: found.Namespace };
    if (values.monitor) return monitorEvaluation(found.ID, monitorOf(given, place));
    if (isForMachines(values)) {
      const { value } = await client.read(`/v1/evaluation/${found.ID}`, {}, { ...options, ...place });
      return printForMachines(value, values, io);
    }
    await io.stdout(evaluationBlock(found, { verbose: values.verbose, now: clock.now() }, io));
    return 0;
  },
});
