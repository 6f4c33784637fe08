import { nomadCommand, Refusal } from "../command.ts";
import { confirm } from "../confirm.ts";
import { findAllocation } from "../find.ts";
import { monitorEvaluation } from "../monitor.ts";
import { monitorFlags, monitorOf } from "../monitor-flags.ts";

const { verbose } = monitorFlags;

/** `alloc stop`. */
export const stopAllocation = nomadCommand({
  usage: "[flags] ALLOCATION",
  about: "Stops an allocation. Where its job wants one in its place, that is placed anew.",
  examples: ["alloc stop 0af996ed"],
  flags: monitorFlags,
  args: { least: 1, most: 1 },
  failure: "Error stopping allocation",
  run: async (given) => {
    const { values, args, io, client } = given;
    const { ID, Namespace } = await findAllocation(client, args[0]!, { signal: io.signal, verbose: values.verbose });
    const place = { namespace: Namespace };
    const evaluation = await client.allocations.stop(ID, { ...place, signal: io.signal });
    if (!values.detach) return monitorEvaluation(evaluation, monitorOf(given, place, "evaluated"));
    await io.stdout(`${evaluation}\n`);
    return 0;
  },
});

/** `alloc restart`. */
export const restartAllocation = nomadCommand({
  usage: "[flags] ALLOCATION [TASK]",
  about: "Restarts an allocation's tasks, or one of them, where they are.",
  examples: ["alloc restart 0af996ed", "alloc restart 0af996ed web"],
  flags: {
    "all-tasks": { kind: "bool", help: "Restart also tasks that have ended." },
    task: { kind: "string", value: "NAME", help: "Only this task." },
    verbose,
  },
  args: { least: 1, most: 2 },
  failure: "Failed to restart allocation",
  run: async ({ values, args, io, client }) => {
    const [prefix = "", named] = args;
    const task = values.task ?? named ?? "";
    const all = values["all-tasks"];
    if (all && task !== "") throw new Refusal("The -all-tasks option is not allowed when restarting a specific task.");
    const allocation = await findAllocation(client, prefix, { signal: io.signal, verbose: values.verbose });
    checkTask(task, allocation.ID, Object.keys(allocation.TaskStates));
    const place = { namespace: allocation.Namespace, signal: io.signal };
    await client.allocations.restart(allocation.ID, { ...place, task, all });
    return 0;
  },
});

/** `alloc signal`. */
export const signalAllocation = nomadCommand({
  usage: "[flags] ALLOCATION [TASK]",
  about: "Sends a signal to an allocation's tasks, or to one of them.",
  examples: ["alloc signal -s=SIGHUP 0af996ed web"],
  flags: {
    s: { kind: "string", value: "SIGNAL", help: "The signal; SIGKILL by default." },
    task: { kind: "string", value: "NAME", help: "Only this task." },
    yes: { kind: "bool", help: "Do not ask before SIGKILL." },
    verbose,
  },
  args: { least: 1, most: 2 },
  failure: "Error signalling allocation",
  run: async ({ values, args, io, client }) => {
    const [prefix = "", named] = args;
    const task = values.task ?? named ?? "";
    const allocation = await findAllocation(client, prefix, { signal: io.signal, verbose: values.verbose });
    checkTask(task, allocation.ID, Object.keys(allocation.TaskStates));
    const place = { namespace: allocation.Namespace, signal: io.signal };
    const signal = values.s ?? "SIGKILL";
    if (
      values.s === undefined &&
      !values.yes &&
      io.isTerminal &&
      !(await confirm(io, `Send SIGKILL to ${allocation.Name}? [y/N]`))
    )
      throw new Refusal("No signal was sent.");
    await client.allocations.signal(allocation.ID, signal, { ...place, task });
    return 0;
  },
});

/** Throws a refusal that names the tasks there are, where this is none of them. */
function checkTask(task: string, allocation: string, known: readonly string[]): void {
  if (task === "" || known.includes(task)) return;
  throw new Refusal(
    `Could not find task named: ${task}, found:\n${known.map((name) => `  * ${name}\n`).join("")}in allocation ${allocation}`,
  );
}
