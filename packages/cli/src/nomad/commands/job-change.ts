import type { JobRegisterResponse } from "@millwright/clients/nomad-records";
import { type Given, nomadCommand, Refusal } from "../command.ts";
import { findJob } from "../find.ts";
import { monitorEvaluation } from "../monitor.ts";
import { monitorFlags, monitorOf } from "../monitor-flags.ts";

type MonitorGiven = Given<typeof monitorFlags>;

/** Tells how a change of a job goes, or what its evaluation is. Resolves to the exit code. */
async function follow(
  { EvalID, Warnings }: Pick<JobRegisterResponse, "EvalID" | "Warnings">,
  namespace: string,
  given: MonitorGiven,
): Promise<number> {
  const { values, io } = given;
  if (Warnings.trim() !== "") await io.stdout(`Job Warnings:\n${Warnings.trim()}\n\n`);
  if (EvalID === "") return 0;
  if (!values.detach) return monitorEvaluation(EvalID, monitorOf(given, { namespace }));
  await io.stdout(`Evaluation ID: ${EvalID}\n`);
  return 0;
}

/** `job revert`. */
export const revertJob = nomadCommand({
  usage: "[flags] JOB VERSION",
  about: "Makes an earlier version of a job its newest. It is rolled out like every other.",
  examples: ["job revert web 3"],
  flags: monitorFlags,
  args: { least: 2, most: 2 },
  failure: "Error reverting job",
  run: async (given) => {
    const { args, client, io } = given;
    const version = wholeNumber(args[1]!, "The version");
    const found = await findJob(client, args[0]!, { signal: io.signal });
    const place = { namespace: found.Namespace, signal: io.signal };
    return follow(await client.jobs.revert(found.ID, version, place), found.Namespace, given);
  },
});

/** `job scale`. */
export const scaleJob = nomadCommand({
  usage: "[flags] JOB [GROUP] COUNT",
  about: "Sets how many allocations a group of a job has. The group may be left out where there is only one.",
  examples: ["job scale web 3", "job scale web app 3"],
  flags: monitorFlags,
  args: { least: 2, most: 3 },
  failure: "Error scaling job",
  run: async (given) => {
    const { args, client, io } = given;
    const count = wholeNumber(args.at(-1)!, "The count");
    const found = await findJob(client, args[0]!, { signal: io.signal });
    const place = { namespace: found.Namespace, signal: io.signal };
    const group = args.length === 3 ? args[1]! : await onlyGroup(given, found.ID, found.Namespace);
    return follow(await client.jobs.scale(found.ID, { group, count }, place), found.Namespace, given);
  },
});

async function onlyGroup({ client, io }: MonitorGiven, job: string, namespace: string): Promise<string> {
  const { value } = await client.jobs.get(job, { namespace, signal: io.signal });
  const names = value?.TaskGroups.map(({ Name }) => Name) ?? [];
  if (names.length === 1) return names[0]!;
  throw new Refusal(`Job ${JSON.stringify(job)} has the groups ${names.join(", ")}: name one of them.`);
}

/** `job eval`. */
export const evaluateJob = nomadCommand({
  usage: "[flags] JOB",
  about: "Has the scheduler look at a job again.",
  examples: ["job eval -force-reschedule web"],
  flags: {
    "force-reschedule": { kind: "bool", help: "Place failed allocations elsewhere at once, before their time." },
    ...monitorFlags,
  },
  args: { least: 1, most: 1 },
  failure: "Error evaluating job",
  run: async (given) => {
    const { args, client, io, values } = given;
    const found = await findJob(client, args[0]!, { signal: io.signal });
    const place = { namespace: found.Namespace, signal: io.signal };
    const response = await client.jobs.evaluate(found.ID, { ...place, forceReschedule: values["force-reschedule"] });
    return follow(response, found.Namespace, given);
  },
});

/** `job promote`: the canaries of a job's latest deployment. */
export const promoteJob = nomadCommand({
  usage: "[flags] JOB",
  about: "Lets the canaries of a job's latest deployment take the place of what they were tried beside.",
  examples: ["job promote web", "job promote -group=app web"],
  flags: {
    group: { kind: "strings", value: "NAME", help: "Only this group's; may be given several times." },
    ...monitorFlags,
  },
  args: { least: 1, most: 1 },
  failure: "Error promoting deployment",
  run: async (given) => {
    const { args, client, io, values } = given;
    const found = await findJob(client, args[0]!, { signal: io.signal });
    const place = { namespace: found.Namespace, signal: io.signal };
    const { value: latest } = await client.jobs.latestDeployment(found.ID, place);
    if (!latest) throw new Refusal(`Job ${JSON.stringify(found.ID)} has no deployment to promote`);
    const { EvalID } = await client.deployments.promote(latest.ID, values.group, place);
    return follow({ EvalID, Warnings: "" }, found.Namespace, given);
  },
});

function wholeNumber(text: string, what: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new Refusal(`${what} has to be a whole number, and is ${JSON.stringify(text)}`);
}
