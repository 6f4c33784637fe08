import type { RunRecord } from "@millwright/engine/history/record";
import type { CommandIo } from "../io.ts";
import { runCommand } from "../terraform/command.ts";
import { lastRuns, listFlags, runCells, runHeadings, usualRuns } from "../terraform/history.ts";
import type { CommandStyle, Session } from "../terraform/session.ts";
import { columns } from "../views/columns.ts";
import { KnownStates, knownInstances } from "./known-states.ts";
import { loadListing } from "./listing.ts";
import { whichInstance } from "./tasks.ts";

/** Lists the runs that have changed any of the instances. */
export function runHistoryInstances(args: readonly string[], io: CommandIo, style: CommandStyle): Promise<number> {
  return runCommand(
    {
      flags: listFlags,
      usage: "history [flags]",
      about:
        "Lists the runs that have changed the instances of this folder, those of all of them by the time they began. Each instance counts its own: with -instance=NAME its runs are listed, one is shown by its number, and revert goes back to one.",
      example: "history -instance=network 3",
      arguments: [0, 1],
      run: async ({ session, values, args: [run] }) => {
        if (run !== undefined) {
          await session.report([whichInstance(`history ${run}`, style)]);
          return 1;
        }
        const runs = await runsOfAll(session, values.n ?? usualRuns);
        if (!runs) return 1;
        if (values.json)
          await io.stdout(`${JSON.stringify(runs.map(({ instance, run }) => ({ instance, ...run })))}\n`);
        else if (runs.length === 0) await io.stdout("No run has changed an instance of this folder yet.\n");
        else
          await io.stdout(
            columns([["INSTANCE", ...runHeadings], ...runs.map(({ instance, run }) => [instance, ...runCells(run)])]),
          );
        return 0;
      },
    },
    args,
    io,
    style,
  );
}

interface InstanceRun {
  readonly instance: string;
  readonly run: RunRecord;
}

/** The last runs of all instances that there are or were, the oldest first. */
async function runsOfAll(session: Session, most: number): Promise<readonly InstanceRun[] | undefined> {
  const { list, names, diagnostics } = await loadListing(session);
  if (!(await session.report(diagnostics))) return undefined;
  const states = new KnownStates(session, names);
  const found: InstanceRun[] = [];
  for (const instance of knownInstances(session.folder, list)) {
    const state = await states.state(instance);
    if (!state) return undefined;
    for (const run of await lastRuns(state.history, most)) found.push({ instance, run });
  }
  found.sort((one, other) => one.run.started.localeCompare(other.run.started));
  return most > 0 ? found.slice(-most) : found;
}
