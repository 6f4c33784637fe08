import type { Allocation } from "@millwright/clients/nomad-records";
import type { LogRequest } from "@millwright/clients/nomad-files";
import { interruptedCode } from "../../commands/interrupted.ts";
import type { CommandIo } from "../../io.ts";
import { nomadCommand, Refusal } from "../command.ts";
import { findAllocation, findAllocationOfJob } from "../find.ts";
import { lastLines, pass } from "../tail.ts";

const flags = {
  f: { kind: "bool", help: "Go on with what is written later, until ^C." },
  stdout: { kind: "bool", help: "Show what went to standard output; so by default." },
  stderr: { kind: "bool", help: "Show what went to standard error." },
  tail: { kind: "bool", help: "Begin at the last lines." },
  n: { kind: "int", value: "N", help: "How many last lines; 10 by default. It means -tail." },
  c: { kind: "int", value: "N", help: "How many last bytes, in place of lines. It means -tail." },
  job: { kind: "bool", help: "The argument is a job: show one of its allocations, if possible one that runs." },
  task: { kind: "string", value: "NAME", help: "The task; needed where there are several." },
  verbose: { kind: "bool", help: "Show whole ids where several allocations are meant." },
} as const;

/** `alloc logs`. */
export const allocationLogs = nomadCommand({
  usage: "[flags] ALLOCATION [TASK]",
  about: "Prints what a task has written to standard output, or to standard error.",
  examples: ["alloc logs -f 0af996ed web", "alloc logs -stderr -n=50 -job web"],
  flags,
  args: { least: 1, most: 2 },
  failure: "Error reading logs",
  run: async ({ values, args, io, client }) => {
    const [prefix = "", named] = args;
    const options = { signal: io.signal };
    const allocation = values.job
      ? await findAllocationOfJob(client, prefix, options)
      : await findAllocation(client, prefix, { ...options, verbose: values.verbose });
    const task = values.task ?? named ?? onlyTask(allocation);
    if (values.stdout && values.stderr) throw new Refusal("Give one of -stdout and -stderr");
    const stream = values.stderr ? "stderr" : "stdout";
    const place = { ...options, namespace: allocation.Namespace };
    const read = (part: Pick<LogRequest, "follow" | "origin" | "offset">) =>
      client.files.logs(allocation.ID, { task, stream, ...part }, place);
    const isTail = values.tail || values.n !== undefined || values.c !== undefined;
    const follow = values.f;
    try {
      if (!isTail) await pass(read({ follow, origin: "start", offset: 0 }), io);
      else if (values.c !== undefined) await pass(read({ follow, origin: "end", offset: values.c }), io);
      else await lastLines({ lines: values.n ?? 10, follow, read, io });
      return 0;
    } catch (error) {
      return stoppedReading(error, io);
    }
  },
});

/** ^C is how one stops following, and no failure. */
export function stoppedReading(error: unknown, io: CommandIo): number {
  if (!io.signal.aborted) throw error;
  return interruptedCode(io);
}

function onlyTask({ Job, TaskGroup, TaskStates, ID }: Allocation): string {
  const group = Job?.TaskGroups.find(({ Name }) => Name === TaskGroup);
  const names = group ? group.Tasks.map(({ Name }) => Name) : Object.keys(TaskStates);
  if (names.length === 1) return names[0]!;
  const listed = names.map((name) => `  * ${name}\n`).join("");
  throw new Refusal(
    `Allocation ${JSON.stringify(ID.slice(0, 8))} is running the following tasks:\n${listed}\nPlease specify the task.`,
  );
}
