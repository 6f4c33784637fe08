import type { JobPlanResponse } from "@millwright/clients/nomad-records";
import { plainText, renderDiff, type Tone } from "@millwright/jobs/render-diff";
import type { CommandIo } from "../../io.ts";
import { styleOf, type Style, wrapText } from "../../views/style.ts";
import { type Given, nomadCommand } from "../command.ts";
import { momentOf, section, span, table } from "../format.ts";
import { jobFileFlags, readJobFile } from "../job-file.ts";
import { byGroup, failedGroupLines } from "@millwright/clients/nomad-placement";

const flags = {
  diff: { kind: "bool", help: "Show what would change; on by default, -diff=false leaves it out." },
  verbose: { kind: "bool", help: "Show also what is inside of added and removed groups and tasks." },
  ...jobFileFlags,
} as const;

/** `job plan`: exit code 0 where nothing would be made or removed, 1 where something would, 255 for an error. */
export const planJob = nomadCommand({
  usage: "[flags] FILE",
  about:
    "Shows what running a job would change, and where the scheduler would place it now. Nothing is changed. The exit code is 0 where no allocation would be made or removed, 1 where some would, 255 for an error.",
  examples: ["job plan web.nomad", "job plan -var=count=3 web.nomad"],
  flags,
  args: { least: 1, most: 1 },
  failure: "Error during plan",
  failureCode: 255,
  run: async (given) => {
    const { values, args, io, client, clock, occurrences } = given;
    const [path = ""] = args;
    const file = await readJobFile({ path, gates: values.gates, occurrences, io });
    if (!file) return 255;
    const showsDiff = values.diff || !occurrences.some(({ name }) => name === "diff");
    const options = { ...file.place, signal: io.signal, diff: showsDiff };
    const response = await client.jobs.plan(file.json, file.job.id, options);
    const parts = [
      showsDiff ? diffText(response, values.verbose, io) : "",
      dryRunText(response, { isSystem: file.job.type === "system", now: clock.now() }, io),
      warningsText(response, io),
      preemptionsText(response, io),
      indexText(response, path, given),
    ];
    await io.stdout(parts.join(""));
    return changesAllocations(response) ? 1 : 0;
  },
});

function diffText({ Diff }: JobPlanResponse, verbose: boolean, io: CommandIo): string {
  if (!Diff) return "";
  const lines = renderDiff(Diff, { verbose });
  if (!io.view.colour) return plainText(lines);
  const paint = painter(styleOf(io.view));
  return lines.map((line) => `${line.map(({ text, tone }) => paint[tone](text)).join("")}\n`).join("");
}

/** A diff's tones in the colours of a terminal. */
function painter(style: Style): Readonly<Record<Tone, (text: string) => string>> {
  const { bold, red, green, yellow, cyan } = style;
  return {
    plain: (text) => text,
    heading: bold,
    create: green,
    destroy: red,
    change: yellow,
    replace: yellow,
    inPlace: cyan,
    migrate: cyan,
  };
}

function dryRunText(
  { FailedTGAllocs, NextPeriodicLaunch, CreatedEvals }: JobPlanResponse,
  { isSystem, now }: { readonly isSystem: boolean; readonly now: number },
  io: CommandIo,
): string {
  const style = styleOf(io.view);
  const failed = byGroup(FailedTGAllocs);
  const lines = [style.bold("Scheduler dry-run:")];
  if (failed.length === 0) lines.push(style.green("- All tasks successfully allocated."));
  else {
    lines.push(style.yellow(`- WARNING: Failed to place all allocations${isSystem ? " on all nodes" : ""}.`));
    for (const [group, metric] of failed) lines.push(...failedGroupLines(group, metric, { indent: "  " }));
  }
  const rolling = CreatedEvals.find(({ Wait }) => Wait > 0);
  if (rolling) lines.push(`- Rolling update, next evaluation will be in ${span(rolling.Wait / 1e6)}.`);
  const launch = momentOf(NextPeriodicLaunch, "");
  if (launch !== "") {
    const until = span(Date.parse(NextPeriodicLaunch) - now);
    lines.push(`- If submitted now, next periodic launch would be at ${launch} (${until} from now).`);
  }
  return `${lines.join("\n")}\n`;
}

function warningsText({ Warnings }: JobPlanResponse, io: CommandIo): string {
  if (Warnings.trim() === "") return "";
  return `\n${styleOf(io.view).yellow(`Job Warnings:\n${Warnings.trim()}`)}\n`;
}

function preemptionsText({ Annotations }: JobPlanResponse, io: CommandIo): string {
  const preempted = Annotations?.PreemptedAllocs ?? [];
  if (preempted.length === 0) return "";
  const rows = preempted.map(({ ID, JobID, TaskGroup }) => [ID, JobID, TaskGroup]);
  return section(io, "Preemptions:", table(["Alloc ID", "Job ID", "Task Group"], rows));
}

function indexText({ JobModifyIndex }: JobPlanResponse, path: string, { occurrences, program, io }: Given): string {
  const words = occurrences.filter(({ name }) => ["var", "var-file", "gates"].includes(name));
  const variables = words.map(({ name, text }) => `-${name}=${shellWord(text)} `).join("");
  const line = `${program} job run -check-index ${JobModifyIndex} ${variables}${shellWord(path)}`;
  const why =
    "When running the job with the check-index flag, the job will only be run if the job modify index given matches the server-side version. If the index has changed, another user has modified the job and the plan's results are potentially invalid.";
  const style = styleOf(io.view);
  const explained = wrapText(why, Math.min(79, io.view.width)).join("\n");
  return `\n${style.bold(`Job Modify Index: ${JobModifyIndex}`)}\nTo submit the job with version verification run:\n\n${line}\n\n${explained}\n`;
}

/** A text as a shell takes it for one word. */
function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

function changesAllocations({ Annotations }: JobPlanResponse): boolean {
  return Object.values(Annotations?.DesiredTGUpdates ?? {}).some(
    ({ Place, Stop, Migrate, DestructiveUpdate, Canary }) => Place + Stop + Migrate + DestructiveUpdate + Canary > 0,
  );
}
